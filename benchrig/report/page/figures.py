"""The table of a page: its head and its rows, the columns that are shown at first, and the rules of CSS that choose them.

The page's script sorts and filters it; choosing columns needs no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts.svg import text_width
from benchrig.report.columns import Column, Grid
from benchrig.report.figures import is_spare
from benchrig.report.metrics import ALWAYS, BY_NAME, FILES_ONLY, THROUGHPUT
from benchrig.report.page.links import link
from benchrig.report.page.rows import RANK, badge, lines, spoiled
from benchrig.report.table import Row, Table

_ROOM = 1310.0
"""Width in pixels that the columns shown at first may take together: what a window of 1400 has, less margins."""

_CELL_PADDING = 15.0
_LETTERS = 13.2
"""Size of the table's letters in pixels."""

_WORDS = 130.0
"""Width in pixels that a column of words is given: its texts are wrapped."""

_BADGE = 30.0
"""Width in pixels that the badges of a column take at least."""

_PAPER = 1.8 * _ROOM
"""The same of a sheet, in its small print."""

MOST_ON_PAPER = 100
"""With more rows, paper has the columns that are shown at first alone: the files have the others."""

_CARD = (THROUGHPUT.name, RANK, "latency_p99_ms", "errors")
"""What a phone shows of a row before it is unfolded, below its name."""


_FIRST = (THROUGHPUT.name, RANK, "latency_p99_ms", "ratio", f"published_{THROUGHPUT.name}")
"""What a screen shows of a row before anything else."""


@dataclass(frozen=True)
class Choice:
    """A column that can be shown or hidden."""

    number: int
    """Its place in the table, from 1."""
    heading: str
    shown: bool
    """It is shown at first."""


@dataclass(frozen=True)
class Figures:
    """The table of a page."""

    head: Markup
    body: Markup
    style: Markup
    """Rules that hide the columns that are not chosen, and that name each value on a phone."""
    choices: tuple[Choice, ...]
    badges: tuple[tuple[Markup, str], ...]
    """Each kind of badge that the table has, and what it means."""
    further: tuple[Markup, ...]
    """Tables for paper alone, of the columns that are not shown at first: each as wide as a sheet."""
    downloads: tuple[tuple[str, str], ...]
    """Addresses of the same table for programs, and what they are called; none where the page stands alone."""


def made(table: Table, grid: Grid, folder: str | None, chosen: bool = False) -> Figures:
    """Return the table as HTML.

    `folder` is the path from the page to the run's folder; None where it has no files. With `chosen`, the user asked for
    these columns, and all are shown.
    """
    there = folder if table.run else None
    headings = [" ".join(heading.split()) for heading in grid.titles]
    shown = frozenset(range(len(headings) + 1)) if chosen else _shown_first(table, grid)
    # The first column, the row's name, always stays: without it, a row is nothing.
    choices = tuple(Choice(n, headings[n - 1], n in shown) for n in range(2, len(headings) + 1))
    return Figures(
        head=_head(grid),
        body=Markup("\n").join(lines(table, grid, there)),
        style=_style(headings, grid.columns, choices),
        choices=choices,
        badges=_badges(table.rows),
        further=tuple(_further(table, grid, shown)) if len(grid.rows) <= MOST_ON_PAPER else (),
        downloads=_downloads(there),
    )


def _downloads(folder: str | None) -> tuple[tuple[str, str], ...]:
    files = (("report.csv", "CSV"), ("report.json", "JSON"), ("report.md", "Markdown"))
    return tuple((address, name) for file, name in files if (address := link(folder, file)))


def _further(table: Table, grid: Grid, shown: Set[int]) -> Iterator[Markup]:
    """Yield the rules and rows of tables of the other columns, each beside the names of the rows."""
    places: list[int] = []
    room = left = _PAPER - _width(table, grid, 0)
    for place in range(1, len(grid.columns)):
        if place + 1 in shown:
            continue
        if places and _width(table, grid, place) > left:
            yield _on_paper(grid, places)
            places, left = [], room
        places.append(place)
        left -= _width(table, grid, place)
    if places:
        yield _on_paper(grid, places)


def _on_paper(grid: Grid, places: Sequence[int]) -> Markup:
    def line(texts: Sequence[str], tag: str) -> Markup:
        cells = (Markup("<{0}>{1}</{0}>").format(Markup(tag), texts[place]) for place in (0, *places))
        return Markup("<tr>{}</tr>").format(Markup("").join(cells))

    rows = Markup("").join(line(row, "td") for row in grid.rows)
    return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(line(grid.titles, "th"), rows)


def _head(grid: Grid) -> Markup:
    words = [*(column.words for column in grid.columns), True]
    return Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="word"' if word else ""), heading)
        for heading, word in zip(grid.titles, words, strict=True)
    )


def _badges(rows: Sequence[Row]) -> tuple[tuple[Markup, str], ...]:
    """Return the legend of the badges that these rows have."""
    kinds = {warning.invalid for row in rows for warning in row.warnings}
    meanings = (
        (False, say("doubtful: read the value with the warning of this number")),
        (True, say("invalid: the value is not what its column says, and the row has no rank")),
    )
    return tuple((badge(invalid, "1", invalid), meaning) for invalid, meaning in meanings if invalid in kinds)


def _shown_first(table: Table, grid: Grid) -> frozenset[int]:
    """Return the places of the columns that are shown at first, from 1: the most important ones that fit together."""
    widths = [_width(table, grid, place) for place in range(len(grid.titles))]
    chosen = {1, len(grid.titles)}
    room = _ROOM - sum(widths[place - 1] for place in chosen)
    for _, place in sorted((-_importance(column), place) for place, column in enumerate(grid.columns, 1)):
        column = grid.columns[place - 1]
        if place in chosen or column.priority == FILES_ONLY or _is_spare(column, table):
            continue
        if widths[place - 1] <= room:
            chosen.add(place)
            room -= widths[place - 1]
    return frozenset(chosen)


def _is_spare(column: Column, table: Table) -> bool:
    metric = BY_NAME.get(column.key)
    return metric is not None and is_spare(metric, (row.figures for row in table.rows))


def _importance(column: Column) -> float:
    return ALWAYS if column.key in _FIRST else column.priority


def _width(table: Table, grid: Grid, place: int) -> float:
    """Return about how wide a column is, in pixels, with its badges."""
    heading = max(map(_text_width, grid.titles[place].split("\n")))
    widest = _text_width(max((row[place] for row in grid.rows), key=len, default=""))
    if place >= len(grid.columns):
        return max(heading, widest) + 2 * _CELL_PADDING
    column = grid.columns[place]
    if column.words:
        return _WORDS + _CELL_PADDING
    return max(heading + _text_width("↕ "), widest + _badge_width(table, column)) + _CELL_PADDING


def _text_width(said: str) -> float:
    return text_width(said, _LETTERS)


def _badge_width(table: Table, column: Column) -> float:
    """Return the width of the widest badge of a column in pixels, by the number of warnings."""
    spoils = spoiled(column)
    most = max((sum(spoils in one.spoils for one in row.warnings) for row in table.rows), default=0) if spoils else 0
    return _BADGE + (most - 1) * 14.0 if most else 0.0


def _style(headings: Sequence[str], of: Sequence[Column], choices: Sequence[Choice]) -> Markup:
    """Return the rules that hide columns that are not chosen, and that set each value's heading before it on a phone."""
    hidden = "\n".join(
        f".results:has(#col-{one.number}:not(:checked)) .rows tr>:nth-child({one.number}){{display:none}}" for one in choices
    )
    named = "\n".join(
        f".rows td:nth-child({number})::before{{content:{css_text(heading)}}}" for number, heading in enumerate(headings, 1)
    )
    keys = {column.key for column in of}
    card = ",".join(f".rows td:nth-child({place})" for place, column in enumerate(of, 1) if _on_card(column, keys))
    rate = "".join(
        f".rows td:nth-child({place}){{order:-1;font-size:1.4rem}}"
        for place, column in enumerate(of, 1)
        if column.key == THROUGHPUT.name
    )
    phone = f"{named}\n{card}{{display:flex}}\n{rate}" if card else named
    wide, narrow = "print, screen and (min-width: 600.1px)", "screen and (max-width: 600px)"
    return Markup(f"@media {wide} {{\n{hidden}\n}}\n@media {narrow} {{\n{phone}\n}}")


def _on_card(column: Column, keys: Set[str]) -> bool:
    """Say whether a phone shows a column at once; where there is no p99 as measured, it shows the corrected one."""
    metric = BY_NAME.get(column.key)
    return column.key in _CARD or bool(metric and metric.instead_of in _CARD and metric.instead_of not in keys)


def css_text(said: str) -> str:
    """Return a text as CSS writes it: headings come from documents, and nothing in one may end the rule or the style."""
    return '"{}"'.format("".join(char if char.isalnum() and char.isascii() else f"\\{ord(char):x} " for char in said))
