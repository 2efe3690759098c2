"""Repeats that show that a difference keeps a limit, where the systems do: what a gate advises."""

from __future__ import annotations

import math
from bisect import bisect_left

from benchrig.statistics import student
from benchrig.statistics.advice import MOST_REPEATS, POWER
from benchrig.statistics.estimate import Estimate
from benchrig.statistics.interval import CONFIDENCE


def repeats_within(worse: Estimate, repeats: int, limit: float, tests: int = 1) -> int | None:
    """Return with how many repeats of each of two systems the interval of their difference most likely keeps a limit.

    `worse` is by how much one is worse now, with `repeats` of each, and `limit` how much it may be: logarithms, both. The
    true difference is taken to be half of the one seen if that is worse, and none if it is better. In POWER of cases, all of
    so many tests keep their limit. None where more than MOST_REPEATS would be needed.
    """
    distance = limit - max(0.0, worse.value) / 2
    miss = (1 - POWER) / tests

    def is_enough(n: int) -> bool:
        df = worse.df * (n - 1) / (repeats - 1)
        errors = student.quantile((1 + CONFIDENCE) / 2, df) + student.quantile(1 - miss, df)
        return errors * worse.error * math.sqrt(repeats / n) <= distance

    if repeats >= MOST_REPEATS or not is_enough(MOST_REPEATS):
        return None
    return bisect_left(range(MOST_REPEATS), True, lo=repeats + 1, key=is_enough)
