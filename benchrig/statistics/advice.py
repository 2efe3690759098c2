"""How many more repeats would settle what the repeats so far leave open, and what they exclude."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from benchrig.statistics import student
from benchrig.statistics.difference import SIGNIFICANT, standard_error

MOST_REPEATS = 200
"""More repeats of a row than this are not worth the time."""

POWER = 0.8
"""In so many cases, the advised repeats settle it."""


def repeats_for(a: Sequence[float], b: Sequence[float], difference: float) -> int | None:
    """Return with how many repeats of each a difference would be shown in POWER of cases; None with more than MOST_REPEATS.

    `difference` is the true one that is assumed, as a share: 0.03 is 3 %. The spread is that of the logarithms.
    """
    one, other = [math.log(value) for value in a], [math.log(value) for value in b]
    spread = math.sqrt(statistics.variance(one) + statistics.variance(other))
    step = abs(math.log1p(difference))
    if not step:
        return None
    for n in range(max(len(a), len(b), 3), MOST_REPEATS + 1):
        df = 2 * (n - 1)
        need = student.quantile(1 - SIGNIFICANT / 2, df) + student.quantile(POWER, df)
        if need * spread / math.sqrt(n) <= step:
            return n
    return None


def excluded(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the difference, as a share, that the repeats exclude: a larger one would have been seen. None where unknown."""
    if min(len(a), len(b)) < 3 or min(*a, *b) <= 0:
        return None
    one, other = [math.log(value) for value in a], [math.log(value) for value in b]
    error, df = standard_error(one, other)
    middle = abs(statistics.fmean(other) - statistics.fmean(one))
    return math.expm1(middle + student.quantile(1 - SIGNIFICANT / 2, df) * error) if error else math.expm1(middle)
