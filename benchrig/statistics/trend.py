"""Whether values in the order of time have a trend, and how steep it is: the test of Mann and Kendall, the slope of Sen."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence


def mann_kendall(values: Sequence[float], variance_factor: float = 1.0) -> float:
    """Return the p-value of the two-sided Mann–Kendall test: how likely values without a trend are to seem to have one.

    H. B. Mann, "Nonparametric tests against trend", Econometrica 13 (1945); M. G. Kendall, Rank Correlation Methods (1975),
    for the variance where values are equal. Needs no distribution; the normal approximation is good from 8 values on.
    Values that follow the one before them have trends by chance: `variance_factor` says by how much the variance is larger.
    """
    n = len(values)
    score = sum((later > one) - (later < one) for i, one in enumerate(values) for later in values[i + 1 :])
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values())
    variance = variance_factor * (n * (n - 1) * (2 * n + 5) - ties) / 18
    if variance <= 0 or not score:
        return 1.0
    return math.erfc((abs(score) - 1) / math.sqrt(2 * variance))


def sen_slope(values: Sequence[float]) -> float:
    """Return the slope per value: the median of the slopes between all pairs. 0 of fewer than two values.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
    """
    slopes = [(later - one) / distance for i, one in enumerate(values) for distance, later in enumerate(values[i + 1 :], 1)]
    return statistics.median(slopes) if slopes else 0.0
