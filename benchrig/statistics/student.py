"""Student's t distribution: its distribution function and quantiles.

By the regularised incomplete beta function as a continued fraction (NIST Digital Library of Mathematical Functions 8.17.22),
evaluated by the method of W. J. Lentz (1976). scipy is the oracle of its tests; loading it would take longer than a report.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

TINY = 1e-300
PRECISION = 1e-15
CLOSE = 1e-11
"""A step of this share is the last: the next one would be of its square."""


def cdf(t: float, df: float) -> float:
    """Return the probability of a value up to `t` with `df` degrees of freedom, which may be a fraction."""
    tail = 0.5 * _incomplete_beta(df / 2, 0.5, df / (df + t * t)) if math.isfinite(t) else 0.0
    return 1 - tail if t > 0 else tail


def two_sided(t: float, df: float) -> float:
    """Return the probability of a value at least as far from 0 as `t`: the p-value of a two-sided test."""
    return 2 * cdf(-abs(t), df)


@lru_cache(maxsize=4096)
def quantile(probability: float, df: float) -> float:
    """Return the value that so much of the distribution lies below. `probability` is between 0 and 1, and is neither.

    By Newton's method from the normal quantile. A step out of the range that holds the value goes to its middle.
    """
    if probability < 0.5:
        return -quantile(1 - probability, df)
    low, high, t = 0.0, math.inf, NormalDist().inv_cdf(probability)
    for _ in range(200):
        short_by = probability - cdf(t, df)
        low, high = (t, high) if short_by > 0 else (low, t)
        step = t + short_by / _density(t, df)
        if not low <= step <= high:
            step = (low + high) / 2 if math.isfinite(high) else 2 * t
        if abs(step - t) <= CLOSE * t:
            return step
        t = step
    return t


def _density(t: float, df: float) -> float:
    """Return the distribution's density."""
    logarithm = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - (df + 1) / 2 * math.log1p(t * t / df)
    return math.exp(logarithm) / math.sqrt(df * math.pi)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The fraction converges fast on this side of the mean; the other side is its mirror.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
