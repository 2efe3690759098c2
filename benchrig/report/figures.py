"""What a row measured over its repeats: medians, and for throughput how far they spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from benchrig.results.model import Cell, LoadErrors

_KINDS = tuple(kind.name for kind in fields(LoadErrors))


@dataclass(frozen=True)
class Spread:
    """A figure over the repeats of a row."""

    median: float
    low: float
    high: float
    interval: tuple[float, float] | None
    """95 % confidence interval of the median; None below six repeats."""


@dataclass(frozen=True)
class Figures:
    """What a row measured: medians over its repeats. A latency is None when no reply was timed."""

    requests: int
    requests_per_second: Spread
    latency_mean_ms: float | None
    latency_max_ms: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    errors: LoadErrors
    server_cpu_percent: float | None
    """100 is one core fully used. None when nothing was sampled."""
    server_memory_peak_bytes: float | None


def figures_of(cells: Sequence[Cell]) -> Figures:
    """Return the medians over the measured repeats of one row; there must be at least one."""
    loads = [cell.load for cell in cells if cell.load]
    servers = [cell.server for cell in cells if cell.server]
    timed = [load.latency for load in loads if load.latency.max_us > 0]
    return Figures(
        requests=_count(load.requests for load in loads),
        requests_per_second=spread([load.requests_per_second for load in loads]),
        latency_mean_ms=_median(latency.mean_us / 1000 for latency in timed),
        latency_max_ms=_median(latency.max_us / 1000 for latency in timed),
        latency_p50_ms=_median(latency.percentiles_us["50"] / 1000 for latency in timed),
        latency_p99_ms=_median(latency.percentiles_us["99"] / 1000 for latency in timed),
        errors=LoadErrors(**{kind: _count(getattr(load.errors, kind) for load in loads) for kind in _KINDS}),
        server_cpu_percent=_median(server.cpu_percent for server in servers),
        server_memory_peak_bytes=_median(server.memory_peak_bytes for server in servers),
    )


def spread(values: Sequence[float]) -> Spread:
    """Return the median of at least one value, with its range and its confidence interval.

    The interval asks nothing of the distribution. Of n ordered values the k-th from below and the k-th from above
    enclose the median with probability 1 - 2 * sum(C(n, i) for i < k) / 2**n (David and Nagaraja, Order Statistics,
    3rd ed., section 7.1); k is the largest for which that is at least 0.95, which needs n >= 6.
    """
    ordered = sorted(values)
    n = len(ordered)
    k = 0
    while 1 - 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n >= 0.95:
        k += 1
    interval = (ordered[k - 1], ordered[n - k]) if k else None
    return Spread(statistics.median(ordered), ordered[0], ordered[-1], interval)


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def _count(values: Iterable[int]) -> int:
    """Return the median as one of the counts: the lower of the middle two where their number is even."""
    return statistics.median_low(values)
