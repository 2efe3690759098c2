"""Runs with chosen repeats, for tests of comparisons: shares of a value stand for what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchrig.report import Report, compare
from benchrig.report.compare import Change
from benchrig.report.table import make
from benchrig.results.model import Cell, Latency, Load
from tests.support.reports import SERVER, a_cell, a_load, a_run

REQUESTS = 96_000
"""Of a repeat whose share is 1."""

SPREAD = (0.985, 1.01, 0.99, 1.02, 1.0, 0.995)
"""Six repeats, 1.3 % of which is noise."""

OTHER_SPREAD = (1.015, 0.992, 1.003, 0.983, 1.008, 0.998)
"""Six others of the same system."""


def times(factor: float, shares: Sequence[float] = OTHER_SPREAD) -> tuple[float, ...]:
    """Return the shares of a system that is so many times as fast."""
    return tuple(factor * share for share in shares)


def slower(load: Load, factor: float) -> Load:
    """Return a load whose latencies are so many times as long."""
    assert load.measured
    assert load.latency
    return replace(load, measured=_longer(load.measured, factor), latency=_longer(load.latency, factor))


def _longer(latency: Latency, factor: float) -> Latency:
    return Latency(
        mean_us=factor * latency.mean_us,
        stdev_us=factor * latency.stdev_us,
        min_us=factor * latency.min_us,
        max_us=factor * latency.max_us,
        percentiles_us={name: factor * value for name, value in latency.percentiles_us.items()},
    )


def cells(name: str, shares: Sequence[float], **changes: object) -> list[Cell]:
    """Return the repeats of a row, whose throughputs are these shares of 19,200 requests/s; latencies follow from them."""
    defaults: dict[str, object] = {"sleep_seconds": 0.0, **changes}
    loads = [slower(a_load(round(REQUESTS * share)), 1 / share) for share in shares]
    return [a_cell(name, repeat, load=load, **defaults) for repeat, load in enumerate(loads, 1)]


def run_of(rows: Mapping[str, Sequence[Cell]], name: str = "", **changes: object) -> Report:
    """Return the report of a run with these rows."""
    run = replace(a_run(*rows), **({"name": name} if name else {}), **changes)  # type: ignore[arg-type]
    return Report(make(run, [cell for repeats in rows.values() for cell in repeats]))


def measured(shares: Sequence[float], row: str = "go-2000", **changes: object) -> Report:
    """Return the report of a run of one row with these shares as repeats."""
    return run_of({row: cells(row, shares, **changes)})


def with_latency(shares: Sequence[float], **changes: object) -> Report:
    """Return the report of a row whose latencies are these shares of the usual ones."""
    defaults: dict[str, object] = {"sleep_seconds": 0.0, **changes}
    loads = [slower(a_load(), share) for share in shares]
    return run_of({"go-2000": [a_cell(repeat=n, load=load, **defaults) for n, load in enumerate(loads, 1)]})


def with_errors(*counts: int, **changes: object) -> Report:
    """Return the report of a row whose repeats had so many connections that broke."""
    defaults: dict[str, object] = {"sleep_seconds": 0.0, **changes}
    loads = [a_load(read=count) for count in counts]
    return run_of({"go-2000": [a_cell(repeat=n, load=load, **defaults) for n, load in enumerate(loads, 1)]})


def with_memory(*megabytes: float) -> Report:
    """Return the report of a row whose app had so much memory."""
    servers = [replace(SERVER, memory_peak_bytes=int(one * 1e6)) for one in megabytes]
    return run_of({"go-2000": [a_cell(repeat=n, server=server) for n, server in enumerate(servers, 1)]})


def change_of(a: Report, b: Report, metric: str = "requests_per_second", noise: float = 0.0) -> Change:
    """Return the change of a metric of the first row."""
    return next(one for one in compare([a, b], noise).changes if one.metric.name == metric)
