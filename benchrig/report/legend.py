"""Lines under a table: what its marks mean, and why it has no ranks. Every report for people has them."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.language import say, say_count
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
        yield say("a rank such as 1-3: the repeats do not tell which of these places is the row's"), ""
    repeats = [row.repeats for row in table.rows if row.figures]
    if table.run is None:
        yield say("no ranks: an article gives each figure once, which tells no rows apart. The order is the article's"), ""
    elif repeats and max(repeats) < LEAST_REPEATS:
        command = repeats_command(table, frozenset(table.run.rows), ENOUGH_REPEATS)
        line = say_count(
            "{count} repeat gives no ranks and no intervals; {enough} do:",
            "{count} repeats give no ranks and no intervals; {enough} do:",
            max(repeats),
            enough=ENOUGH_REPEATS,
        )
        yield line, command


def is_assumed(row: Row) -> bool:
    """Say whether the interval of a row's throughput rests on an assumption."""
    throughput = row.figures.get(THROUGHPUT.name)
    return bool(throughput and throughput.interval and throughput.interval.assumed)


def assumed_line() -> str:
    """Return what the mark of an assumed interval means."""
    return say(
        "{mark} of {least} to {most} repeats: the interval holds if the logarithms of the values are normally distributed. "
        "From {enough} on, nothing is assumed",
        mark=ASSUMED,
        least=LEAST_REPEATS,
        most=ENOUGH_REPEATS - 1,
        enough=ENOUGH_REPEATS,
    )
