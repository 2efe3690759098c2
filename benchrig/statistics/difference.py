"""The difference of two samples: the ratio of B to A with its interval, and how likely chance alone makes such a one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import student
from benchrig.statistics.interval import CONFIDENCE

LEAST_REPEATS = 3
"""Of fewer, the spread is hardly known: no difference is judged."""

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Difference:
    """A comparison of two samples."""

    ratio: float
    """Typical value of B over that of A: the quotient of their geometric means."""
    low: float
    """Lower end of the ratio's 95 % interval."""
    high: float
    p: float
    """p-value of the two-sided test that the ratio is 1."""
    repeats: tuple[int, int]
    """Of A and of B."""

    @property
    def detectable(self) -> float:
        """A difference larger than this share is excluded by the interval: 0.03 is 3 %."""
        return max(abs(math.expm1(abs(math.log(end)))) for end in (self.low, self.high)) if self.low > 0 else math.inf


def welch(a: Sequence[float], b: Sequence[float]) -> Difference | None:
    """Return the difference by Welch's t-test on logarithms; None of too few repeats, or where a value is not above 0.

    B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    Biometrika 34 (1947). On logarithms, it is about the ratio of medians of log-normal values.
    """
    if min(len(a), len(b)) < LEAST_REPEATS or min(*a, *b) <= 0:
        return None
    one, other = [math.log(value) for value in a], [math.log(value) for value in b]
    middle = statistics.fmean(other) - statistics.fmean(one)
    error, df = standard_error(one, other)
    if not error:
        p = 0.0 if middle else 1.0
        return Difference(math.exp(middle), math.exp(middle), math.exp(middle), p, (len(a), len(b)))
    half = student.quantile((1 + CONFIDENCE) / 2, df) * error
    p = student.two_sided(middle / error, df)
    return Difference(math.exp(middle), math.exp(middle - half), math.exp(middle + half), p, (len(a), len(b)))


def standard_error(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Return the standard error of the difference of two means, and its degrees of freedom by Welch and Satterthwaite."""
    parts = [statistics.variance(values) / len(values) for values in (a, b)]
    total = sum(parts)
    if not total:
        return 0.0, 1.0
    return math.sqrt(total), total**2 / sum(part**2 / (len(values) - 1) for part, values in zip(parts, (a, b), strict=True))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, in the same order. Below 0.05, one family in twenty has a false one.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted
