"""Plain text tables and lines of report and comparison, aligned on a terminal for wide characters as well."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

import tabulate
from wcwidth import wcswidth

from benchrig import shell
from benchrig.language import say

# Columns are two spaces apart already; without this a heading takes two more, and the table no longer fits a screen.
tabulate.MIN_PADDING = 0

_TEXT_WIDTH = 140

_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7a3\uff01-\uff60]")
"""A letter that takes two columns, as Chinese has; a line may break between two of them."""

_PARTS = re.compile(r"\s*[（“]*(?:[\u2e80-\u9fff\uac00-\ud7a3]|[^\s（“\u2e80-\u9fff\uac00-\ud7a3]+)[，。；：、）！？”]*|.")
"""What stays on one line: such a letter, or a word of others, with the punctuation behind it."""

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|%)(?!\w))")


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
    wrap_at: int | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Return a table as text, and the headings of the columns that were dropped.

    The first `words` columns and the last are text, to the left; the others are values, to the right. The first ones are
    wrapped at `wrap_at` columns of the terminal. Where the table is wider than `width`, the groups of columns of
    `dropped_first`, counted from 0, are dropped one after the other until it fits, or none of them is left.
    """
    shown, spare = list(range(len(headings))), list(dropped_first)
    text = _table(headings, rows, words, wrap_at)
    while width is not None and spare and _width(text) > width:
        group = spare.pop(0)
        shown = [i for i in shown if i not in group]
        text = _table([headings[i] for i in shown], [[row[i] for i in shown] for row in rows], words, wrap_at)
    return text, tuple(headings[i].replace("\n", " ") for group in dropped_first for i in group if i not in shown)


def hidden(columns: Sequence[str], argv: Sequence[str], room: int) -> list[str]:
    """Return the lines that name the columns a terminal was too narrow for, and the command that shows them.

    There are none where no column is hidden. The command is not wrapped, to be copied.
    """
    if not columns:
        return []
    line = say("Hidden columns (terminal too narrow): {columns}; to see them:", columns=say(", ").join(columns))
    names = wrapped(line, room)
    return [names, f"    {shell.quote(argv)} | less -S"]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int, wrap_at: int | None) -> str:
    figures = len(headings) - words - 1
    return tabulate.tabulate(
        rows,
        headers=headings,
        tablefmt="simple",
        colalign=(*("left",) * words, *("right",) * figures, "left"),
        maxcolwidths=[*(wrap_at,) * words, *(None,) * (figures + 1)],
        disable_numparse=True,
    )


def _width(text: str) -> int:
    return max(wcswidth(line) for line in text.splitlines())
