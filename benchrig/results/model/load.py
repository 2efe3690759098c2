"""Records of the load: the load generator's counts and latencies, and what its process used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchrig.results.model.replies import RouteReplies


@dataclass(frozen=True)
class Latency:
    """Latency of the replies in microseconds."""

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
    """What the load generator prints: after its own corrections, if it makes any."""
    replies_checked: int
    replies_wrong: int
    """Replies whose status or body was not the expected one."""
    wrong_example: str = ""
    """Status and beginning of the body of one of them."""
    pauses: bool = False
    """The connections idled on purpose: the user's script has a `delay`."""
    depth: int | None = None
    """How many requests a connection sent before it waited for replies, by the first that it sent; None: not known."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """How many replies had each status; empty when it was not counted."""
    sent: Mapping[str, int] = field(default_factory=dict)
    """How many requests of each route were made; empty when a row has one route, or its script makes the requests."""
    replies: tuple[RouteReplies, ...] = ()
    """The right replies, by the routes that they fit."""

    measured: Latency | None = None
    """Latency of the replies as it was measured; None where the generator does not tell."""
    histogram: str = ""
    """The measured latencies, as `results/histogram.py` encodes them; empty where the generator does not tell."""
    thread_requests: tuple[int, ...] = ()
    """Replies that each thread of the generator got."""
    thread_requests_per_second: float | None = None
    """Mean of the throughput of one thread, sampled each 0.1 s where it got replies."""
    silent_us: int | None = None
    """Time from the last tenth of a second with a reply to the end."""

    @property
    def corrected(self) -> Latency | None:
        """Latency as the load generator prints it; None of pipelined requests, where its correction adds impossible ones."""
        return None if (self.depth or 1) > 1 else self.latency

    @property
    def requests_per_second(self) -> float:
        """Throughput over the generator's own duration."""
        return self.requests / (self.duration_us / 1e6) if self.duration_us else 0.0

    @property
    def stall_factor(self) -> float | None:
        """Throughput while replies came over throughput of the whole time; 1 of a steady load, None where not known.

        It means something from some 50 requests/s of each thread on.
        """
        if not (self.thread_requests and self.thread_requests_per_second and self.requests_per_second):
            return None
        return len(self.thread_requests) * self.thread_requests_per_second / self.requests_per_second


@dataclass(frozen=True)
class LoadThread:
    """A thread of the load generator in some `seconds` of the load: how long it ran, and how long it waited for a CPU."""

    seconds: float
    cpu_seconds: float
    """Without the time of interrupts, and what a hypervisor took, where the kernel counts these apart."""
    wait_seconds: float
    sleeps: int
    """How often it had nothing to do."""


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
    threads: tuple[LoadThread, ...] = ()
    """Those that wanted most of the CPU, at most 64, the most first; none where it is not known."""
