"""The command line of wrk or wrk2 before a text: it has what the text does not say, such as the timeout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchrig.bench.generators.base import CommandLine

_CALL = re.compile(r"(?:^|[\s/;$#>&(])(?:\w{0,10}wrk2?)(?:-\w{1,20})?[^\S\n]+([^\n]*)", re.MULTILINE)
_VALUES = {"timeout": "T", "script": "s", "rate": "R", "connections": "c", "threads": "t", "duration": "d", "header": "H"}
"""Options that have a value, and their short forms."""

_CLOSES = re.compile(r"(?:-H|--header)[\s=]*connection:\s*close\b", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 4000


def called(before: str) -> CommandLine:
    """Return what the last command line in a text says; nothing where there is none."""
    calls = [match[1] for match in _CALL.finditer(before[-_LONGEST:]) if re.search(r"(?:^|\s)-", match[1])]
    if not calls:
        return CommandLine()
    words = calls[-1].replace('"', " ").replace("'", " ").split()
    options = dict(_options(words))
    rate = _quantity(options.get("R", ""), {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6})
    closes = bool(_CLOSES.search(" ".join(words)))
    return CommandLine(_quantity(options.get("T", ""), _SECONDS), _pipeline(words, options), rate, closes)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options that have values, by their short forms."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == "--":
            return
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _VALUES:
            yield _VALUES[name], value if equals else after
        elif re.match(r"-[TsRctdH]", word):
            yield word[1], word[2:] or after


def _pipeline(words: Sequence[str], options: dict[str, str]) -> int | None:
    """Return the depth of pipelining: 1 without a script; of a script that pipelines, its last argument is taken."""
    if "s" not in options:
        return 1
    arguments = words[words.index("--") + 1 :] if "--" in words else []
    depth = arguments[-1] if arguments else ""
    return int(depth) if "pipelin" in options["s"].lower() and re.fullmatch(r"[1-9]\d{0,3}", depth) else None


def _quantity(word: str, units: dict[str, float]) -> float | None:
    match = re.fullmatch(r"(\d{1,9})([A-Za-z]{0,2})", word)
    return float(match[1]) * units[match[2]] if match and match[2] in units and int(match[1]) else None
