"""Whether repeats are what their interval takes them for: drift, two states, autocorrelation, outliers.

All values are above 0, of one row, and in the order in which they were measured. Changes are shares: 0.05 is 5 %.
docs/statistics.md has how often each method is wrong, and what it finds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from benchrig.statistics import bounded, student, trend

SIGNIFICANT = 0.01
"""Of sound rows, about so many have each finding by chance."""

OUTLYING = 0.007
"""That of each step of the test for outliers: it has several."""

LEAST_CHANGE = 0.01
"""A smaller share is not told, however certain it is."""

LEAST_FOR_DRIFT = 6
LEAST_FOR_OUTLIERS = 6
LEAST_FOR_CORRELATION = 10
LEAST_FOR_STATES = 10
"""Of fewer repeats, nothing is said: chance alone would look the same."""

LEAST_STATE = 3
"""Repeats in a state at least, and a quarter of all of them: fewer are outliers."""

MOST_OUTLIERS = 10
"""Outliers of a row, and a fifth of its repeats."""

MOST_FOR_DRIFT = 200
"""Of more repeats, the means of neighbours are judged: the test looks at all pairs."""

LEAST_SEPARATION = 0.82
"""Share of the squares that two states explain at least: their means are more than four of their own deviations apart."""


@dataclass(frozen=True)
class States:
    """Two states between which a system changes."""

    low: float
    """Mean of the repeats in the lower one."""
    high: float
    in_low: int
    """How many repeats are in the lower one."""
    changes: tuple[int, ...]
    """After which repeats the state changed, counted from 1."""


@dataclass(frozen=True)
class Correlation:
    """Autocorrelation: repeats that are like the ones before them."""

    at_lag_1: float
    worth: float
    """As many independent repeats would say as much."""


@dataclass(frozen=True)
class Findings:
    """What repeats of a row have that their interval does not know of."""

    drift: float | None = None
    """Change from the first to the last."""
    states: States | None = None
    correlation: Correlation | None = None
    outliers: tuple[int, ...] = ()
    """The places of values far from the others, counted from 1."""


def judge(values: Sequence[float]) -> Findings:
    """Return what is wrong with repeats. Two states explain a drift and autocorrelation, and a drift autocorrelation."""
    if not values or min(values) <= 0:
        return Findings()
    if states := two_states(values):
        return Findings(states=states)
    change = drift(values)
    return Findings(change, None, correlation(values) if change is None else None, outliers(values))


def drift(values: Sequence[float]) -> float | None:
    """Return the change from the first to the last of repeats that have a trend; None of others.

    By Mann and Kendall's test for the trend, and Sen's slope for its size.
    """
    size = math.ceil(len(values) / MOST_FOR_DRIFT)
    means = [statistics.fmean(values[i : i + size]) for i in range(0, len(values) - size + 1, size)] if size > 1 else values
    if len(means) < LEAST_FOR_DRIFT or trend.mann_kendall(means) >= SIGNIFICANT:
        return None
    change = trend.sen_slope(means) * (len(means) - 1) / statistics.median(means)
    return change if abs(change) >= LEAST_CHANGE else None


def correlation(values: Sequence[float]) -> Correlation | None:
    """Return how much repeats are like the ones before them, if they are; None of others.

    By the ranks' version of von Neumann's ratio, which outliers do not move: R. Bartels, "The rank version of von Neumann's
    ratio test for randomness", JASA 77 (1982), with the normal approximation given there. Repeats that differ more from
    their neighbours than by chance make an interval too wide, and are not looked for.
    """
    n = len(values)
    if n < LEAST_FOR_CORRELATION:
        return None
    ranks = _ranks(values)
    squares = sum((rank - (n + 1) / 2) ** 2 for rank in ranks)
    if not squares:
        return None
    ratio = sum((one - later) ** 2 for one, later in pairwise(ranks)) / squares
    variance = 4 * (n - 2) * (5 * n * n - 2 * n - 9) / (5 * n * (n + 1) * (n - 1) ** 2)
    if statistics.NormalDist().cdf((ratio - 2) / math.sqrt(variance)) >= SIGNIFICANT:
        return None
    logs = [math.log(value) for value in values]
    mean = statistics.fmean(logs)
    around = [one - mean for one in logs]
    r = max(0.0, sum(one * later for one, later in pairwise(around)) / sum(one * one for one in around))
    # The variance of a mean of such values is larger by (1 + r) / (1 - r): G. V. Bayley and J. M. Hammersley (1946).
    return Correlation(r, n * (1 - r) / (1 + r)) if max(logs) - min(logs) >= LEAST_CHANGE else None


def two_states(values: Sequence[float]) -> States | None:
    """Return the two states that repeats are in; None where one is enough.

    By the split of the ordered logarithms that explains most of their squares, against what it explains of one normal
    distribution: L. Engelman and J. A. Hartigan, "Percentage points of a test for clusters", JASA 64 (1969). The limits are
    simulated for splits that leave each side LEAST_STATE values and a quarter of all.
    """
    n = len(values)
    if n < LEAST_FOR_STATES:
        return None
    ordered = sorted(math.log(value) for value in values)
    explained, at = best_split(ordered)
    low, high = (bounded.exp(statistics.fmean(side)) for side in (ordered[:at], ordered[at:]))
    if explained < _limit(n) or high / low - 1 < LEAST_CHANGE or ordered[at - 1] == ordered[at]:
        return None
    border = bounded.exp((ordered[at - 1] + ordered[at]) / 2)
    changes = (place for place, (one, later) in enumerate(pairwise(values), 1) if (one < border) != (later < border))
    return States(low, high, at, tuple(changes))


def outliers(values: Sequence[float]) -> tuple[int, ...]:
    """Return the places of outliers, counted from 1: a fifth of the values at most.

    By the generalised extreme Studentised deviate of the logarithms: B. Rosner, "Percentage points for a generalized ESD
    many-outlier procedure", Technometrics 25 (1983).
    """
    n = len(values)
    if n < LEAST_FOR_OUTLIERS:
        return ()
    left = {place: math.log(value) for place, value in enumerate(values, 1)}
    found: list[int] = []
    sure = 0
    for _ in range(min(MOST_OUTLIERS, n // 5)):
        deviation = statistics.stdev(left.values())
        if not deviation:
            break
        mean = statistics.fmean(left.values())
        place = max(left, key=lambda one: abs(left[one] - mean))
        found.append(place)
        if abs(left[place] - mean) / deviation > farthest(len(left), OUTLYING):
            sure = len(found)
        del left[place]
    median = statistics.median(values)
    return tuple(sorted(place for place in found[:sure] if abs(values[place - 1] / median - 1) >= LEAST_CHANGE))


def best_split(values: Sequence[float]) -> tuple[float, int]:
    """Return the share of the squares that two states explain at best, and how many values are in the lower one."""
    shares, n = _explained(sorted(values)), len(values)
    least = max(LEAST_STATE, math.ceil(n / 4))
    at = max(range(least, n - least + 1), key=lambda one: shares[one])
    return shares[at], at


def farthest(n: int, significant: float) -> float:
    """Return how many deviations the farthest of n normal values is from their mean, but for a share of cases."""
    t = student.quantile(1 - significant / (2 * n), n - 2)
    return (n - 1) * t / math.sqrt((n - 2 + t * t) * n)


def _explained(ordered: Sequence[float]) -> list[float]:
    """Return, for each place to split values at, the share of the squares around their mean that two means explain."""
    mean, n = statistics.fmean(ordered), len(ordered)
    around = [one - mean for one in ordered]
    total = sum(one * one for one in around)
    shares = []
    for at, sum_of_low in enumerate(accumulate(around, initial=0.0)):
        # The values around their mean add up to 0: the sums of the two sides are opposite.
        between = sum_of_low**2 * n / (at * (n - at)) if 0 < at < n else 0.0
        shares.append(between / total if total else 0.0)
    return shares


def _limit(n: int) -> float:
    """Return the share that the best split of n normal values explains, but for SIGNIFICANT of cases."""
    return max(LEAST_SEPARATION, 2 / math.pi + 0.87 / math.sqrt(n))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the place of each value in their order; equal ones have the mean of theirs."""
    ordered = sorted(values)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(ordered, 1):
        first.setdefault(value, place)
        last[value] = place
    return [(first[value] + last[value]) / 2 for value in values]
