"""The course of a load: the intervals of the sampler's series that lie within it, and its silent end."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.results.model import Cell, Series

SILENT = 0.5
"""Seconds of a silence that is never told: the load generator takes up to 0.2 s to end."""

ENOUGH_REPLIES = 20
"""With fewer, the slowest reply does not tell how long a connection may wait."""


@dataclass(frozen=True)
class Observed:
    """What a judgement rests on."""

    series: Series
    duration_seconds: float
    """Of the load, without a silent end."""
    requests: int
    connections: int
    both_ends: bool
    """The series has the load generator's segments too."""
    sleep_seconds: float = 0.0
    latency_seconds: float = 0.0
    """The median."""
    in_step: bool = False
    """Replies take about as long as each other, so that they come in waves: as far apart as one takes."""


@dataclass(frozen=True)
class Interval:
    """An interval that lies within the load."""

    start: float
    end: float
    segments: int
    opened: int
    memory_bytes: int

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def rate(self) -> float:
        return self.segments / self.seconds


def intervals(observed: Observed) -> list[Interval]:
    """Return the intervals that end before the load does: after it, connections are closed and nothing is asked."""
    series = observed.series
    ends = series.end_seconds
    rows = zip((0.0, *ends), ends, series.segments, series.opened, series.memory_bytes, strict=False)
    return [Interval(*row) for row in rows if row[0] < row[1] <= observed.duration_seconds]


def silent_seconds(cell: Cell) -> float:
    """Return for how long no reply came at a load's end, if that is SILENT and twice as long as any reply took; else 0."""
    load = cell.load
    if not (load and load.silent_us is not None and load.requests >= ENOUGH_REPLIES) or load.pauses:
        return 0.0
    slowest = max(load.latency.max_us / 1e6, cell.timeout_seconds if load.errors.timeout else 0.0)
    silent = load.silent_us / 1e6
    return silent if silent >= SILENT + 2 * slowest else 0.0
