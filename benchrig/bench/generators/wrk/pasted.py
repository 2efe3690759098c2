"""Lines of a pasted text without what the place it was pasted into has added: HTML, Markdown, colours, prefixes of logs.

Each line keeps the number that it has in the file, so that a message can name it.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from benchrig.bench.generators.wrk.prefixes import without_prefixes

FENCE = "\x1e"
"""Stands for the line that closes a block of code in Markdown."""

_COLOURS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ENDS = re.compile(r"<br\s*/?>|</(?:p|div|tr|li|pre|h[1-6]|blockquote)>", re.IGNORECASE)
_CELLS = re.compile(r"</?t[dh]\b[^<>]{0,500}>", re.IGNORECASE)
# Only HTML's own tags: a text may have `<url>` in place of an address.
_TAGS = re.compile(
    r"</?(?:pre|code|span|p|div|b|strong|i|em|font|tr|table|tbody|thead|tt|samp|kbd|li|ul|ol|a|h[1-6]|blockquote|html|body|"
    r"head|section|article|figure|hr|small|u|s|mark|ins|del|details|summary)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_SPACES = dict.fromkeys((9, 11, 12, 160, 5760, *range(8192, 8203), 8239, 8287, 12288), " ")
_NOTHING = dict.fromkeys((ord(FENCE), 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xAD, 0xFEFF))
_TIME = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]{0,12}(?:Z|[+-]\d\d:?\d\d)?\]?\s")
_SERVICE = re.compile(r"^\s*(?!Latency\b|Metric\b)[\w.-]{1,100}\s{1,100}\|\s")
"""The name of a container, which `docker compose` writes before each line."""


_FENCE = re.compile(r"[\s>*+#/|-]{0,200}(?:\d{1,3}[.)]\s{1,20})?(`{3,100}|~{3,100})([^`\n]{0,100})")
_SOFT = re.compile(r".{65,75}[^=\s]=")
"""The end of a line within a line of a mail (quoted-printable), in which no line has more than 76 characters."""


@dataclass(frozen=True)
class Lines:
    """A text in clean lines, and the number of each in its file."""

    text: str
    starts: tuple[int, ...]
    """Where each clean line begins in `text`."""
    numbers: tuple[int, ...]
    """Which line of the file each is of."""

    def number(self, offset: int) -> int:
        """Return the number in the file of the line at an offset in `text`."""
        return self.numbers[bisect_right(self.starts, offset) - 1]

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Yield what stands between two offsets, line by line, with the number of each line."""
        for piece in re.finditer(r"[^\n]+", self.text[start:end]):
            yield self.number(start + piece.start()), piece[0]


def clean(text: str) -> Lines:
    """Return a text's clean lines."""
    numbers: list[int] = []
    made: list[str] = []
    closes = ""
    for number, line in _numbered(text):
        fence = _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None
        if fence and closes and fence[1].startswith(closes) and not fence[2].strip():
            numbers.append(number)
            made.append(FENCE)
            closes = ""
            continue
        if fence:
            closes = fence[1]
        for part in _parts(line):
            numbers.append(number)
            made.append(_cleaned(part))
    made = without_prefixes(made)
    starts = accumulate((len(line) + 1 for line in made[:-1]), initial=0)
    return Lines("\n".join(made), tuple(starts), tuple(numbers))


def split(text: str) -> list[str]:
    """Return the lines of a file, whichever end they have; a return within a line is a terminal's."""
    text = text.replace("\r\n", "\n")
    return (text if "\n" in text.rstrip() else text.replace("\r", "\n")).split("\n")


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, each one that a mail has broken as one again."""
    broken: list[str] = []
    for number, line in enumerate(split(text), 1):
        if _SOFT.fullmatch(line):
            broken.append(line[:-1])
            continue
        yield number - len(broken), "".join([*broken, line])
        broken = []
    if broken:
        yield number - len(broken) + 1, "".join(broken)


def _parts(line: str) -> list[str]:
    """Return the lines in a line: HTML's line breaks, those of a JSON text, and a terminal's returns to its start."""
    if "<" in line:
        line = _ENDS.sub("\n", line)
    if line.count("\\n") > 2:
        line = line.replace("\\r", "").replace("\\n", "\n").replace("\\t", " ")
    return line.replace("\r", "\n").split("\n")


def _cleaned(line: str) -> str:
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    if "<" in line:
        line = _TAGS.sub("", _CELLS.sub(" ", line))
    if "&" in line:
        line = _ENTITY.sub(lambda entity: html.unescape(entity[0]), line)
    line = line.translate(_SPACES).translate(_NOTHING) if not line.isascii() or "\t" in line else line
    line = _TIME.sub("", line)
    if "|" in line:
        line = _SERVICE.sub("", line)
        line = line.replace("|", " ") if line.count("|") > 1 else line
    return line.replace("**", "").replace("`", "").replace("\n", " ")
