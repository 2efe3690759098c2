"""Warnings about what the load left in the database."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Warning, number


def _stored(cell: Cell, _: Run) -> Iterator[Warning]:
    # Requests that were under way when the load ended may be stored and not counted as answered, so more rows are right.
    stored = cell.database.stored if cell.database else None
    requests = cell.load.requests if cell.load else 0
    if stored is not None and stored < requests:
        yield Warning(Code.NOT_STORED, cell.host, {"stored": number(stored), "requests": number(requests)}, invalid=True)


DETECTORS: tuple[Detector, ...] = (_stored,)
