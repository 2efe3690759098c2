"""A test that needs no distribution, for values of which some are 0: counts of errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

EXACT = 20
"""Up to so many values of a side, and without equal ones, the distribution is counted out."""


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the p-value of the two-sided Mann–Whitney test: whether B's values tend to be higher or lower than A's.

    H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other",
    Annals of Mathematical Statistics 18 (1947). With equal values, the normal approximation with their correction is taken.
    """
    m, n = len(a), len(b)
    if not (m and n):
        return 1.0
    u = sum((y > x) + 0.5 * (y == x) for x in a for y in b)
    ties = [count for count in Counter([*a, *b]).values() if count > 1]
    if not ties and max(m, n) <= EXACT:
        least = int(min(u, m * n - u))
        return min(1.0, 2 * sum(_ways(m, n, i) for i in range(least + 1)) / math.comb(m + n, m))
    total = m + n
    variance = m * n / 12 * (total + 1 - sum(t**3 - t for t in ties) / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return math.erfc(max(0.0, abs(u - m * n / 2) - 0.5) / math.sqrt(2 * variance))


@cache
def _ways(m: int, n: int, u: int) -> int:
    """Return in how many orders of m and n values the statistic is u."""
    if u < 0 or u > m * n:
        return 0
    if m == 0 or n == 0:
        return int(u == 0)
    return _ways(m - 1, n, u - n) + _ways(m, n - 1, u)
