"""The table of a report on a terminal: the columns that it has room for, a bar of throughput, and what is coloured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchrig.console import Span, printable
from benchrig.drawing import Signs, long_bar
from benchrig.language import ENGLISH, in_use, say
from benchrig.report import columns, styles
from benchrig.report.columns import Column, Grid
from benchrig.report.document import Report
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.plain import Align, Laid, Page, folded, hidden, lay, room_for, text_columns, wrapped
from benchrig.report.table import Row

_WORDS_WIDTH, _NARROW_WORDS_WIDTH = 26, 20
"""At most so wide is a column of words, and on a narrow terminal."""

_NARROW_WARNINGS = 16
"""At most so wide is the column of warnings on a narrow terminal: their numbers stand below their word."""

_NARROW = 100
"""Terminals with fewer columns are narrow."""

_WORTH, _NARROW_WORTH = 3, 1
"""A unit has a line of its own in the heading if the column is narrower by so much that way."""

_LEAST_BAR, _LONGEST_BAR = 8, 24


@dataclass(frozen=True)
class _Part:
    """A column on its way to the terminal: a column of the grid, that of the warnings, or the bars."""

    title: str
    cells: tuple[str, ...]
    align: Align
    column: Column | None = None
    """None of the bars and of the warnings."""


def render(report: Report, grid: Grid, width: int | None, signs: Signs) -> tuple[Page, list[str]]:
    """Return the table of a grid in `width` columns if it fits, and what is to be said of the columns that are hidden."""
    rows = report.table.rows
    parts = _parts(grid, width)
    # What the user asked for is shown, whatever the terminal's width.
    spare = () if report.columns else columns.dropped_first(grid, rows)
    places, taken = room_for([part.title for part in parts], _lines(parts), width, [(i,) for i in spare])
    said = _hidden([grid.columns[i] for i in spare if i not in places], report, grid, width)
    shown = [parts[i] for i in places]
    room = width - taken - 2 if width else 0
    if room >= _LEAST_BAR and (at := _place_of_bars(shown)):
        shown.insert(at, _Part("", _bars(rows, min(room, _LONGEST_BAR), signs), "left"))
    table = lay([part.title for part in shown], _lines(shown), [part.align for part in shown])
    return Page(table.text, tuple(_spans(table, shown, rows))), said


def _lines(parts: Sequence[_Part]) -> list[tuple[str, ...]]:
    return list(zip(*(part.cells for part in parts), strict=True))


def _parts(grid: Grid, width: int | None) -> list[_Part]:
    cells = [tuple(map(printable, column)) for column in zip(*grid.rows, strict=True)] or [()] * len(grid.headings)
    narrow = width is not None and width < _NARROW
    most = _NARROW_WORDS_WIDTH if narrow else _WORDS_WIDTH
    parts = []
    for i, column in enumerate(grid.columns):
        texts = tuple(folded(text, most) for text in cells[i]) if column.words else cells[i]
        title = _title(grid.headings[i], grid.units[i], texts, _NARROW_WORTH if narrow else _WORTH)
        parts.append(_Part(title, texts, "left" if column.words else "right", column))
    warnings = tuple(folded(text, _NARROW_WARNINGS) for text in cells[-1]) if narrow else cells[-1]
    return [*parts, _Part(grid.headings[-1], warnings, "left")]


def _title(heading: str, unit: str, cells: Sequence[str], worth: int) -> str:
    """Return a heading with its unit, in a line of its own where the column is narrower by so much that way."""
    together = f"{heading} {unit}".strip()
    room = max(map(text_columns, (heading, *cells)))
    return together if text_columns(together) < room + worth else f"{heading}\n{unit}"


def _place_of_bars(parts: Sequence[_Part]) -> int:
    """Return where the bars stand: behind the throughput; 0 where that is not shown."""
    keys = [part.column.key if part.column else "" for part in parts]
    return keys.index(THROUGHPUT.name) + 1 if THROUGHPUT.name in keys else 0


def _bars(rows: Sequence[Row], width: int, signs: Signs) -> tuple[str, ...]:
    values = [row.value(THROUGHPUT) or 0.0 for row in rows]
    most = max(values, default=0.0) or 1.0
    return tuple(long_bar(value / most, width, signs, doubtful=row.invalid) for value, row in zip(values, rows, strict=True))


def _hidden(gone: Sequence[Column], report: Report, grid: Grid, width: int | None) -> list[str]:
    """Return the lines that name hidden columns: those that have nothing to tell, and the others with a command."""
    rows, room = report.table.rows, width or 0
    headings = {column.key: title.replace("\n", " ") for column, title in zip(grid.columns, grid.headings, strict=False)}
    nothing = [column for column in gone if columns.tells_nothing(column, rows)]
    zeros = [headings[one.key] for one in nothing if any(one.value(row) is not None for row in rows)]
    empty = [headings[one.key] for one in nothing if headings[one.key] not in zeros]
    lines = []
    if zeros:
        lines.append(wrapped(say("0 in every row: {columns}", columns=say(", ").join(zeros)), room))
    if empty:
        lines.append(wrapped(say("no value in any row: {columns}", columns=say(", ").join(empty)), room))
    others = [headings[one.key] for one in gone if one not in nothing]
    spoken = [] if in_use() == ENGLISH else ["--lang", in_use()]
    return [*lines, *hidden(others, ["./inv", "report", report.table.name, *spoken], room)]


def _spans(table: Laid, parts: Sequence[_Part], rows: Sequence[Row]) -> Iterator[Span]:
    """Yield the parts of the text that a terminal colours, from top to bottom and from left to right."""
    yield from (Span(begin, end, styles.HEADING) for begin, end in table.heading())
    for number, row in enumerate(rows):
        found = []
        for i, part in enumerate(parts):
            style = (
                styles.of_cell(row, part.column)
                if part.column
                else styles.of_warnings(row)
                if part.title
                else styles.of_row(row)
            )
            if style:
                found += [Span(begin, end, style) for begin, end in table.cell(number, i)]
        yield from sorted(found, key=lambda span: span.start)
