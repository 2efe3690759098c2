"""Lines under a table: what its marks mean, and why it has no ranks. Every report for people has them."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.report.describe import repeats_command
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.table import Row, Table
from benchrig.statistics.interval import ENOUGH_REPEATS, LEAST_REPEATS

ASSUMED = "*"
"""Stands behind an interval that rests on an assumption."""


def legend(table: Table) -> tuple[tuple[str, str], ...]:
    """Return the lines under a table, each with a command to be copied, or with an empty text in its place."""
    return tuple(_lines(table))


def _lines(table: Table) -> Iterator[tuple[str, str]]:
    if any(is_assumed(row) for row in table.rows):
        yield assumed_line(), ""
    if any(row.rank and row.rank.first != row.rank.last for row in table.rows):
        yield "a rank such as 1-3: the repeats do not tell which of these places is the row's", ""
    repeats = [row.repeats for row in table.rows if row.figures]
    if table.run is None:
        yield "no ranks: an article gives each figure once, which tells no rows apart. The order is the article's", ""
    elif repeats and max(repeats) < LEAST_REPEATS:
        count = "1 repeat gives" if max(repeats) == 1 else f"{max(repeats)} repeats give"
        command = repeats_command(table, frozenset(table.run.rows), ENOUGH_REPEATS)
        yield f"{count} no ranks and no intervals; {ENOUGH_REPEATS} do:", command


def is_assumed(row: Row) -> bool:
    """Say whether the interval of a row's throughput rests on an assumption."""
    throughput = row.figures.get(THROUGHPUT.name)
    return bool(throughput and throughput.interval and throughput.interval.assumed)


def assumed_line() -> str:
    """Return what the mark of an assumed interval means."""
    return (
        f"{ASSUMED} of {LEAST_REPEATS} to {ENOUGH_REPEATS - 1} repeats: the interval holds if the logarithms of the values "
        f"are normally distributed. From {ENOUGH_REPEATS} on, nothing is assumed"
    )
