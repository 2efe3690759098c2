"""An estimate with its standard error: of a sample's typical value, and of what is computed from several.

All of it is on a scale on which errors add up: logarithms for values, ratios and products, the values themselves for sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import student
from benchrig.statistics.interval import CONFIDENCE, LEAST_REPEATS

NEGLIGIBLE = 1e-12
"""Smaller differences and errors are those of the computer's arithmetic."""


@dataclass(frozen=True)
class Estimate:
    """An estimated number and how well it is known."""

    value: float
    error: float
    """Its standard error; 0 where all values are equal."""
    df: float
    """Degrees of freedom of the error."""

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the ends of Student's confidence interval."""
        half = student.quantile((1 + confidence) / 2, self.df) * self.error if self.error > NEGLIGIBLE else 0.0
        return self.value - half, self.value + half

    def p(self, limit: float = 0.0, margin: float = 0.0) -> float:
        """Return the p-value of the two-sided test that the true number is `limit`, or not further from it than `margin`."""
        beyond = abs(self.value - limit) - margin
        if beyond <= NEGLIGIBLE:
            return 1.0
        return student.two_sided(beyond / self.error, self.df) if self.error > NEGLIGIBLE else 0.0


def of_logs(values: Sequence[float]) -> Estimate | None:
    """Return the mean of the logarithms of repeats; None of fewer than LEAST_REPEATS, or where a value is not above 0."""
    if len(values) < LEAST_REPEATS or min(values) <= 0:
        return None
    return of_values([math.log(value) for value in values])


def of_values(values: Sequence[float]) -> Estimate:
    """Return the mean of at least two values."""
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Estimate(mean, math.sqrt(squares / (n - 1) / n), n - 1)


def combined(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """Return the sum of independent estimates, each times its weight: `[(1, b), (-1, a)]` is b - a.

    On logarithms, weights of 1 and -1 make products and quotients, and 1/k the geometric mean of k. On values, a function of
    figures has its derivatives as weights (the delta method). The degrees of freedom are those of F. E. Satterthwaite, "An
    approximate distribution of estimates of variance components", Biometrics Bulletin 2 (1946), and B. L. Welch (1947).
    """
    value = math.fsum(weight * part.value for weight, part in parts)
    variances = [(weight * part.error) ** 2 for weight, part in parts]
    total = math.fsum(variances)
    if total <= NEGLIGIBLE**2:
        return Estimate(value, 0.0, sum(part.df for _, part in parts))
    # As shares: squares of small variances would be 0.
    shares = [variance / total for variance in variances]
    df = 1 / math.fsum(share**2 / part.df for share, (_, part) in zip(shares, parts, strict=True))
    return Estimate(value, math.sqrt(total), df)
