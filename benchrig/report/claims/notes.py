"""Notes on a claim: what to know about the rows that it compares, computed from the table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from benchrig.language import Later, Text, joined, later, say
from benchrig.report.claims.functions import FUNCTIONS
from benchrig.report.claims.language import Expression, Figure
from benchrig.report.sentences import listed, some
from benchrig.report.table import Row, Table
from benchrig.results.codes import Code
from benchrig.results.spoils import Spoils


def notes(expression: Expression, table: Table, document: Table | None, told: Collection[Code] = ()) -> tuple[str, ...]:
    """Return the notes on a claim: other connections, rows at the ceiling, invalid rows.

    `told` are the warnings that its reason tells already.
    """
    rows = _rows(expression, table)
    kinds = (
        _connections(expression, table, document),
        _at_ceiling(expression, table),
        _invalid(expression, rows, told),
    )
    # Two comparisons of the same rows have the same notes.
    return tuple(dict.fromkeys(note for kind in kinds for note in kind))


def ceiling(expression: Expression, table: Table) -> Iterator[str]:
    """Return why rows at the same ceiling are equal: the load limits them, not the systems."""
    for rows in _throughputs(expression, table):
        if _all_at_ceiling(rows):
            yield later(
                "{names} are at the same ceiling: {allowed}. The load makes them equal, not their speed.",
                names=_all([row.name for row in rows]),
                allowed=_allowed(rows[0]),
            )


def _connections(expression: Expression, table: Table, document: Table | None) -> Iterator[str]:
    """Note that rows with different numbers of connections are compared; for a row without values, the article gives it."""
    known = {row.name: row.connections for one in (document, table) if one for row in one.rows}
    for comparison in expression.comparisons:
        names = [figure.row for figure in comparison.figures if _is_measured(figure) and figure.row in known]
        counts: dict[int, list[str]] = {}
        for name in dict.fromkeys(names):
            counts.setdefault(known[name], []).append(name)
        if len(counts) > 1:
            parts = joined(
                [later("{count} for {names}", count=f"{count:,}", names=_some(of)) for count, of in counts.items()],
                later("; "),
            )
            yield later("The rows have different numbers of connections: {parts}.", parts=parts)


def _at_ceiling(expression: Expression, table: Table) -> Iterator[str]:
    for rows in _throughputs(expression, table):
        at = [row for row in rows if row.at_ceiling]
        if at and not _all_at_ceiling(rows):
            names = _some([row.name for row in at])
            yield later(
                "At the ceiling, and may be able to do more: {names} ({allowed}).", names=names, allowed=_allowed(at[0])
            )


def _invalid(expression: Expression, rows: Iterable[Row], told: Collection[Code]) -> Iterator[str]:
    """Name the rows with invalid figures, as far as the claim rests on them or on how the rows compare."""
    metrics = [FUNCTIONS[figure.function].metric for figure in expression.figures]
    rests_on = {Spoils.RANK, *(metric.spoiled_by for metric in metrics if metric)}
    rows_of: dict[str, list[str]] = {}
    for row in rows:
        for warning in row.warnings:
            if warning.invalid and warning.spoils & rests_on and warning.code not in told:
                rows_of.setdefault(warning.code.label, []).append(row.name)
    for kind, names in rows_of.items():
        yield later("Invalid ({kind}): {names}.", kind=Text(kind), names=_some(tuple(dict.fromkeys(names))))


def _throughputs(expression: Expression, table: Table) -> Iterator[tuple[Row, ...]]:
    """Return the rows of each comparison whose throughputs it compares."""
    for comparison in expression.comparisons:
        names = {figure.row for figure in comparison.figures if figure.function == "throughput"}
        yield tuple(row for row in table.rows if row.name in names and row.figures)


def _rows(expression: Expression, table: Table) -> tuple[Row, ...]:
    names = {figure.row for figure in expression.figures}
    return tuple(row for row in table.rows if row.name in names)


def _all_at_ceiling(rows: tuple[Row, ...]) -> bool:
    same = len({(row.connections, row.sleep_seconds) for row in rows}) == 1
    return len(rows) > 1 and same and all(row.at_ceiling for row in rows)


def _allowed(row: Row) -> str:
    allowed = row.connections / row.sleep_seconds
    return later(
        "{connections} connections with {seconds} s of waiting allow {allowed} requests/s",
        connections=f"{row.connections:,}",
        seconds=f"{row.sleep_seconds:g}",
        allowed=f"{allowed:,.0f}",
    )


def _is_measured(figure: Figure) -> bool:
    metric = FUNCTIONS[figure.function].metric
    return metric is not None and metric.kind != "count"


def _some(names: Sequence[str]) -> Later:
    return Later(lambda: some(names, 4, say(", ")))


def _all(names: Sequence[str]) -> Later:
    return Later(lambda: listed(names))
