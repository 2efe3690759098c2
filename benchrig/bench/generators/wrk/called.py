"""The command line of wrk or wrk2 before a text: it has what the text does not say, such as the timeout."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from benchrig.bench.generators.base import CommandLine

_CALL = re.compile(
    r"(?:^|[\s/\\;$#>&({\"'])\w{0,10}wrk2?(?:-\w{1,20})?(?:\.exe|:[\w.-]{1,50})?[\"'}]?[^\S\n]+",
    re.MULTILINE | re.IGNORECASE,
)
"""The name of the program, or of an image that runs it."""

_GOES_ON = re.compile(r"[^\S\n]*\\[^\S\n]*\n(?:[^\S\n]*>[^\S\n])?")
"""The end of a line that goes on in the next one, and the prompt of that."""

_OPTION = re.compile(
    r"-[cdtTR](?:\d\w*)?|-[sHLvUB]|-s\S+|-H.+|--(?:connections|duration|threads|script|header|latency|timeout|rate)(?:=.*)?"
)
_VALUES = {"timeout": "T", "script": "s", "rate": "R", "connections": "c", "threads": "t", "duration": "d", "header": "H"}
"""Options that have a value, and their short forms."""

_ENDS = frozenset({"|", "||", "&", "&&", ";", "#", ">", ">>", "<", "2>&1"})
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 4000


def called(before: str) -> CommandLine:
    """Return what the last command line in a text says; nothing where there is none."""
    found = list(_calls(_GOES_ON.sub(" ", before[-_LONGEST:])))
    if not found:
        return CommandLine()
    words = found[-1]
    given = list(_options(words))
    options = dict(given)
    closes = any(name == "H" and re.fullmatch(r"connection\s*:\s*close\s*", value, re.IGNORECASE) for name, value in given)
    # A rate of 0 is none: wrk2 does not start.
    rate = _quantity(options.get("R", ""), {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6}) or None
    return CommandLine(_quantity(options.get("T", ""), _SECONDS), _pipeline(words, options), rate, closes)


def _calls(text: str) -> Iterator[list[str]]:
    """Yield the words of each command line behind the program's name: some of them are options of wrk."""
    for line in text.splitlines():
        start = 0
        for match in _CALL.finditer(f"{line} "):
            quoted = line[start : match.start()]
            if start and (quoted.count('"') % 2 or quoted.count("'") % 2):
                continue  # It is in the value of an option, such as a header.
            words = _words(line[match.end() :])
            if any(_OPTION.fullmatch(word) for word in words):
                start = match.end()
                yield words


def _words(line: str) -> list[str]:
    """Return the words of a command line as a shell reads them, up to its end or a quotation mark without a second one."""
    reader = shlex.shlex(line, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        for word in reader:
            if word in _ENDS:
                break
            words.append(word)
            if word.endswith(";"):
                break
    except ValueError:
        pass
    return words


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options that have values, by their short forms."""
    taken = False
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if taken:
            taken = False
            continue
        if word == "--":
            return
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _VALUES:
            taken = not equals
            yield _VALUES[name], value if equals else after
        elif re.match(r"-[TsRctdH]", word):
            taken = len(word) == 2
            yield word[1], word[2:] or after


def _pipeline(words: Sequence[str], options: dict[str, str]) -> int | None:
    """Return the depth of pipelining: 1 without a script; of a script that pipelines, its last argument is taken."""
    if "s" not in options:
        # Not where options are only spoken of.
        return 1 if words[0].startswith("-") or "://" in words[0] else None
    arguments = words[words.index("--") + 1 :] if "--" in words else []
    depth = arguments[-1] if arguments else ""
    return int(depth) if "pipelin" in options["s"].lower() and re.fullmatch(r"[1-9]\d{0,3}", depth) else None


def _quantity(word: str, units: dict[str, float]) -> float | None:
    match = re.fullmatch(r"(\d{1,9})([A-Za-z]{0,2})", word.rstrip(";"))
    return float(match[1]) * units[match[2]] if match and match[2] in units else None
