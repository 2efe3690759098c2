"""What a row measured over its repeats: medians, and for throughput how far they spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from benchrig.report.published import PublishedRow
from benchrig.results.model import Cell, LoadErrors
from benchrig.results.wrk_output import Printed

ENOUGH_REPEATS = 6
"""From so many repeats on, a median has a confidence interval of 95 %."""

_KINDS = tuple(kind.name for kind in fields(LoadErrors))


@dataclass(frozen=True)
class Spread:
    """A figure over the repeats of a row."""

    median: float
    low: float
    high: float
    interval: tuple[float, float] | None
    """95 % confidence interval of the median; None below ENOUGH_REPEATS."""


@dataclass(frozen=True)
class Figures:
    """What a row measured: medians over its repeats. A latency is None when no reply was timed.

    Of published figures there are only those that the document gives: the others are None.
    """

    requests: int | None
    requests_per_second: Spread
    latency_mean_ms: float | None
    latency_max_ms: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    errors: LoadErrors
    server_cpu_percent: float | None
    """100 is one core fully used. None when nothing was sampled."""
    server_memory_peak_bytes: float | None
    listen_overflows: int | None = None
    """Connections that the kernel dropped because the server's listen backlog was full."""
    stored: int | None = None
    """Rows that the load added to the database; None where the traffic stores nothing."""
    sessions: int | None = None
    """Sessions that the app opened at the database during the load."""
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    """How latencies and the server's CPU spread over the repeats, by their names here; published figures have none."""

    @property
    def errors_told(self) -> bool:
        """Errors were counted; a document that gives no count of requests and no errors only does not tell them."""
        return self.requests is not None or self.errors.total > 0


def figures_of(cells: Sequence[Cell]) -> Figures:
    """Return the medians over the measured repeats of one row; there must be at least one."""
    loads = [cell.load for cell in cells if cell.load]
    servers = [cell.server for cell in cells if cell.server]
    databases = [cell.database for cell in cells if cell.database]
    timed = [load.latency for load in loads if load.latency.max_us > 0]
    over_repeats = {
        "latency_mean_ms": [latency.mean_us / 1000 for latency in timed],
        "latency_max_ms": [latency.max_us / 1000 for latency in timed],
        "latency_p50_ms": [latency.percentiles_us["50"] / 1000 for latency in timed],
        "latency_p99_ms": [latency.percentiles_us["99"] / 1000 for latency in timed],
        "server_cpu_percent": [server.cpu_percent for server in servers],
    }
    return Figures(
        requests=_count(load.requests for load in loads),
        requests_per_second=spread([load.requests_per_second for load in loads]),
        latency_mean_ms=_median(over_repeats["latency_mean_ms"]),
        latency_max_ms=_median(over_repeats["latency_max_ms"]),
        latency_p50_ms=_median(over_repeats["latency_p50_ms"]),
        latency_p99_ms=_median(over_repeats["latency_p99_ms"]),
        errors=LoadErrors(**{kind: _count(getattr(load.errors, kind) for load in loads) or 0 for kind in _KINDS}),
        server_cpu_percent=_median(over_repeats["server_cpu_percent"]),
        server_memory_peak_bytes=_median(server.memory_peak_bytes for server in servers),
        listen_overflows=_count(server.listen_overflows for server in servers),
        stored=_count(database.stored for database in databases if database.stored is not None),
        sessions=_count(database.sessions for database in databases),
        spreads={name: spread(values) for name, values in over_repeats.items() if values},
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


def printed(row: PublishedRow, text: Printed | None) -> Figures:
    """Return a published row's figures: those of the document's table, and from the raw text what only that has.

    A published figure is a single point: it has no interval.
    """
    percentiles = text.percentiles_us if text else {}
    throughput = row.requests_per_second
    return Figures(
        requests=row.requests,
        requests_per_second=Spread(throughput, throughput, throughput, None),
        latency_mean_ms=row.latency_mean_ms,
        latency_max_ms=row.latency_max_ms,
        latency_p50_ms=percentiles["50"] / 1000 if "50" in percentiles else None,
        latency_p99_ms=percentiles["99"] / 1000 if "99" in percentiles else None,
        errors=text.errors if text else LoadErrors(timeout=row.timeouts),
        server_cpu_percent=None,
        server_memory_peak_bytes=None,
    )


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def _count(values: Iterable[int]) -> int | None:
    """Return the median as one of the counts: the lower of the middle two where their number is even."""
    found = list(values)
    return statistics.median_low(found) if found else None
