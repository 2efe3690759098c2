"""The warnings about a measured cell, by all detectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchrig.results.audit import (
    answers,
    connections,
    database,
    environment,
    generator,
    latency,
    little,
    machines,
    steadiness,
)
from benchrig.results.audit.detector import Detector
from benchrig.results.audit.explained import without_explained
from benchrig.results.audit.figures import load_warnings
from benchrig.results.audit.measured import Measured
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Warning


def _figures(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.load:
        # The slowest reply is the same in all of them.
        latency = cell.load.measured or cell.load.corrected
        uncorrected = cell.load.measured
        p99 = uncorrected.percentiles_us.get("99") if uncorrected else None
        yield from load_warnings(
            Measured(
                connections=cell.connections,
                requests=cell.load.requests,
                requests_per_second=cell.load.requests_per_second,
                latency_mean_ms=latency.mean_us / 1e3 if latency else 0.0,
                latency_max_ms=cell.load.latency.max_us / 1e3,
                timeout_seconds=cell.timeout_seconds,
                # The script compares each reply with what is expected of it, which may be a status of 400 or more.
                errors=replace(cell.load.errors, status=0),
                sleep_seconds=cell.sleep_seconds,
                duration_seconds=cell.load.duration_us / 1e6,
                always_busy=False,  # little.py knows more of our own rows than a text tells
                host=cell.host,
                threads=cell.threads,
                latency_stdev_ms=latency.stdev_us / 1e3 if latency else None,
                latency_min_ms=latency.min_us / 1e3 if latency else None,
                percentiles_ms={name: us / 1e3 for name, us in latency.percentiles_us.items()} if latency else {},
                asked_seconds=(cell.duration_seconds, cell.duration_seconds),
                latency_as_measured_p99_ms=None if p99 is None else p99 / 1e3,
            )
        )


DETECTORS: tuple[Detector, ...] = (
    _figures,
    *latency.DETECTORS,
    *answers.DETECTORS,
    *little.DETECTORS,
    *connections.DETECTORS,
    *generator.DETECTORS,
    *machines.DETECTORS,
    *environment.DETECTORS,
    *database.DETECTORS,
    *steadiness.DETECTORS,
)
"""All detectors, in the order of their warnings in a report."""


def warnings(cell: Cell, run: Run) -> tuple[Warning, ...]:
    """Return the warnings about a measured cell of a run; none about a cell that was not measured."""
    if cell.load is None:
        return ()
    return without_explained([warning for detect in DETECTORS for warning in detect(cell, run)])
