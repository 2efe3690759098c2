"""Cells for tests of warnings: a sound one, ones with a single fault, and the warnings that are found."""

from __future__ import annotations

from dataclasses import replace

from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Load, Run
from benchrig.results.warnings import Warning
from tests.support.reports import SERVER, a_cell, a_latency, a_load, a_run


def a_sound_cell(**changes: object) -> Cell:
    cell = a_cell(load=slow(a_load(50_000), mean_ms=200.0), server=SERVER)
    return replace(cell, **changes)


def slow(load: Load, mean_ms: float, max_ms: float = 300.0) -> Load:
    latency = a_latency(mean_ms, max_ms)
    return replace(load, latency=latency, measured=latency)


def stalling(factor: float, requests: int = 50_000, median_ms: float = 50.0, **changes: object) -> Cell:
    load = slow(a_load(requests), mean_ms=1e4 / requests * 1e3)
    assert load.measured is not None
    measured = replace(load.measured, percentiles_us={**load.measured.percentiles_us, "50": 1e3 * median_ms})
    each = (requests // 4,) * 4
    load = replace(load, measured=measured, thread_requests=each, thread_requests_per_second=factor * requests / 5 / 4)
    return a_sound_cell(load=replace(load, **changes))


RUN = a_run()


def found(cell: Cell, run: Run = RUN) -> dict[Code, Warning]:
    return {warning.code: warning for warning in audit.warnings(cell, run)}
