"""What a run can be compared under: the load of its reference, and the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from benchrig.bench.app import Apps
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import InputError
from benchrig.report.gate.model import Basis, Judged, Judgement
from benchrig.report.history.entry import conditions
from benchrig.report.history.like import Change, unlike
from benchrig.report.table import Row, Table, on_first_server

LOAD = ("duration", "warm-up", "timeout", "threads", "load generator", "database")
"""The conditions of the load, by their names in a history: under another one, values are not compared."""


def checked(judged: Judged, reference: Table, table: Table, root: Path) -> Judged:
    """Return a judgement by another run: not decided where the load was another one, or the row is gone from the suite."""
    found = judged.worsening
    if not (found and reference.run and table.run):
        return judged
    before, now = _by_label(reference).get(found.row), _by_label(table).get(found.row)
    if before and now and (other := _other_load(before, reference, now, table)):
        detail = f"{other.name}: {other.after}, and {other.before} in the reference"
        other_load = replace(found, basis=Basis.OTHER_CONDITIONS, detail=detail)
        return replace(judged, judgement=Judgement.NOT_DECIDED, worsening=other_load)
    same_suite = reference.run.suite == table.run.suite
    if found.basis is Basis.ONLY_IN_REFERENCE and before and same_suite and is_gone(before.name, table, rows(table, root)):
        return replace(judged, judgement=Judgement.NOT_DECIDED, worsening=replace(found, basis=Basis.ROW_GONE))
    return judged


def rows(table: Table, root: Path) -> Collection[str]:
    """Return the rows that the suite of a run has now; none where it cannot be read."""
    try:
        return plan(root, Apps(root), BenchRequest(suite=table.run.suite if table.run else "")).all_rows
    except InputError:
        return ()


def is_gone(name: str, table: Table, suite: Collection[str]) -> bool:
    """Return whether a run lacks a row and its suite does, too: if the suite has it, the user chose to leave it out."""
    return table.run is not None and name not in table.run.rows and name not in suite


def _other_load(before: Row, reference: Table, now: Row, table: Table) -> Change | None:
    assert reference.run
    assert table.run
    here, there = conditions(now, table.run), conditions(before, reference.run)
    return unlike({name: value for name, value in here.items() if name in LOAD}, there)


def _by_label(table: Table) -> Mapping[str, Row]:
    """Return the rows by label, and those of the first server by name: where one run has one server, these are compared."""
    return {row.label: row for part in (on_first_server(table), table) for row in part.rows}
