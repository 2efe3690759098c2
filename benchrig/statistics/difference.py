"""The difference of two samples: the ratio of B to A with its interval, and how likely chance alone makes such a one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import bounded
from benchrig.statistics.estimate import Estimate, combined, of_logs
from benchrig.statistics.interval import LEAST_REPEATS as LEAST_REPEATS

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Difference:
    """A comparison of two samples."""

    ratio: float
    """Typical value of B over that of A: of their geometric means, but for outliers that are held (`estimate.moves`)."""
    low: float
    """Lower end of the ratio's 95 % interval."""
    high: float
    p: float
    """p-value of the two-sided test that the ratio is 1, or no further from it than the margin."""
    repeats: tuple[int, int]
    """Of A and of B."""
    error: float
    """Standard error of the ratio's logarithm: 0.01 is about 1 %."""
    df: float
    """Degrees of freedom of the error."""

    @property
    def detectable(self) -> float:
        """A difference larger than this share is excluded by the interval: 0.03 is 3 %."""
        return max(abs(bounded.expm1(abs(math.log(end)))) for end in (self.low, self.high)) if self.low > 0 else math.inf

    @property
    def estimate(self) -> Estimate:
        """The logarithm of the ratio with its error: what `means` and `advice` work on."""
        return Estimate(math.log(self.ratio), self.error, self.df)


def welch(a: Sequence[float], b: Sequence[float], margin: float = 0.0) -> Difference | None:
    """Return the difference by Welch's t-test on logarithms, of typical values that hold outliers (`estimate.moves`).

    None of too few repeats, or where a value is not above 0.

    `margin` is a share, 0.01 for 1 %: a ratio within it counts as no difference, and `p` is that of a difference beyond it.

    B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    Biometrika 34 (1947). On logarithms, it is about the ratio of medians of log-normal values. Why this
    test: docs/statistics.md.
    """
    one, other = of_logs(a), of_logs(b)
    if one is None or other is None:
        return None
    return of_estimate(combined([(1, other), (-1, one)]), (len(a), len(b)), margin)


def of_estimate(found: Estimate, repeats: tuple[int, int], margin: float = 0.0) -> Difference:
    """Return the difference that the logarithm of a ratio is; `margin` as of `welch`."""
    low, high = found.interval()
    return Difference(
        ratio=bounded.exp(found.value),
        low=bounded.exp(low),
        high=bounded.exp(high),
        p=found.p(margin=math.log1p(margin)),
        repeats=repeats,
        error=found.error,
        df=found.df,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, in the same order. Below 0.05, one family in twenty has a false one.

    A family are the rows of one metric: over several metrics, there are as many chances of a false one as families.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted
