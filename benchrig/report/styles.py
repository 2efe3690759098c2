"""How a terminal shows what its words and numbers say: the style of each cell of a report's table, in one place.

A style only repeats what the text says: `invalid` and `failed` in the column of warnings, a count above 0, a rank of 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.report.columns import Column
from benchrig.report.metrics import BY_NAME, ERRORS, THROUGHPUT
from benchrig.report.table import Row
from benchrig.report.verdict import Answer

HEADING = "heading"

_ERRORS = frozenset(name for name in BY_NAME if name == ERRORS.name or name.startswith("errors_"))

_OF_ANSWERS: Mapping[Answer, str] = {Answer.BETTER: "good", Answer.WORSE: "bad"}


def of_row(row: Row) -> str:
    """Return the style of all cells of a row whose figures must not be taken as they are; empty of a sound one."""
    if row.status != "measured":
        return "bad" if row.status == "failed" else "faint"
    return "changed" if row.invalid else ""


def of_cell(row: Row, column: Column) -> str:
    """Return the style of a cell; empty where it is nothing special."""
    if spoiled := of_row(row):
        return spoiled
    if column.key in _ERRORS:
        return "bad" if column.value(row) else ""
    if column.key in ("rank", THROUGHPUT.name):
        return "good" if row.rank and row.rank.first == 1 else ""
    if column.key == "against_first" and row.beside:
        return _OF_ANSWERS.get(row.beside.outcome.answer, "")
    return ""


def of_warnings(row: Row) -> str:
    """Return the style of what the column of warnings has of a row."""
    return of_row(row) or "warning"
