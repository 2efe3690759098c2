"""Several servers in one run: each row held against the one of its name on the first of them."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report.compare import Pair, verdict
from benchrig.report.table import Beside, Row, Table


def beside_first(table: Table) -> Table:
    """Return a table whose rows on other servers than the first tell how they did beside it."""
    there = {row.name: row for row in table.rows if row.several and row.host == table.first_server}
    return replace(table, rows=tuple(_held(row, there[row.name]) if _has(row, there) else row for row in table.rows))


def _has(row: Row, there: dict[str, Row]) -> bool:
    return row.several and there.get(row.name, row) is not row


def _held(row: Row, first: Row) -> Row:
    if row.load_on_server != first.load_on_server:
        return replace(row, beside=Beside(None, "not comparable (one of them loaded itself)"))
    if row.figures and first.figures and row.database_on_server != first.database_on_server:
        return replace(row, beside=Beside(None, "not comparable (one of them kept the data itself)"))
    told = verdict(first, row, (first.host, row.host))
    return replace(row, beside=Beside(Pair(first, row, told).ratio, told))
