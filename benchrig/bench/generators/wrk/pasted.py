"""Lines of a pasted text without what the place it was pasted into has added: HTML, Markdown, colours, prefixes of logs.

Each line keeps the number that it has in the file, so that a message can name it.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

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
_NOTHING = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xAD, 0xFEFF))
_TIME = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]{0,12}(?:Z|[+-]\d\d:?\d\d)?\]?\s")
_SERVICE = re.compile(r"^\s*(?!Latency\b|Metric\b)[\w.-]{1,100}\s{1,100}\|\s")
"""The name of a container, which `docker compose` writes before each line."""


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
    starts: list[int] = []
    numbers: list[int] = []
    made: list[str] = []
    offset = 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        for part in _parts(line):
            cleaned = _cleaned(part)
            starts.append(offset)
            numbers.append(number)
            made.append(cleaned)
            offset += len(cleaned) + 1
    return Lines("\n".join(made), tuple(starts), tuple(numbers))


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
