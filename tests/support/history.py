"""Folders of runs made up for tests of the history: each run has its number, commit and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchrig.results import store
from benchrig.results.model import Cell, Run
from tests.support.reports import a_cell, a_load, a_run


def stored(
    reports: Path, number: int, requests: float | Sequence[float], row: str = "flask-sync", **changes: object
) -> Path:
    """Store a complete run of one row, with a repeat for each count of requests in 5 s, and return its folder.

    `changes` are those of the run, and `cell` is those of its cells.
    """
    counts = [requests] if isinstance(requests, (int, float)) else list(requests)
    of_cell = dict(changes.pop("cell", {}))  # type: ignore[call-overload]
    # Without waiting in the handler, no row is at its ceiling.
    cells = [
        a_cell(row, repeat, **{"load": a_load(round(count)), "sleep_seconds": 0.0, **of_cell})
        for repeat, count in enumerate(counts, 1)
    ]
    settings = replace(a_run().settings, repeats=len(counts))
    run = replace(a_run(row), **{"number": number, "settings": settings, **changes})
    return written(reports, f"2025-run-{number:03}", run, cells)


def written(reports: Path, name: str, run: Run, cells: Sequence[Cell]) -> Path:
    """Store a run under a name, and return its folder."""
    folder = store.create(reports, run.suite, name)
    store.write_run(folder, replace(run, name=folder.name))
    for cell in cells:
        store.append(folder, cell)
    return folder
