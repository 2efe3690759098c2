"""Growth of an app's memory under load: a leak, judged from what the sampler read now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchrig.statistics import trend

READ_SECONDS = 0.5
"""Between two readings of memory, or little less. In between, a series has the last one again."""

LEAST_READINGS = 8
"""Of fewer, nothing is said."""

MOST_READINGS = 40

SIGNIFICANT = 0.001
"""Greatest p-value of a trend: one false alarm in a thousand rows."""

LEAST_GROWTH = 0.05
"""Share of the memory that it must grow by in the steady part."""

LEAST_GROWTH_BYTES = 4 << 20

QUARTER_GROWTH = 0.15
"""Share of the growth that each quarter of the time must have: memory that is filled once grows at the start only."""

Reading = tuple[float, int]
"""When memory was read, in seconds since the load began, and how many bytes it was."""


@dataclass(frozen=True)
class Growth:
    """Memory that grew all the way."""

    bytes_per_second: float
    bytes_per_million_requests: float


def readings(held: Sequence[Reading], start: float) -> list[Reading]:
    """Return the readings after `start` among the ends and values of intervals, most of which repeat a reading."""
    if not held:
        return []
    interval = held[-1][0] / len(held)
    found = [held[0]]
    for at, size in held[1:]:
        # Where the value stays, it was read again in the interval after READ_SECONDS.
        if size != found[-1][1] or at - found[-1][0] >= READ_SECONDS + interval / 2:
            found.append((at, size))
    found = [one for one in found if one[0] > start]
    return found[:: max(1, len(found) // MOST_READINGS)]


def growth(found: Sequence[Reading], requests_per_second: float) -> Growth | None:
    """Return how fast memory grew, if it did so in each quarter of the time, and by Mann and Kendall's test."""
    if len(found) < LEAST_READINGS or not found[0][1]:
        return None
    sizes = [size for _, size in found]
    seconds = found[-1][0] - found[0][0]
    ends = [_at(found, found[0][0] + seconds * i / 4) for i in range(5)]
    grown = sizes[-1] - sizes[0]
    least = min(later - one for one, later in pairwise(ends))
    if grown < max(LEAST_GROWTH * sizes[0], LEAST_GROWTH_BYTES) or least < QUARTER_GROWTH * grown:
        return None
    if trend.mann_kendall(sizes) >= SIGNIFICANT:
        return None
    per_second = trend.sen_slope(sizes) * (len(sizes) - 1) / seconds
    return Growth(per_second, 1e6 * per_second / requests_per_second if requests_per_second else 0.0)


def _at(found: Sequence[Reading], time: float) -> float:
    """Return the memory at a time within the readings, on the line between the two beside it."""
    for (start, before), (end, after) in pairwise(found):
        if time <= end:
            return before + (after - before) * (time - start) / (end - start)
    return found[-1][1]
