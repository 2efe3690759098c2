"""Records of the load: the load generator's counts and latencies, and what its process used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchrig.results.model.replies import RouteReplies


@dataclass(frozen=True)
class Latency:
    """Latency of the replies in microseconds, after the load generator's own corrections, if it makes any."""

    mean_us: float
    stdev_us: float
    min_us: float
    max_us: float
    percentiles_us: Mapping[str, float]
    """Keyed by percentile as text: "50", "75", "90", "99", "99.9"."""


@dataclass(frozen=True)
class LoadErrors:
    """The load generator's errors by kind. Replies slower than its timeout are in `timeout`, and may be requests too."""

    connect: int = 0
    read: int = 0
    write: int = 0
    timeout: int = 0
    status: int = 0

    @property
    def total(self) -> int:
        """All errors together."""
        return self.connect + self.read + self.write + self.timeout + self.status


@dataclass(frozen=True)
class Load:
    """The load generator's counts and latencies of one cell."""

    requests: int
    duration_us: int
    bytes: int
    errors: LoadErrors
    latency: Latency
    replies_checked: int
    replies_wrong: int
    """Replies whose status or body was not the expected one."""
    wrong_example: str = ""
    """Status and beginning of the body of one of them."""
    pauses: bool = False
    """The connections idled on purpose: the user's script has a `delay`."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """How many replies had each status; empty when it was not counted."""
    sent: Mapping[str, int] = field(default_factory=dict)
    """How many requests of each route were made; empty when a row has one route, or its script makes the requests."""
    replies: tuple[RouteReplies, ...] = ()
    """The right replies, by the routes that they fit."""

    @property
    def requests_per_second(self) -> float:
        """Throughput over the generator's own duration."""
        return self.requests / (self.duration_us / 1e6) if self.duration_us else 0.0


@dataclass(frozen=True)
class Generator:
    """The load generator's process: its command, its exit, and what it used."""

    command: tuple[str, ...]
    exit_code: int
    wall_seconds: float
    cpu_seconds: float
    open_files: int = 0
    """Limit of open file descriptors of its process."""
    version: str = ""
