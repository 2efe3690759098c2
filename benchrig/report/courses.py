"""The course of each repeat of a row: what the sampler read while the load ran, on one axis of time."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from benchrig.results.model import Cell, Series
from benchrig.results.model.server import LONGEST_SERIES_SECONDS


@dataclass(frozen=True)
class Course:
    """The series of one measured repeat, with what the load generator counted of the same load."""

    repeat: int
    series: Series
    requests: int
    duration_seconds: float


@dataclass(frozen=True)
class Curve:
    """What one repeat, or the median of several, did in each of the parts that its row's load is cut into.

    Lists of the same length. A repeat that ended earlier than others has shorter ones.
    """

    requests_per_second: tuple[float, ...]
    """About: the segments that the server sent, scaled so that all of them together are the load's requests."""
    cpu_percent: tuple[float, ...]
    """Of the app: 100 is one core fully used."""
    memory_bytes: tuple[float, ...]
    """Resident memory of the app at the end of the part."""


@dataclass(frozen=True)
class Curves:
    """The repeats of a row, and the median of them."""

    part_seconds: float
    """How long each part is."""
    repeats: tuple[Curve, ...]
    median: Curve
    """Of the repeats that are not short, as far as all of these go: later, only slow ones are left."""
    short: int
    """Repeats that ended before half of the longest one."""

    @property
    def parts(self) -> int:
        """How many parts the longest repeat has."""
        return max(len(one.memory_bytes) for one in self.repeats)

    @property
    def most_cpu_percent(self) -> float:
        """The most CPU time that any repeat used in a part: 100 is one core fully used."""
        return max(max(one.cpu_percent, default=0.0) for one in self.repeats)

    @property
    def most_memory_bytes(self) -> float:
        """The most memory that any repeat had at the end of a part."""
        return max(max(one.memory_bytes, default=0.0) for one in self.repeats)


def courses_of(cells: Iterable[Cell]) -> tuple[Course, ...]:
    """Return the courses of measured cells; those without a series are left out. They share the cells' series."""
    return tuple(
        Course(cell.repeat, cell.server.series, cell.load.requests, cell.load.duration_us / 1e6)
        for cell in cells
        if cell.load and cell.server and cell.server.series.end_seconds
    )


def usable(course: Course) -> bool:
    """Say whether a course can be drawn: a host may send anything, and a stored file may be damaged."""
    series = course.series
    cpu = all(0 <= used <= LONGEST_SERIES_SECONDS for used in series.app_cpu_seconds)
    return series.is_sound and cpu and course.duration_seconds > 0 and len(_ends(course)) > 1


def parts_of(course: Course) -> list[tuple[float, float, int]]:
    """Return when each interval within the load began and ended, in seconds, and how many segments were sent in it."""
    ends = _ends(course)
    return [
        (start, end, count)
        for start, end, count in zip((0.0, *ends), ends, course.series.segments, strict=False)
        if end > start
    ]


def curves_of(courses: Iterable[Course], most: int) -> Curves | None:
    """Return the curves of a row's usable courses, in `most` parts at most; None where there is no such course.

    No part is shorter than an interval of the sampler, where the intervals are about as long as each other.
    """
    kept = [course for course in courses if usable(course)]
    if not kept:
        return None
    longest = max(_ends(course)[-1] for course in kept)
    parts = min(most, *(round(longest * len(_ends(course)) / _ends(course)[-1]) for course in kept))
    seconds = longest / max(parts, 1)
    repeats = tuple(_curve(course, seconds) for course in kept)
    most = max(len(one.memory_bytes) for one in repeats)
    whole = [one for one in repeats if 2 * len(one.memory_bytes) >= most]
    return Curves(seconds, repeats, _median(whole), len(repeats) - len(whole))


def _ends(course: Course) -> Sequence[float]:
    """Return when the intervals end that lie within the load: after it, connections are closed and nothing is asked."""
    ends = course.series.end_seconds
    return ends[: bisect_right(ends, course.duration_seconds)]


def _curve(course: Course, seconds: float) -> Curve:
    series, ends = course.series, _ends(course)
    # The half of a last part, or more of it, is a part.
    edges = [min(seconds * i, ends[-1]) for i in range(int(ends[-1] / seconds + 0.5) + 1)]
    segments = _summed(ends, series.segments, edges)
    cpu = _summed(ends, series.app_cpu_seconds, edges)
    each = course.requests / sum(series.segments) if any(series.segments) else 0.0
    widths = [later - one for one, later in pairwise(edges)]
    return Curve(
        tuple(each * (later - one) / width for (one, later), width in zip(pairwise(segments), widths, strict=True)),
        tuple(100 * (later - one) / width for (one, later), width in zip(pairwise(cpu), widths, strict=True)),
        tuple(float(series.memory_bytes[min(bisect_right(ends, edge), len(ends)) - 1]) for edge in edges[1:]),
    )


def _summed(ends: Sequence[float], values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Return the sum of all values before each edge, as if each were spread evenly over its interval."""
    times, sums = (0.0, *ends), [0.0, *accumulate(values[: len(ends)])]
    found = []
    for edge in edges:
        after = min(bisect_right(times, edge), len(times) - 1)
        width = times[after] - times[after - 1]
        share = (edge - times[after - 1]) / width if width else 1.0
        found.append(sums[after - 1] + share * (sums[after] - sums[after - 1]))
    return found


def _median(repeats: Sequence[Curve]) -> Curve:
    return Curve(
        _medians([one.requests_per_second for one in repeats]),
        _medians([one.cpu_percent for one in repeats]),
        _medians([one.memory_bytes for one in repeats]),
    )


def _medians(lines: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return the median of each part that all repeats have."""
    return tuple(map(statistics.median, zip(*(line[: min(map(len, lines))] for line in lines), strict=True)))
