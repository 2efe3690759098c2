"""Rows that lack repeats: what the rest of a row says does not let a condition pass."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from benchrig.report.gate.model import Judged, Judgement, Short
from benchrig.report.table import Table


def checked(judged: Judged, rows: Collection[str], table: Table) -> Judged:
    """Return a judgement that rests on some rows, given by name or label: one that passed needs all of their repeats.

    Repeats are missing that failed, that were damaged in the record, or that an interrupted run never came to.
    """
    if judged.judgement is not Judgement.PASSED:
        return judged
    short = tuple(one for one in _short(table) if one.row in rows)
    return replace(judged, judgement=Judgement.NOT_DECIDED, short=short) if short else judged


def _short(table: Table) -> tuple[Short, ...]:
    """Return the rows that lack repeats, by their label; those of the first server by their name as well."""
    run = table.run
    if run is None:
        return ()
    wanted = None if run.goes_on else run.repeats
    lacking = [row for row in table.rows if row.figures and (wanted is None or row.repeats < wanted)]
    names = ((row, {row.label, row.name} if row.host == table.first_server else {row.label}) for row in lacking)
    return tuple(Short(name, row.repeats, wanted) for row, called in names for name in sorted(called))
