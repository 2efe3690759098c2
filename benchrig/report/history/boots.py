"""The boot-to-boot spread of a row, as A/A sessions of `./inv ab` of like conditions have found it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from benchrig.errors import InputError
from benchrig.report.history import entry
from benchrig.report.history.like import unlike
from benchrig.report.table import Row, make
from benchrig.results import sessions
from benchrig.results.model import Run
from benchrig.results.model.session import Session
from benchrig.results.sessions import Known
from benchrig.statistics.boots import Spread


def known_spreads(reports: Path, run: Run, row: Row) -> Mapping[str, Known]:
    """Return the boot-to-boot spreads of a run's row by metric, each from the newest A/A session that knows it.

    It must be of the same suite and row, under conditions like those of a series of the history: load, settings, machines.
    """
    # What a run does not say of its machines is no reason to take another machine's spread.
    here = entry.conditions(row, run) if run.machines and row.figures else {}
    known: dict[str, Known] = {}
    for folder in reversed(sessions.folders(reports)) if here else ():
        with suppress(InputError):
            session = sessions.read(folder)
            same_row = (session.a.suite, session.a.row) == (run.suite, row.name)
            if same_row and session.tells_boots and _is_like(here, folder, session):
                for one in session.spreads:
                    spread = Spread(one.within, one.between, one.boots, one.means)
                    if spread.is_known:
                        known.setdefault(one.metric, Known(folder.name, spread))
    return known


def _is_like(here: Mapping[str, str], folder: Path, session: Session) -> bool:
    """Return whether a session was measured under like conditions, by its first measurement."""
    turns = ((boot, *turn) for boot in range(1, session.boots + 1) for turn in sessions.turns(session, boot))
    found = (sessions.measurement(folder, *turn) for turn in turns)
    first = next((one for one in found if one and one.cell.status == "measured"), None)
    if first is None or not first.run.machines:
        return False
    table = make(first.run, [first.cell])
    return table.run is not None and unlike(here, entry.conditions(table.rows[0], table.run)) is None
