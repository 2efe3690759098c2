"""An estimate with its standard error: of a sample's typical value, and of what is computed from several.

All of it is on a scale on which errors add up: logarithms for values, ratios and products, the values themselves for sums.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import student
from benchrig.statistics.interval import CONFIDENCE, ENOUGH_REPEATS, LEAST_REPEATS

NEGLIGIBLE = 1e-12
"""Smaller differences and errors are those of the computer's arithmetic."""

HELD = 2.0
"""From so many deviations on, a value is held. More of them would miss more outliers, fewer would cost power without any."""

ONE_IN = 5
"""Of so many values, at most one is held. A larger share are no outliers."""

NORMAL = 1.4826
"""The standard deviation of a normal distribution, in median distances from its median."""

MOST_STEPS = 50
STEP = 1e-9


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
    """Return the typical logarithm of repeats; None of fewer than LEAST_REPEATS, or where a value is not above 0."""
    if len(values) < LEAST_REPEATS or min(values) <= 0:
        return None
    return of_values([math.log(value) for value in values])


def of_values(values: Sequence[float]) -> Estimate:
    """Return the typical value of at least two: their mean, but an outlier counts as if it were less far off."""
    value, moved = moves(values)
    n = len(moved)
    return Estimate(value, math.sqrt(math.fsum(move * move for move in moved) / (n - 1) / n), n - 1)


def moves(values: Sequence[float]) -> tuple[float, list[float]]:
    """Return the typical value of at least two, and how far each of them moves it, times their number.

    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35 (1964): the mean, but a
    value further away than HELD deviations counts as if it were only so far. The deviation is the median distance from the
    median. The moves have the correction for few values of his "Robust regression", Annals of Statistics 1 (1973).
    Where more than one in ONE_IN are far away, or all of them lie together, they are no outliers but another state: then it
    is the mean of all. So it is of fewer than ENOUGH_REPEATS, of which no one can say which is the outlier.
    """
    n = len(values)
    center, reach = _center(values) if n >= ENOUGH_REPEATS else (0.0, 0.0)
    far = [value for value in values if abs(value - center) >= reach]
    if not far or len(far) > n // ONE_IN or _are_a_state(far, reach):
        mean = math.fsum(values) / n
        return mean, [value - mean for value in values]
    free = n - len(far)
    weight = n / free * (1 + len(far) / free / n)
    return center, [_held(value - center, reach) * weight for value in values]


def _are_a_state(far: Sequence[float], reach: float) -> bool:
    """Return whether several values lie as near to each other as those of one state do."""
    return len(far) > 1 and max(far) - min(far) < reach


def _center(values: Sequence[float]) -> tuple[float, float]:
    """Return Huber's estimate, and how far from it values are held."""
    center = statistics.median(values)
    # The nearest is the median itself or as near as another one, and says nothing of the spread.
    reach = HELD * NORMAL * statistics.median(sorted(abs(value - center) for value in values)[1:])
    # By Newton's method: the sum is a line between two places where one more value is held.
    for _ in range(MOST_STEPS):
        held = [_held(value - center, reach) for value in values]
        step = math.fsum(held) / max(1, sum(abs(distance) < reach for distance in held))
        center += step
        if abs(step) <= STEP * reach:
            break
    return center, reach


def _held(distance: float, reach: float) -> float:
    return max(-reach, min(reach, distance))


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
