"""The confidence interval of a median."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from benchrig.statistics import bounded, student

LEAST_REPEATS = 3
"""From so many repeats on, there is an interval."""

ENOUGH_REPEATS = 6
"""From so many on, it needs no assumption about the distribution."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval of a median."""

    low: float
    high: float
    assumed: bool = False
    """It holds if the logarithms of the values are normally distributed: from too few values, nothing else is known."""


def of_median(values: Sequence[float]) -> Interval | None:
    """Return the 95 % confidence interval of the median of repeats; None of fewer than LEAST_REPEATS."""
    if len(values) < LEAST_REPEATS:
        return None
    if len(values) < ENOUGH_REPEATS:
        return _by_student(values)
    return _by_order(sorted(values))


def _by_student(values: Sequence[float]) -> Interval:
    """Return Student's interval on logarithms; on the values themselves where one is 0."""
    logs = all(value > 0 for value in values)
    scaled = [math.log(value) for value in values] if logs else list(values)
    half = student.quantile((1 + CONFIDENCE) / 2, len(values) - 1) * statistics.stdev(scaled) / math.sqrt(len(values))
    middle = statistics.fmean(scaled)
    if logs:
        return Interval(bounded.exp(middle - half), bounded.exp(middle + half), assumed=True)
    # What cannot be below 0 in a repeat cannot be so in truth.
    low = middle - half if min(values) < 0 else max(0.0, middle - half)
    return Interval(low, middle + half, assumed=True)


def _by_order(ordered: Sequence[float]) -> Interval:
    """Return the interval of Hettmansperger and Sheather, between two order statistics each.

    T. P. Hettmansperger and S. J. Sheather, "Confidence intervals based on interpolated order statistics", Statistics &
    Probability Letters 4 (1986): equation (2.6).
    """
    k, share = _weights(len(ordered))
    low = (1 - share) * ordered[k - 1] + share * ordered[k]
    high = (1 - share) * ordered[-k] + share * ordered[-k - 1]
    return Interval(low, high)


@cache
def _weights(n: int) -> tuple[int, float]:
    """Return k and a share: the interval's ends lie by that share between the k-th value from each end and the next one."""
    # In whole numbers, each coefficient from the one before: several thousand repeats take milliseconds.
    coefficient, below, k = 1, 1, 1
    while True:
        coefficient = coefficient * (n - k + 1) // k
        if 1 - 2 * (below + coefficient) / 2**n < CONFIDENCE:
            break
        below += coefficient
        k += 1
    wide, narrow = 1 - 2 * below / 2**n, 1 - 2 * (below + coefficient) / 2**n
    at = (wide - CONFIDENCE) / (wide - narrow)
    return k, (n - k) * at / (k + (n - 2 * k) * at)
