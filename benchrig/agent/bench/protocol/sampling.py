"""Operations of the sampler, which watches the server under load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .machine import Throttle
from .operation import Operation


@dataclass(frozen=True)
class Sent:
    """The kernel's counts since it started: TCP segments with new data that the machine sent, connections opened to it."""

    segments: int
    opened: int


@dataclass(frozen=True)
class CountSent(Operation[Sent]):
    """Read what the machine has sent."""


@dataclass(frozen=True)
class StartSampling(Operation[Sent]):
    """Start the sampler of an app's processes, the machine and the kernel's counters; return what was sent before."""

    unit: str


@dataclass(frozen=True)
class News:
    """What the sampler has counted since it started. The agent tells it each second of a load, without being asked."""

    seconds: float
    """Since the load began, by the first connection that was opened; 0 before it."""
    segments: int
    """TCP segments with new data that the machine sent since then."""
    opened: int
    listen_overflows: int
    retransmits: int
    idle_percent: float
    """Of all cores together, 0 to 100, since the sampler started."""
    steal_percent: float


MOST_SAMPLES = 640
"""Entries of a series: 64 s in intervals of 0.1 s. Of a longer load, two are made one as often as needed."""


@dataclass(frozen=True)
class Series:
    """What the sampler read while the load ran: lists of the same length, with one entry for each interval.

    The first interval begins with the last reading before a connection was opened, at most 0.02 s before it.
    """

    end_seconds: tuple[float, ...] = ()
    """When each interval ended, in seconds since the first began."""
    segments: tuple[int, ...] = ()
    """TCP segments with new data that the machine sent in it: replies, and requests if the load generator runs there."""
    opened: tuple[int, ...] = ()
    """Connections that the machine's servers were asked for in it and that were established."""
    app_cpu_seconds: tuple[float, ...] = ()
    """CPU time that the app's processes used in it."""
    memory_bytes: tuple[int, ...] = ()
    """Resident memory of the app's processes at its end."""


@dataclass(frozen=True)
class ServerLoad:
    """The sampler's measurements on the server under load. CPU percent: 100 is one core fully used."""

    seconds: float
    cpu_percent: float
    memory_peak_bytes: int
    """Resident memory of all processes together; a page that two of them share counts twice."""
    processes: int
    load_average: float
    machine_idle_percent: float
    """Of all cores together: 0 to 100."""
    machine_steal_percent: float
    machine_interrupt_percent: float
    """Interrupts, most of it the network's own work; a kernel may count it to the process it interrupts, too."""
    listen_overflows: int
    listen_drops: int
    retransmits: int
    time_wait_peak: int
    samples: int
    sampler_cpu_seconds: float
    ended: int = 0
    """How many of the processes that were there at the start have ended, and of them those that others replaced."""
    replaced: int = 0
    oom_kills: int = 0
    """How many processes the kernel's OOM killer ended."""
    oom_on_machine: bool = False
    """They may be others than the app's: its control group is gone, so all that are counted above it count."""
    memory_limit_bytes: int = 0
    series: Series = Series()
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the time a program waited for `cpu`, `memory` or `io`."""
    throttled: Mapping[str, Throttle] = field(default_factory=dict)
    """The control groups of app and load generator that were held up, by name."""


@dataclass(frozen=True)
class StopSampling(Operation[ServerLoad]):
    """Stop the sampler, and return what it measured."""
