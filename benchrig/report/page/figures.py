"""The table of a page as HTML, made by joining texts: ten thousand rows take a template too long.

The page's script sorts and filters it; choosing columns takes only rules of CSS, which are made here as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup, escape

from benchrig import shell
from benchrig.language import say
from benchrig.report.charts.svg import text_width
from benchrig.report.columns import Column, Grid
from benchrig.report.figures import is_spare
from benchrig.report.metrics import ALWAYS, BY_NAME, FILES_ONLY, THROUGHPUT
from benchrig.report.page.links import link
from benchrig.report.sentences import sentence, title
from benchrig.report.table import Row, Table
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import Warning

_ROOM = 1310.0
"""Width in pixels that the columns shown at first may take together: what a window of 1400 has, less margins."""

_CELL_PADDING = 15.0
_LETTERS = 13.2
"""Size of the table's letters in pixels."""

_WORDS = 130.0
"""Width in pixels that a column of words is given: its texts are wrapped."""

_BADGE = 30.0
"""Width in pixels that the badges of a column take at least."""

_RANK = "rank"

_CARD = (THROUGHPUT.name, _RANK, "latency_p99_ms", "errors")
"""What a phone shows of a row before it is unfolded, below its name."""


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
    downloads: tuple[tuple[str, str], ...]
    """Addresses of the same table for programs, and what they are called; none where the page stands alone."""


def made(table: Table, grid: Grid, folder: str | None) -> Figures:
    """Return the table as HTML. `folder` is the path from the page to the run's folder; None where it has no files."""
    there = folder if table.run else None
    headings = [" ".join(heading.split()) for heading in grid.titles]
    shown = _shown_first(table, grid)
    # The row's name always stays: without it, a row is nothing.
    choices = tuple(Choice(n, headings[n - 1], n in shown) for n in range(2, len(headings) + 1))
    return Figures(
        head=_head(grid),
        body=Markup("\n").join(_lines(table, grid, there)),
        style=_style(headings, grid.columns, choices),
        choices=choices,
        badges=_badges(table.rows),
        downloads=_downloads(there),
    )


def _downloads(folder: str | None) -> tuple[tuple[str, str], ...]:
    files = (("report.csv", "CSV"), ("report.json", "JSON"), ("report.md", "Markdown"))
    return tuple((address, name) for file, name in files if (address := link(folder, file)))


def _head(grid: Grid) -> Markup:
    words = [*(column.words for column in grid.columns), True]
    return Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_class("word" if word else ""), heading)
        for heading, word in zip(grid.titles, words, strict=True)
    )


def _class(name: str) -> Markup:
    return Markup(' class="{}"').format(name) if name else Markup("")


def _lines(table: Table, grid: Grid, folder: str | None) -> Iterator[Markup]:
    numbers = {footnote.kind: number for number, footnote in enumerate(grid.footnotes, 1)}
    for place, (row, texts) in enumerate(zip(table.rows, grid.rows, strict=True), 1):
        badges = _Badges(row, numbers, place)
        cells = (_cell(row, column, text, badges, folder) for column, text in zip(grid.columns, texts, strict=False))
        last = _last(row, texts[-1], place, badges, folder)
        yield Markup('<tr id="row-{}"{}>{}{}</tr>').format(place, _class(state(row)), Markup("").join(cells), last)


def state(row: Row) -> str:
    """Return the class of a row that is not to be trusted, or was not measured; its warnings say the same in words."""
    if row.status != "measured":
        return "failed" if row.status == "failed" else "untested"
    return "invalid" if row.invalid else ""


def _cell(row: Row, column: Column, text: str, badges: _Badges, folder: str | None) -> Markup:
    if column.key == "name":
        return Markup('<th scope="row">{}</th>').format(text)
    if column.words:
        return Markup('<td class="word">{}</td>').format(text)
    said = escape(text)
    if column.key == THROUGHPUT.name and row.raw and (address := link(folder, row.raw[0])):
        said = Markup('<a href="{}">{}</a>').format(address, text)
    return Markup("<td{}>{}{}</td>").format(_sorted_by(column, row, text), badges.of(column), said)


def _sorted_by(column: Column, row: Row, text: str) -> Markup:
    """Return the attribute with the value that a cell is sorted by, where its text does not say it."""
    value = column.value(row)
    if value is None or isinstance(value, str):
        return Markup("")
    exact = f"{value:.9g}"
    return Markup("") if exact == text.replace(",", "") else Markup(f' data-v="{exact}"')


class _Badges:
    """The badges of a row: beside each number that its warnings spoil, one for all of them."""

    def __init__(self, row: Row, numbers: Mapping[str, int], place: int) -> None:
        self._row, self._numbers, self._place = row, numbers, place
        self._made: dict[tuple[Spoils, bool], Markup] = {}

    def of(self, column: Column) -> Markup:
        """Return the badge of a column; nothing where no warning spoils it."""
        if not self._row.warnings:
            return Markup("")
        metric = BY_NAME.get(column.key)
        spoiled = Spoils.RANK if column.key == _RANK else metric.spoiled_by if metric and self._row.figures else None
        if spoiled is None:
            return Markup("")
        key = (spoiled, column.key == THROUGHPUT.name)
        if key not in self._made:
            self._made[key] = self._badge([one for one in self._row.warnings if spoiled in one.spoils], key[1])
        return self._made[key]

    def number(self, warning: Warning) -> int:
        """Return the number of a warning's footnote."""
        return self._numbers[title(warning.code)]

    def _badge(self, warnings: Sequence[Warning], with_word: bool) -> Markup:
        if not warnings:
            return Markup("")
        numbers = sorted({self.number(warning) for warning in warnings})
        invalid = any(warning.invalid for warning in warnings)
        return _badge(invalid, ",".join(map(str, numbers)), with_word, self._place)


def _badge(invalid: bool, numbers: str, with_word: bool, place: int | None = None) -> Markup:
    """Return a badge: a button that opens the row's panel, or its picture for the legend where there is no row.

    Its word is seen only `with_word`, and of an invalid value: there is no room for it beside each number.
    """
    word = say("invalid") if invalid else say("doubtful")
    seen = invalid and with_word
    said = (
        Markup("{} {}").format(word, numbers)
        if seen
        else Markup('<i class="visually-hidden">{} </i>{}').format(word, numbers)
    )
    kind = "b x" if invalid else "b"
    if place is None:
        return Markup('<span class="{}">{}</span>').format(kind, said)
    return Markup('<button type="button" class="{}" popovertarget="p-{}" data-n="{}">{}</button>').format(
        kind, place, numbers, said
    )


def _badges(rows: Sequence[Row]) -> tuple[tuple[Markup, str], ...]:
    """Return the legend of the badges that these rows have."""
    kinds = {warning.invalid for row in rows for warning in row.warnings}
    meanings = (
        (False, say("doubtful: read the value with the warning of this number")),
        (True, say("invalid: the value is not what its column says, and the row has no rank")),
    )
    return tuple((_badge(invalid, "1", invalid), meaning) for invalid, meaning in meanings if invalid in kinds)


def _last(row: Row, reference: str, place: int, badges: _Badges, folder: str | None) -> Markup:
    """Return the last cell of a row: its warnings by number, and a panel with their sentences, its files and its command."""
    kind = "more" if reference else "more bare"
    opened = Markup('<button type="button" class="{}" popovertarget="p-{}">{}</button>').format(
        kind, place, reference or say("details")
    )
    panel = Markup('<div popover id="p-{}" class="panel"><h3>{}</h3>{}</div>').format(
        place, row.label, Markup("").join(chain(_reasons(row, badges), _files(row, folder), _command(row)))
    )
    rest = Markup('<details class="rest"><summary>{}</summary></details>').format(say("all values"))
    return Markup('<td class="word last">{}{}{}</td>').format(opened, rest, panel)


def _reasons(row: Row, badges: _Badges) -> Iterator[Markup]:
    """Yield why the row was not measured, and its warnings in words."""
    if row.reason:
        yield Markup('<p class="why">{}</p>').format(row.reason)
    if not row.warnings:
        return
    yield Markup('<ul class="reasons">')
    for warning in row.warnings:
        number, kind = badges.number(warning), say("invalid") if warning.invalid else ""
        yield Markup('<li data-n="{}"><strong>{} {}</strong>{} {}</li>').format(
            number, number, title(warning.code), f" ({kind}):" if kind else ":", sentence(warning)
        )
    yield Markup("</ul>")


def _files(row: Row, folder: str | None) -> Iterator[Markup]:
    """Yield the links of a row: the load generator's output of each repeat, its script, and the journals of its unit."""
    kinds = ((say("raw text"), row.raw), (say("script"), _scripts(row)), (say("journal"), row.journals))
    for name, paths in kinds:
        links = [
            Markup('<a href="{}">{}</a>').format(address, _number(path, place))
            for place, path in enumerate(paths, 1)
            if (address := link(folder, path))
        ]
        if links:
            yield Markup('<p class="files">{}: {}</p>').format(name, Markup(" ").join(links))


def _number(path: str, place: int) -> str:
    """Return what a link to a file is called: the number of its repeat, or its name."""
    found = re.search(r"-(\d+)\.(?:txt|journal)$", path)
    return found[1] if found else path.rpartition("/")[2] or str(place)


def _scripts(row: Row) -> tuple[str, ...]:
    """Return the files of the run that a row's command names: the load generator's script."""
    return tuple(dict.fromkeys(word for word in row.command if word.startswith("raw/")))


def _command(row: Row) -> Iterator[Markup]:
    if row.command:
        yield Markup('<div class="copied"><pre>{}</pre><button type="button" class="copy" hidden>{}</button></div>').format(
            shell.quote(row.command), say("copy")
        )


def _shown_first(table: Table, grid: Grid) -> frozenset[int]:
    """Return the places of the columns that are shown at first, from 1: the most important ones that fit together."""
    widths = [_width(table, grid, place) for place in range(len(grid.headings))]
    chosen = {1, len(grid.headings)}
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
    return ALWAYS if column.key in _CARD else column.priority


def _width(table: Table, grid: Grid, place: int) -> float:
    """Return about how wide a column is, in pixels, with its badges."""
    heading = max(map(_text_width, grid.titles[place].split("\n")))
    widest = max((_text_width(row[place]) for row in grid.rows), default=0.0)
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
    metric = BY_NAME.get(column.key)
    spoiled = Spoils.RANK if column.key == _RANK else metric.spoiled_by if metric else None
    most = max((sum(spoiled in one.spoils for one in row.warnings) for row in table.rows), default=0) if spoiled else 0
    return _BADGE + (most - 1) * 14.0 if most else 0.0


def _style(headings: Sequence[str], of: Sequence[Column], choices: Sequence[Choice]) -> Markup:
    """Return the rules that hide columns that are not chosen, and that set each value's heading before it on a phone."""
    hidden = "\n".join(
        f".results:has(#col-{one.number}:not(:checked)) tr>:nth-child({one.number}){{display:none}}" for one in choices
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
