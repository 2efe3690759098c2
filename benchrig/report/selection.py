"""Which rows and columns of a report are shown, and in which order: what `./inv report` is asked for by its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchrig.agent.text import short
from benchrig.errors import InputError, unknown
from benchrig.report.columns import BY_KEY, COLUMNS, Column, of_files
from benchrig.report.document import Report
from benchrig.report.filtering import Filter, kept
from benchrig.report.filtering import parse as parse_filter
from benchrig.report.metrics import METRICS
from benchrig.report.table import Row

ALL = "all"
"""Stands for all columns that have something to show."""

DESCENDING = ":desc"

NAMES: Mapping[str, Column] = {
    **{column.heading.replace("\n", " "): column for column in reversed(COLUMNS)},
    **{metric.claimed: BY_KEY[metric.name] for metric in METRICS},
    **BY_KEY,
}
"""Every name of a column: its heading, its function in claims, and its own."""


@dataclass(frozen=True)
class Selection:
    """What is shown of a report."""

    sort: str = ""
    """The column that the rows are ordered by; empty: they have the table's order."""
    descending: bool = False
    columns: tuple[str, ...] = ()
    """Their names, or ALL; empty: those that a terminal, or a file, has anyway."""
    filter: Filter | None = None


def parse(sort: str, columns: Sequence[str], filter: str) -> Selection:
    """Read the flags. Raises InputError for a name that no column has, with the nearest, and for a filter that is none."""
    key, descending = sort.removesuffix(DESCENDING), sort.endswith(DESCENDING)
    return Selection(
        _column("sort", key).key if sort else "",
        descending,
        _columns(columns),
        parse_filter(filter) if filter else None,
    )


def select(report: Report, selection: Selection) -> Report:
    """Return what a selection shows of a report. Raises InputError where the filter leaves no row."""
    table = report.table
    rows = kept(selection.filter, table.rows) if selection.filter else table.rows
    if selection.sort:
        rows = _sorted(rows, BY_KEY[selection.sort], descending=selection.descending)
    table = replace(table, rows=rows, left_out=len(table.rows) - len(rows))
    shown = tuple(one.key for one in of_files(table)) if selection.columns == (ALL,) else selection.columns
    return replace(report, table=table, columns=shown)


def _columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen columns; the row's name is the first where nothing else would say which row it is."""
    keys = tuple(dict.fromkeys(_column("columns", name).key for name in names if name != ALL))
    if ALL in names:
        return (ALL,)
    return keys if not keys or {"name", "system"} & set(keys) else ("name", *keys)


def _column(flag: str, name: str) -> Column:
    if name not in NAMES:
        raise InputError(f"--{flag}: {unknown('column', short(name), NAMES)}")
    return NAMES[name]


def _sorted(rows: Sequence[Row], by: Column, *, descending: bool) -> tuple[Row, ...]:
    """Return rows by their values, of equal ones in their order; those without a value are last."""
    known = [(value, row) for row in rows if (value := by.value(row)) not in (None, "")]
    known.sort(key=lambda pair: _key(pair[0]), reverse=descending)
    return (*(row for _, row in known), *(row for row in rows if by.value(row) in (None, "")))


def _key(value: float | str | None) -> tuple[float, str]:
    return (0.0, value.casefold()) if isinstance(value, str) else (value or 0.0, "")
