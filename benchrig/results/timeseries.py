"""Known methods for a series of values: MSER-5 for a ramp, PELT's criterion for levels, how long noise lasts.

All of them take values at equal distances in time, and know nothing of what the values are.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BATCH = 5
"""Values in a batch of MSER-5."""

SHORTEST_LEVEL = 3
"""Values that a level has at least: fewer are an outlier."""

PENALTY = 15.0
"""Of a further level, times the logarithm of the number of values, as Barrett et al. have it."""

LEAST_NOISE = 0.01
"""Share of the median that is taken for noise, where the values have less."""

MOST_CORRELATED = 0.95
"""Greatest autocorrelation that is taken for one: from so few values, it is not known better."""

LEAST_CURVE = 1e-9
"""Greatest value of a curve that is none: rounding is left of those that few values have no room for."""


def variance_factor(residuals: Sequence[float]) -> float:
    """Return how many times larger the variance of a sum of noise is because neighbours are alike; 1 where they are not.

    For noise with the autocorrelation r at lag 1 that fades as powers of r, it is (1 + r) / (1 - r): G. V. Bayley and
    J. M. Hammersley, J. R. Stat. Soc. Suppl. 8 (1946). K. H. Hamed and A. R. Rao, "A modified Mann-Kendall trend test for
    autocorrelated data", J. Hydrology 204 (1998), correct the variance of that test so, from what detrended values show.
    """
    squares = sum(one * one for one in residuals)
    together = sum(one * later for one, later in pairwise(residuals))
    r = min(max(together / squares, 0.0), MOST_CORRELATED) if squares else 0.0
    return (1 + r) / (1 - r)


def residuals_of_curve(values: Sequence[float], degree: int) -> list[float]:
    """Return what the polynomial of such a degree that fits best leaves of values: noise, where a trend bends no more."""
    n = len(values)
    left = list(values)
    curves: list[list[float]] = []
    for power in range(degree + 1):
        curve = [(2 * i / (n - 1) - 1) ** power if n > 1 else 1.0 for i in range(n)]
        # By Gram and Schmidt: each curve without what it has of those before.
        for other in curves:
            curve = _without(curve, other)
        if max(map(abs, curve)) > LEAST_CURVE:
            curves.append(curve)
            left = _without(left, curve)
    return left


def _without(values: Sequence[float], curve: Sequence[float]) -> list[float]:
    share = sum(x * y for x, y in zip(curve, values, strict=True)) / sum(x * x for x in curve)
    return [y - share * x for x, y in zip(curve, values, strict=True)]


def mser5(values: Sequence[float]) -> int:
    """Return how many values at the start to leave out, so that the mean of the others is best known: a multiple of 5.

    MSER-5 takes the means of batches of five, and leaves out the d batches for which the standard error of the mean of the
    others is smallest; d is at most half of them. K. P. White, M. J. Cobb, S. C. Spratt, "A comparison of five steady-state
    truncation heuristics for simulation", Proc. Winter Simulation Conference (2000).
    """
    batches = [statistics.fmean(values[i : i + BATCH]) for i in range(0, len(values) - BATCH + 1, BATCH)]
    best, cut = math.inf, 0
    for d in range(len(batches) // 2 + 1):
        rest = batches[d:]
        error = _squares(rest) / len(rest) ** 2 if rest else math.inf
        if error < best:
            best, cut = error, BATCH * d
    return cut


@dataclass(frozen=True)
class Level:
    """A stretch of values with one mean."""

    start: int
    end: int
    """The place after its last value."""
    mean: float


def levels(values: Sequence[float], least_change: float) -> tuple[Level, ...]:
    """Return the levels of a series; two that follow each other differ by at least the share `least_change`.

    The levels are those for which the sum of squares around their means, in units of the noise, plus 15 log n for each
    change, is smallest: the criterion of PELT (R. Killick, P. Fearnhead, I. A. Eckley, JASA 107, 2012) with the penalty of
    E. Barrett et al., "Virtual machine warmup blows hot and cold" (OOPSLA 2017). The noise is taken from the differences of
    neighbours, which a change of level hardly moves. If values still follow the ones before them within the levels that are
    found so, the penalty is raised by as much as that raises the variance. Levels that differ by less are one, as the
    equivalent ones there are; so are those of which one or two values move the mean, as a pause does.
    """
    noise = _noise(values)
    if not noise:
        return ()
    found: list[Level] = []
    penalty = PENALTY * math.log(len(values)) * noise**2
    parts = _partition(values, penalty)
    left = [one for start, end in parts for one in _residuals(values[start:end])]
    # What is less than the noise is the rounding of sums.
    factor = variance_factor(left) if statistics.fmean(one * one for one in left) > noise**2 else 1.0
    for start, end in _partition(values, factor * penalty) if factor > 1 else parts:
        here = _level(values, start, end)
        while found and not _differ(values, found[-1], here, least_change):
            here = _level(values, found.pop().start, end)
        found.append(here)
    return tuple(found)


def _level(values: Sequence[float], start: int, end: int) -> Level:
    return Level(start, end, statistics.fmean(values[start:end]))


def _differ(values: Sequence[float], one: Level, other: Level, least_change: float) -> bool:
    """Say whether means and medians of two levels differ by a share, and not by one or two values of the shorter one."""
    short, long = sorted((one, other), key=lambda part: part.end - part.start)
    of_short, of_long = (values[part.start : part.end] for part in (short, long))
    median = statistics.median(of_long)
    for a, b in ((short.mean, long.mean), (statistics.median(of_short), median)):
        if abs(a - b) < least_change * max(a, b):
            return False
    return sum(abs(value - median) >= least_change / 2 * median for value in of_short) >= SHORTEST_LEVEL


def misfit(values: Sequence[float], parts: Sequence[Level]) -> float:
    """Return the sum of squares of values around the means of their levels."""
    return sum(_squares(values[part.start : part.end]) for part in parts)


def misfit_of_line(values: Sequence[float]) -> float:
    """Return the sum of squares of values around the straight line that fits them best. Needs two values."""
    slope, intercept = statistics.linear_regression(range(len(values)), values)
    return sum((value - intercept - slope * i) ** 2 for i, value in enumerate(values))


def _noise(values: Sequence[float]) -> float:
    """Return the standard deviation of the noise, from the median of the differences of neighbours; 0 of too few values."""
    if len(values) < 2 * SHORTEST_LEVEL:
        return 0.0
    steps = [abs(later - one) for one, later in pairwise(values)]
    return max(1.4826 * statistics.median(steps) / math.sqrt(2), LEAST_NOISE * statistics.median(values))


def _partition(values: Sequence[float], penalty: float) -> list[tuple[int, int]]:
    """Return the ends of the parts for which squares and penalties are least, by dynamic programming."""
    sums, squares = [0.0], [0.0]
    for value in values:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)
    best, starts = [-penalty], [0]
    for end in range(1, len(values) + 1):
        cost, start = math.inf, 0
        for first in range(max(0, end - SHORTEST_LEVEL) + 1 if end >= SHORTEST_LEVEL else 0):
            total = sums[end] - sums[first]
            here = best[first] + squares[end] - squares[first] - total * total / (end - first) + penalty
            if here < cost:
                cost, start = here, first
        best.append(cost)
        starts.append(start)
    parts, end = [], len(values)
    while end:
        parts.append((starts[end], end))
        end = starts[end]
    return parts[::-1]


def _residuals(values: Sequence[float]) -> list[float]:
    mean = statistics.fmean(values)
    return [value - mean for value in values]


def _squares(values: Sequence[float]) -> float:
    return sum(one * one for one in _residuals(values))
