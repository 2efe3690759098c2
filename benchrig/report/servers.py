"""Several servers in one run: each row is compared with the row of its name on the first server."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report.compare.judge import Terms, changes
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.table import Beside, Row, Table
from benchrig.report.verdict import Answer, Cause, Outcome


def beside_first(table: Table) -> Table:
    """Return a table whose rows on other servers are compared with the first server's, those of each server together."""
    there = {row.name: row for row in table.rows if row.several and row.host == table.first_server}
    others = [row for row in table.rows if row.several and there.get(row.name, row) is not row]
    beside: dict[str, Beside] = {}
    for host in dict.fromkeys(row.host for row in others):
        beside |= _compared([(there[row.name], row) for row in others if row.host == host])
    return replace(table, rows=tuple(replace(row, beside=beside.get(row.label)) for row in table.rows))


def _compared(pairs: list[tuple[Row, Row]]) -> dict[str, Beside]:
    """Return what the rows of one server are beside the first server's, by their labels."""
    apart = {row.label: Beside(None, outcome) for first, row in pairs if (outcome := _not_comparable(first, row))}
    alike = [(first, row) for first, row in pairs if row.label not in apart]
    terms = Terms((pairs[0][0].host, pairs[0][1].host))
    found = changes(alike, THROUGHPUT, terms)
    return apart | {row.label: Beside(change.ratio, change.outcome) for (_, row), change in zip(alike, found, strict=True)}


def _not_comparable(first: Row, row: Row) -> Outcome | None:
    if row.load_on_server != first.load_on_server:
        return Outcome(Answer.NOT_COMPARABLE, Cause.LOAD_ON_SERVER)
    if row.figures and first.figures and row.database_on_server != first.database_on_server:
        return Outcome(Answer.NOT_COMPARABLE, Cause.DATABASE_ON_SERVER)
    return None
