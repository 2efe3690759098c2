"""The rows of a page's table as HTML: each number with its badge and its raw text, each row with its reasons and files.

It is made by joining texts: a table may have ten thousand rows, for which a template takes too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from markupsafe import Markup, escape

from benchrig import shell
from benchrig.language import say, told
from benchrig.report.columns import Column, Grid
from benchrig.report.metrics import BY_NAME, THROUGHPUT
from benchrig.report.page.links import link
from benchrig.report.sentences import sentence, title
from benchrig.report.table import Row, Table
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import Warning

RANK = "rank"
"""The key of the column of ranks."""

_REPEAT = re.compile(r"-(\d+)(?:\.journal)?\.txt$")
"""Ends the name of a file of one repeat; a script is one of all repeats."""


def lines(table: Table, grid: Grid, folder: str | None) -> Iterator[Markup]:
    """Yield each row of a table. `folder` is the path from the page to the run's folder; None where there are no files."""
    numbers = {footnote.kind: number for number, footnote in enumerate(grid.footnotes, 1)}
    for place, (row, texts) in enumerate(zip(table.rows, grid.rows, strict=True), 1):
        badges = _Badges(row, numbers, place)
        first, *rest = zip(grid.columns, texts, strict=False)
        cells = (_cell(row, column, text, badges, folder) for column, text in rest)
        head = f'<th scope="row">{_said(row, *first, folder)}</th>'
        last = _last(row, texts[-1], place, badges, folder)
        yield Markup(f'<tr id="row-{place}"{_class(state(row))}>{head}{"".join(cells)}{last}</tr>')


def state(row: Row) -> str:
    """Return the class of a row that is not to be trusted, or was not measured; its warnings say the same in words."""
    if row.status != "measured":
        return "failed" if row.status == "failed" else "untested"
    return "invalid" if row.invalid else ""


def spoiled(column: Column) -> Spoils | None:
    """Return what a warning must spoil for a badge in this column; None of a column that has none."""
    metric = BY_NAME.get(column.key)
    return Spoils.RANK if column.key == RANK else metric.spoiled_by if metric else None


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _cell(row: Row, column: Column, text: str, badges: _Badges, folder: str | None) -> str:
    if column.words:
        return f'<td class="word">{escape(text)}</td>'
    value = column.value(row)
    # Without a value there is nothing to doubt, but a rank may be missing because of a warning.
    doubt = "" if value is None and column.key != RANK else badges.of(column)
    return f"<td{_sorted_by(value, text)}>{doubt}{_said(row, column, text, folder)}</td>"


def _said(row: Row, column: Column, text: str, folder: str | None) -> str:
    """Return the text of a cell; throughput leads to the load generator's output of the first repeat."""
    if column.key == THROUGHPUT.name and row.figures and row.raw and (address := link(folder, row.raw[0])):
        return f'<a href="{escape(address)}">{escape(text)}</a>'
    return escape(text)


def _sorted_by(value: float | str | None, text: str) -> str:
    """Return the attribute with the value that a cell is sorted by, where its text does not say it."""
    if not isinstance(value, int | float):
        return ""
    exact = f"{value:.9g}"
    return "" if exact == text.replace(",", "") else f' data-v="{exact}"'


class _Badges:
    """The badges of a row: beside each number that its warnings spoil, one for all of them."""

    def __init__(self, row: Row, numbers: Mapping[str, int], place: int) -> None:
        self._row, self._numbers, self._place = row, numbers, place
        self._made: dict[tuple[Spoils, bool], Markup] = {}

    def of(self, column: Column) -> Markup:
        """Return the badge of a column; nothing where no warning spoils it."""
        spoils = spoiled(column) if self._row.warnings and self._row.figures else None
        if spoils is None:
            return Markup("")
        key = (spoils, column.key == THROUGHPUT.name)
        if key not in self._made:
            self._made[key] = self._badge([one for one in self._row.warnings if spoils in one.spoils], key[1])
        return self._made[key]

    def number(self, warning: Warning) -> int:
        """Return the number of a warning's footnote."""
        return self._numbers[title(warning.code)]

    def _badge(self, warnings: Sequence[Warning], with_word: bool) -> Markup:
        if not warnings:
            return Markup("")
        numbers = sorted({self.number(warning) for warning in warnings})
        invalid = any(warning.invalid for warning in warnings)
        return badge(invalid, ",".join(map(str, numbers)), with_word, self._place)


def badge(invalid: bool, numbers: str, with_word: bool, place: int | None = None) -> Markup:
    """Return a badge: a button that opens the row's panel, or its picture for the legend where there is no row.

    Its word is seen only `with_word`, and of an invalid value: there is no room for it beside each number.
    """
    word = escape(say("invalid") if invalid else say("doubtful"))
    kind = "b x" if invalid else "b"
    # A table has many badges: each is as short as it can be.
    said = f"{word} {numbers}" if invalid and with_word else f"<i>{word} </i>{numbers}"
    if place is None:
        return Markup(f'<span class="{kind}">{said}</span>')
    return Markup(f'<button class="{kind}" popovertarget="p-{place}">{said}</button>')


def _last(row: Row, reference: str, place: int, badges: _Badges, folder: str | None) -> str:
    """Return the last cell of a row: its warnings by number, and a panel with their sentences, its files and its command."""
    kind, said = ("more", reference) if reference else ("more bare", say("details"))
    panel = "".join(chain(_reasons(row, badges), _files(row, folder), _command(row)))
    return (
        f'<td class="word last"><button class="{kind}" popovertarget="p-{place}">{escape(said)}</button>'
        f'<details class="rest"><summary>{escape(say("all values"))}</summary></details>'
        f'<div popover id="p-{place}" class="panel"><h3>{escape(row.label)}</h3>{panel}</div></td>'
    )


def _reasons(row: Row, badges: _Badges) -> Iterator[str]:
    """Yield why the row was not measured, and its warnings in words, those that make it invalid first."""
    if row.reason:
        yield f'<p class="why">{escape(told(row.reason))}</p>'
    if not row.warnings:
        return
    yield '<ul class="reasons">'
    for warning in sorted(row.warnings, key=lambda one: (not one.invalid, badges.number(one))):
        number, kind = badges.number(warning), f" ({say('invalid')})" if warning.invalid else ""
        named = f"<strong>{number} {escape(title(warning.code))}</strong>{escape(kind)}"
        yield f'<li data-n="{number}">{named}: {escape(sentence(warning))}</li>'
    yield "</ul>"


def _files(row: Row, folder: str | None) -> Iterator[str]:
    """Yield the links of a row: the load generator's output of each repeat, its script, and the journals of its unit."""
    for name, paths in ((say("raw text"), row.raw), (say("script"), _scripts(row)), (say("journal"), row.journals)):
        links = [
            f'<a href="{escape(address)}">{escape(_called(path))}</a>' for path in paths if (address := link(folder, path))
        ]
        if links:
            yield f'<p class="files">{escape(name)}: {" ".join(links)}</p>'


def _called(path: str) -> str:
    """Return what a link to a file is called: the number of its repeat, or its name."""
    found = _REPEAT.search(path)
    return found[1] if found else path.rpartition("/")[2]


def _scripts(row: Row) -> tuple[str, ...]:
    """Return the files of the run that a row's command names: the load generator's script."""
    return tuple(dict.fromkeys(word for word in row.command if word.startswith("raw/")))


def _command(row: Row) -> Iterator[str]:
    if row.command:
        command = escape(shell.quote(row.command))
        yield f'<div class="copied"><pre>{command}</pre><button class="copy" hidden>{escape(say("copy"))}</button></div>'
