"""The list of runs: what each one is, in what state, and what its user calls it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchrig.agent.text import one_line, short
from benchrig.errors import Hint, InputError, Inv
from benchrig.report import history
from benchrig.report.plain import fitting, text_width, wrapped
from benchrig.results import labels, sessions, store
from benchrig.results.index import Listed
from benchrig.results.lock import is_held
from benchrig.units import NOTHING

MOST_TOLD = 5
"""Damaged runs whose reasons stand below the list."""

LABEL_WIDTH = 40
"""Characters of a label that a terminal shows."""

State = Literal["complete", "incomplete", "measuring", "damaged"]

_WORDS = {"measuring": "being measured"}


@dataclass(frozen=True)
class RunRecord:
    """A run of `reports/`, or an A/B session, which has runs of its own."""

    name: str
    """Its folder's."""
    kind: Literal["run", "session"]
    state: State
    damage: str
    """Why it cannot be read; empty where it can."""
    suite: str
    """Empty of a damaged one, as all that follows but the label."""
    started_at: str
    machines: tuple[str, ...]
    rows: int
    """Those that were measured, or tried, on each server; of a session, its two sides."""
    rows_planned: int
    number: int
    """It orders runs; 0 of an imported run, of a session, and of a run of an earlier version."""
    imported: bool
    label: str


@dataclass(frozen=True)
class RunsRecord:
    """What `./inv runs --json` prints."""

    runs: tuple[RunRecord, ...]
    """The newest last."""


def listing(reports: Path, suite: str = "") -> RunsRecord:
    """Return all runs and sessions, the newest last, or those of a suite and the damaged ones, of which it is not known.

    Raises InputError for a suite without a run.
    """
    runs = [_of_run(reports, one) for one in history.listed(reports)]
    others = [_of_session(folder) for folder in sessions.folders(reports)]
    found = _in_order([run for run in runs if run.state != "damaged"], [*others, *(r for r in runs if r.state == "damaged")])
    chosen = [one for one in found if suite in ("", one.suite) or one.state == "damaged"]
    if suite and not any(one.suite == suite for one in chosen):
        known = ", ".join(sorted({one.suite for one in found if one.suite})) or "there is none yet"
        hint = Hint(Inv("bench", "--suite", suite), " makes one.")
        raise InputError(f"there is no run of suite '{one_line(suite, 100)}'; known: {known}", hint)
    return RunsRecord(tuple(chosen))


def _of_run(reports: Path, one: Listed) -> RunRecord:
    folder = reports / one.name
    return RunRecord(
        name=one.name,
        kind="run",
        state="measuring" if is_held(folder) else one.state,
        damage=one.said,
        suite=one.suite,
        started_at=one.started_at,
        machines=one.machines,
        rows=one.rows,
        rows_planned=one.planned,
        number=one.number,
        imported=store.is_imported(folder),
        label=labels.read(folder),
    )


def _of_session(folder: Path) -> RunRecord:
    label, held = labels.read(folder), is_held(folder)
    try:
        session = sessions.read(folder)
    except InputError as error:
        return RunRecord(folder.name, "session", "damaged", one_line(str(error)), "", "", (), 0, 0, 0, False, label)
    sides = len({(one.suite, one.row, one.host, one.named) for one in (session.a, session.b)})
    return RunRecord(
        name=folder.name,
        kind="session",
        state="measuring" if held else "complete" if session.finished_at else "incomplete",
        damage="",
        suite=session.a.suite,
        started_at=session.started_at,
        machines=tuple(machine.name for machine in session.machines),
        rows=sides,
        rows_planned=sides,
        number=0,
        imported=False,
        label=label,
    )


def _in_order(runs: Sequence[RunRecord], others: Sequence[RunRecord]) -> list[RunRecord]:
    """Return runs in their own order, with what has no number put between them by its time."""
    found = list(runs)
    for other in sorted(others, key=_time):
        later = (at for at, run in enumerate(found) if _time(run) > _time(other))
        found.insert(next(later, len(found)), other)
    return found


def _time(run: RunRecord) -> str:
    """Return when a run began; of one that cannot be read, what its name says."""
    if run.started_at:
        return run.started_at
    named = re.match(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)", run.name)
    return "{}-{}-{}T{}:{}:{}Z".format(*named.groups()) if named else ""


def render(record: RunsRecord, width: int | None = None) -> str:
    """Return the list as a table, in `width` columns if it fits; below it, why damaged runs cannot be read."""
    if not record.runs:
        return "there is no run yet: ./inv bench makes one"
    headings = ["run", "began (UTC)", "suite", "machines", "state", "rows", "label"]
    rows = [_cells(run, width) for run in record.runs]
    table, _ = fitting(headings, rows, 5, width, [(3,), (1,), (2,)])
    lines = "\n".join(line.rstrip() for line in table.splitlines())
    damaged = [run for run in record.runs if run.damage]
    said = [wrapped(f"{run.name}: {run.damage}", text_width(width)) for run in damaged[:MOST_TOLD]]
    if len(damaged) > MOST_TOLD:
        said.append(f"and {len(damaged) - MOST_TOLD:,} more damaged runs: ./inv runs --json has the reasons")
    return "\n\n".join(filter(None, [lines, "\n".join(said)]))


def _cells(run: RunRecord, width: int | None) -> list[str]:
    state = _WORDS.get(run.state, run.state)
    what = [state, *(["A/B session"] if run.kind == "session" else []), *(["imported"] if run.imported else [])]
    rows = str(run.rows) if run.rows == run.rows_planned else f"{run.rows} of {run.rows_planned}"
    return [
        one_line(run.name),
        run.started_at[:16].replace("T", " ") or NOTHING,
        run.suite or NOTHING,
        short(", ".join(run.machines), 40) or NOTHING,
        ", ".join(what),
        NOTHING if run.state == "damaged" else rows,
        short(run.label, LABEL_WIDTH) if width else run.label,
    ]
