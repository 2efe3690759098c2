"""Who is first among rows under the same conditions, and whether the repeats show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchrig.report.metrics import THROUGHPUT
from benchrig.report.summary.values import Finding, Standing
from benchrig.report.table import Row, Table, ranked
from benchrig.statistics import advice
from benchrig.statistics.difference import Difference, welch
from benchrig.statistics.interval import LEAST_REPEATS
from benchrig.statistics.ties import ceiling_margin

MOST_GROUPS = 4
"""Of so many groups of rows it is told who is first; a sweep can have hundreds."""


def findings(table: Table) -> tuple[tuple[Finding, ...], int]:
    """Return who is first in the largest groups of rows under the same conditions, and how many groups there are.

    Of groups of the same size, the one that is first in the table comes first.
    """
    groups: dict[tuple[int, str, str], list[Row]] = {}
    # Of rows that were chosen, ranks are those among all: which of them is first is told from them alone.
    for row in ranked(table.rows) if table.left_out else table.rows:
        groups.setdefault((row.connections, row.route, row.host if row.several else ""), []).append(row)
    largest = sorted(groups.items(), key=lambda group: -sum(_can_lead(row) for row in group[1]))[:MOST_GROUPS]
    found = [_finding(Finding(Standing.NOTHING, *conditions), rows, table) for conditions, rows in largest]
    return tuple(found) or (Finding(Standing.NOTHING, 0, "", ""),), len(groups)


def _can_lead(row: Row) -> bool:
    return THROUGHPUT.name in row.figures and not row.invalid


def _finding(empty: Finding, rows: Sequence[Row], table: Table) -> Finding:
    valid = sorted((row for row in rows if _can_lead(row)), key=_throughput, reverse=True)
    placed_rows = [row for row in valid if row.rank]
    compared = sorted(placed_rows or valid, key=lambda row: row.rank.first if row.rank else 1)
    most = _throughput(compared[0]) if compared else -1.0
    placed = {id(row) for row in compared}
    unranked = [row for row in rows if THROUGHPUT.name in row.figures and id(row) not in placed]
    found = replace(
        empty,
        rows=tuple(compared),
        second=compared[1] if len(compared) > 1 else None,
        above=tuple(row for row in unranked if _throughput(row) > most),
    )
    return _judged(found, table) if compared else found


def _judged(found: Finding, table: Table) -> Finding:
    first, second = found.rows[0], found.second
    if table.run is None:
        return replace(found, standing=Standing.PUBLISHED)
    if first.at_ceiling:
        held = tuple(row for row in found.rows if row.at_ceiling and row.ceiling == first.ceiling)
        return replace(found, standing=Standing.AT_CEILING, held=held)
    if second is None:
        return replace(found, standing=Standing.ALONE)
    if first.rank is None:
        return replace(found, standing=Standing.TOO_FEW_REPEATS)
    if first.rank.last == 1:
        return replace(found, standing=Standing.SHOWN, difference=_difference(first, second))
    last = first.rank.last
    tied = tuple(row for row in found.rows[1:] if row.rank and row.rank.first <= last)
    second = next(iter(tied), second)
    difference = _difference(first, second)
    advised = advice.of_difference(difference, margin=_margin(first, second)) if difference else None
    return replace(found, standing=Standing.NOT_SHOWN, tied=tied, second=second, difference=difference, advice=advised)


def _difference(first: Row, second: Row) -> Difference | None:
    """Return how many times as many requests/s the first row has as the second."""
    one, other = first.figures[THROUGHPUT.name], second.figures[THROUGHPUT.name]
    if min(len(one.values), len(other.values)) < LEAST_REPEATS:
        return None
    return welch(other.values, one.values, _margin(first, second))


def _margin(first: Row, second: Row) -> float:
    return ceiling_margin((_throughput(first), _throughput(second)), (first.ceiling, second.ceiling))


def _throughput(row: Row) -> float:
    return row.value(THROUGHPUT) or 0.0
