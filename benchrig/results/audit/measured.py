"""The values of a load that every result has: of our own rows, of published ones, and of pasted texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchrig.results.model import LoadErrors


@dataclass(frozen=True)
class Measured:
    """The values that every result has, a published one too. What is not known is None, or 0 where it says so."""

    connections: int
    """0 where it is not known."""
    requests: int
    requests_per_second: float
    latency_mean_ms: float
    """0 where it is not known, as the maximum."""
    latency_max_ms: float
    timeout_seconds: float | None
    errors: LoadErrors
    sleep_seconds: float = 0.0
    duration_seconds: float = 0.0
    """How long it ran. 0 where it is not known: judged as a short run."""
    always_busy: bool = True
    """A connection sends its next request as soon as it has its reply."""
    host: str = ""
    """The server; empty of published values."""
    pipeline: int | None = 1
    """Requests that a connection sends before it waits for a reply."""
    open_loop: bool = False
    """Requests were sent at a constant rate: Little's law does not apply, and late replies are not left out."""
    threads: int = 0
    """0 where it is not known."""
    threads_rate: float | None = None
    """Mean of the samples of a thread's throughput: each counts the same, and one without a reply does not."""
    asked_seconds: tuple[float, float] | None = None
    """Bounds of the duration that was asked for."""
    asked_rate: float | None = None
    """The constant rate that was asked for."""
    latency_stdev_ms: float | None = None
    latency_min_ms: float | None = None
    latency_as_measured_p99_ms: float | None = None
    """Without the latencies that a load generator's correction adds."""
    unrecorded: bool = False
    """The text has zeros in place of latencies."""
    percentiles_ms: Mapping[str, float] = field(default_factory=dict)
    """By the percentile as text, such as "99"; of the same histogram as mean and maximum."""
    bytes: float | None = None
    bytes_per_second: float | None = None
    rounded: bool = False
    """The values have the digits that the load generator prints."""
    missing: tuple[str, ...] = ()
    """What a text should have and has not."""
