"""Several servers in one run: each row is compared with the row of its name on the first server."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report.compare import Pair, outcome
from benchrig.report.table import Beside, Row, Table
from benchrig.report.verdict import Answer, Cause, Outcome


def beside_first(table: Table) -> Table:
    """Return a table whose rows on other servers are compared with the first server's."""
    there = {row.name: row for row in table.rows if row.several and row.host == table.first_server}
    return replace(table, rows=tuple(_compared(row, there[row.name]) if _has(row, there) else row for row in table.rows))


def _has(row: Row, there: dict[str, Row]) -> bool:
    return row.several and there.get(row.name, row) is not row


def _compared(row: Row, first: Row) -> Row:
    if row.load_on_server != first.load_on_server:
        return replace(row, beside=Beside(None, Outcome(Answer.NOT_COMPARABLE, Cause.LOAD_ON_SERVER)))
    if row.figures and first.figures and row.database_on_server != first.database_on_server:
        return replace(row, beside=Beside(None, Outcome(Answer.NOT_COMPARABLE, Cause.DATABASE_ON_SERVER)))
    compared = outcome(first, row, (first.host, row.host))
    return replace(row, beside=Beside(Pair(first, row, compared).ratio, compared))
