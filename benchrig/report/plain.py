"""Plain text tables and lines of report and comparison, aligned on a terminal for wide characters as well."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import tabulate
from wcwidth import wcswidth, wcwidth

from benchrig import shell
from benchrig.console import Span
from benchrig.language import say

# Columns are two spaces apart already; without this a heading takes two more, and the table no longer fits a screen.
tabulate.MIN_PADDING = 0

_TEXT_WIDTH = 140
_GAP = 2

_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7a3\uff01-\uff60]")
"""A letter that takes two columns, as Chinese has; a line may break between two of them."""

_PARTS = re.compile(r"\s*[（“]*(?:[\u2e80-\u9fff\uac00-\ud7a3]|[^\s（“\u2e80-\u9fff\uac00-\ud7a3]+)[，。；：、）！？”]*|.")
"""What stays on one line: such a letter, or a word of others, with the punctuation behind it."""

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|%)(?!\w))")

Align = Literal["left", "right"]


@dataclass(frozen=True)
class Page:
    """A text, and the parts of it that a terminal colours."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Laid:
    """A table as text, and where its cells are in it."""

    text: str
    shown: tuple[int, ...]
    """The columns that are in it, by their places among those given."""
    heights: tuple[int, ...]
    """How many lines the heading takes, and each row."""

    def heading(self) -> Iterator[tuple[int, int]]:
        """Yield the begin and the end of each line of the heading in the text."""
        yield from self._lines[: self.heights[0]]

    def cell(self, row: int, column: int) -> Iterator[tuple[int, int]]:
        """Yield the begin and the end of each line of a cell in the text; nothing of a column that is not shown."""
        if column not in self.shown:
            return
        low, high = self._extents[self.shown.index(column)]
        first = self._first_lines[row]
        for begin, end in self._lines[first : first + self.heights[row + 1]]:
            line = self.text[begin:end]
            start, stop = _at_column(line, low), _at_column(line, high)
            part = line[start:stop]
            if said := part.strip():
                start += part.index(said)
                yield begin + start, begin + start + len(said)

    @cached_property
    def _lines(self) -> list[tuple[int, int]]:
        found, at = [], 0
        for line in self.text.split("\n"):
            found.append((at, at + len(line)))
            at += len(line) + 1
        return found

    @cached_property
    def _first_lines(self) -> list[int]:
        lines, at = [], self.heights[0] + 1
        for height in self.heights[1:]:
            lines.append(at)
            at += height
        return lines

    @cached_property
    def _extents(self) -> list[tuple[int, int]]:
        begin, end = self._lines[self.heights[0]]
        return [found.span() for found in re.finditer("-+", self.text[begin:end])]


def text_columns(text: str) -> int:
    """Return how many columns of a terminal the widest line of a text takes."""
    return max(len(line) if line.isascii() else wcswidth(line) for line in text.split("\n"))


def text_width(width: int | None) -> int:
    """Return the width that text is wrapped at, for a terminal of `width` columns; None: its width is unknown."""
    return min(_TEXT_WIDTH, width or _TEXT_WIDTH)


def wrapped(text: str, room: int) -> str:
    """Wrap a text at `room` columns, and indent all lines but the first. A number and its unit stay on one line."""
    joined = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
    if _WIDE.search(joined):
        return "\n".join(_wide_lines(joined, room)).replace("\N{NO-BREAK SPACE}", " ")
    lines = textwrap.fill(joined, room, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")


def _wide_lines(text: str, room: int) -> Iterator[str]:
    """Yield the lines of a text with wide letters: it may break before each of them, but not before punctuation."""
    line = ""
    for part in _PARTS.findall(text):
        if line.strip() and wcswidth(f"{line}{part.rstrip()}") > room:
            yield line.rstrip()
            line, part = " " * 6, part.lstrip()
        line += part
    yield line.rstrip()


def fitting(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: int,
    width: int | None = None,
    dropped_first: Sequence[Sequence[int]] = (),
) -> tuple[str, tuple[str, ...]]:
    """Return a table as text, and the headings of the columns that were dropped.

    The first `words` columns and the last are text, to the left; the others are values, to the right. The rest is as of
    `lay`.
    """
    align: list[Align] = ["left" if i < words or i == len(headings) - 1 else "right" for i in range(len(headings))]
    table = lay(headings, rows, align, width, dropped_first)
    gone = (i for group in dropped_first for i in group if i not in table.shown)
    return table.text, tuple(headings[i].replace("\n", " ") for i in gone)


def lay(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: Sequence[Align],
    width: int | None = None,
    dropped_first: Sequence[Sequence[int]] = (),
) -> Laid:
    """Return a table as text. A cell may have several lines.

    Where it is wider than `width`, the groups of columns of `dropped_first`, counted from 0, are dropped one after the
    other until it fits, or none of them is left. Those that have room then come back, the last one first.
    """
    shown, _ = room_for(headings, rows, width, dropped_first)
    lines = [[line[i] for i in shown] for line in (headings, *rows)]
    text = tabulate.tabulate(
        lines[1:],
        headers=lines[0],
        tablefmt="simple",
        colalign=tuple(align[i] for i in shown) if rows else None,
        disable_numparse=True,
    )
    heights = tuple(max(cell.count("\n") for cell in line) + 1 for line in lines)
    return Laid("\n".join(line.rstrip() for line in text.split("\n")), tuple(shown), heights)


def room_for(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    dropped_first: Sequence[Sequence[int]],
) -> tuple[list[int], int]:
    """Return the columns that `lay` shows in this width, and how wide they are together."""
    widths = [max(map(text_columns, (heading, *(row[i] for row in rows)))) for i, heading in enumerate(headings)]
    taken = sum(widths) + _GAP * (len(widths) - 1)
    if width is None:
        return list(range(len(widths))), taken
    gone: list[Sequence[int]] = []
    for group in dropped_first:
        if taken <= width:
            break
        gone.append(group)
        taken -= sum(widths[i] + _GAP for i in group)
    for group in reversed(gone[:]):
        needed = sum(widths[i] + _GAP for i in group)
        if taken + needed <= width:
            gone.remove(group)
            taken += needed
    return [i for i in range(len(widths)) if not any(i in group for group in gone)], taken


def folded(text: str, room: int) -> str:
    """Return the text of a cell in lines of at most `room` columns; a word that is longer is cut."""
    if text_columns(text) <= room:
        return text
    return tabulate.tabulate([[text]], tablefmt="plain", maxcolwidths=[room], disable_numparse=True)


def hidden(columns: Sequence[str], argv: Sequence[str], room: int) -> list[str]:
    """Return the lines that name the columns a terminal was too narrow for, and the command that shows them.

    There are none where no column is hidden. The command is not wrapped, to be copied.
    """
    if not columns:
        return []
    said = say("Hidden columns (terminal too narrow): {columns}; to see them:", columns=say(", ").join(columns))
    return [wrapped(said, room), f"    {shell.quote(argv)} | less -S"]


def _at_column(line: str, column: int) -> int:
    """Return the place in a line that is at a column of the terminal."""
    if line.isascii():
        return min(column, len(line))
    at = 0
    for place, character in enumerate(line):
        if at >= column:
            return place
        at += max(0, wcwidth(character))
    return len(line)
