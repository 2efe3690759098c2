"""Records of the machines under load: the server, the database, and the machines beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

LONGEST_SERIES_SECONDS = 1e7
"""A series that says to be longer is wrong: this is 100 days."""

SHORTEST_INTERVAL_SECONDS = 5e-5
"""Ends are rounded to 0.1 ms: two of them are the same, or this far apart at least."""

LARGEST_COUNT = 2**53
"""Counts up to here are exact as floating-point numbers."""


@dataclass(frozen=True)
class DatabaseLoad:
    """What PostgreSQL has counted between the warm-up's end and the end of the app's last session.

    Of sessions that outlive the warm-up, up to the last second of its transactions is in it: PostgreSQL tells them late.
    """

    stored: int | None
    """Rows that were added to the table in which each good reply stores one; None when there is no such table."""
    sessions: int
    """Sessions that were begun."""
    commits: int
    rollbacks: int
    cpu_seconds: float = 0.0
    """CPU time of all processes of PostgreSQL."""
    on_server: bool = True
    """It ran on the app's own machine."""


@dataclass(frozen=True)
class Throttle:
    """How often, and for how many seconds of CPU time, the kernel held up a control group that had used up its quota."""

    periods: int
    seconds: float


@dataclass(frozen=True)
class CpuShares:
    """What the CPUs of a machine did for some `seconds`, in percent of all cores together: 0 to 100."""

    seconds: float
    idle_percent: float
    steal_percent: float
    interrupt_percent: float
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the time a program waited for `cpu`, `memory` or `io`; empty: not known."""
    throttled: Mapping[str, Throttle] = field(default_factory=dict)
    """The control groups of our programs that were held up, by name."""


@dataclass(frozen=True)
class Series:
    """What the sampler read while the load ran: lists of the same length, with one entry for each interval.

    The first interval begins with the load, the last ends after it. Empty where no series was kept.
    """

    end_seconds: tuple[float, ...] = ()
    """When each interval ended, in seconds since the first began."""
    segments: tuple[int, ...] = ()
    """TCP segments with new data that the machine sent in it: replies, and requests if the load generator ran there."""
    opened: tuple[int, ...] = ()
    """Connections that were opened to the machine in it."""
    app_cpu_seconds: tuple[float, ...] = ()
    """CPU time that the app's processes used in it."""
    memory_bytes: tuple[int, ...] = ()
    """Resident memory of the app's processes at its end."""

    @property
    def is_sound(self) -> bool:
        """Say whether a machine can have had such a course: a host may send anything, and a stored file may be damaged."""
        ends = (0.0, *self.end_seconds)
        counts = (self.segments, self.opened, self.memory_bytes)
        return (
            all(len(values) == len(self.end_seconds) for values in (*counts, self.app_cpu_seconds))
            and all(later == one or later - one >= SHORTEST_INTERVAL_SECONDS for one, later in pairwise(ends))
            and ends[-1] <= LONGEST_SERIES_SECONDS
            and all(0 <= value <= LARGEST_COUNT for values in counts for value in values)
        )


@dataclass(frozen=True)
class ServerLoad:
    """What the sampler saw on the server while the load ran. CPU percent: 100 is one core fully used."""

    seconds: float
    cpu_percent: float
    memory_peak_bytes: int
    """Resident memory of all processes together; a page that two of them share counts twice."""
    processes: int
    load_average: float
    """Of the last minute, as the kernel computes it."""
    machine_idle_percent: float
    """Of all cores together: 0 to 100."""
    machine_steal_percent: float
    machine_interrupt_percent: float
    """Interrupts, most of them the network's; a kernel may count their time to the process that they interrupt, too."""
    listen_overflows: int
    listen_drops: int
    retransmits: int
    time_wait_peak: int
    samples: int
    sampler_cpu_seconds: float
    series: Series = Series()
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the time a program waited for `cpu`, `memory` or `io`; empty: not known."""
    throttled: Mapping[str, Throttle] = field(default_factory=dict)
    """The control groups of app and load generator that were held up, by name."""


@dataclass(frozen=True)
class MachineLoad:
    """What the CPUs of a machine beside the server did while the load ran."""

    host: str
    generator: bool
    """The load generator ran on it."""
    database: bool
    """The database ran on it."""
    cpu: CpuShares
