"""The warnings about a measured cell, by all detectors."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit import database, generator, machines, steadiness
from benchrig.results.audit.detector import Detector
from benchrig.results.audit.figures import Measured, load_warnings
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Warning


def _figures(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.load:
        yield from load_warnings(
            Measured(
                connections=cell.connections,
                requests=cell.load.requests,
                requests_per_second=cell.load.requests_per_second,
                latency_mean_ms=cell.load.latency.mean_us / 1e3,
                latency_max_ms=cell.load.latency.max_us / 1e3,
                timeout_seconds=cell.timeout_seconds,
                errors=cell.load.errors,
                sleep_seconds=cell.sleep_seconds,
                duration_seconds=cell.duration_seconds,
                always_busy=not cell.load.pauses,
                host=cell.host,
            )
        )


DETECTORS: tuple[Detector, ...] = (
    _figures,
    *generator.DETECTORS,
    *machines.DETECTORS,
    *database.DETECTORS,
    *steadiness.DETECTORS,
)
"""All detectors, in the order of their warnings in a report."""


def warnings(cell: Cell, run: Run) -> tuple[Warning, ...]:
    """Return the warnings about a measured cell of a run; none about a cell that was not measured."""
    if cell.load is None:
        return ()
    return tuple(warning for detect in DETECTORS for warning in detect(cell, run))
