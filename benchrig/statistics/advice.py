"""What repeats leave open: how many would settle it, and which difference they exclude already.

Taking the observed difference for the true one promises too much: where a difference is nearly shown, chance has more often
made it larger than smaller. So nothing is assumed about the true one here. With the advised repeats, the interval is so
narrow that either the difference is shown, or one as large as that seen now is excluded.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

from benchrig.statistics import bounded, student
from benchrig.statistics.difference import SIGNIFICANT, Difference
from benchrig.statistics.estimate import Estimate
from benchrig.statistics.interval import CONFIDENCE

MOST_REPEATS = 200
"""More repeats of a row than this are not worth the time."""

POWER = 0.8
"""In so many cases, the advised repeats settle it."""

NEARLY = 0.5
"""More repeats are advised where so many more standard errors of distance would have settled it. Where nothing differs, one
run in ten comes that near by chance; where something does, one run in five at most."""

ASSURED = 0.9
"""The same by theory. With outliers, and where nothing differs, it comes out a tenth lower: POWER is what is left of it."""

GRID = [(i + 0.5) / 10 for i in range(10)]
NORMAL = NormalDist()


@dataclass(frozen=True)
class Advice:
    """What an undecided comparison leaves open. Distances are in the estimate's unit; `share` is for logarithms."""

    excluded: float
    """A larger distance from the limit is excluded already."""
    repeats: int | None
    """With so many repeats of each row, in all, it is settled; None where nothing seems to differ, or more than MOST_REPEATS
    would be needed: then what is excluded is the answer."""
    within: float
    """What `repeats` settle: either a side is shown, or a distance of this and more is excluded."""

    def more(self, repeats: int) -> int | None:
        """Return how many repeats are missing, of a row that has so many."""
        return None if self.repeats is None else self.repeats - repeats


def share(distance: float) -> float:
    """Return a distance of logarithms as a share: 0.03 is 3 %."""
    return bounded.expm1(distance)


def of_difference(difference: Difference, significant: float = SIGNIFICANT, margin: float = 0.0) -> Advice | None:
    """Return the advice for a comparison of two samples, with distances as shares; None where a difference is shown.

    `significant` is the level that `difference.p` must reach: with Holm's correction over m rows, at worst SIGNIFICANT / m.
    `margin` is that of `difference.welch`. Where `repeats` is named: "about {advice.more(n)} more repeats would show a
    difference, or exclude one of {within}"; else "a difference above {excluded} is excluded".
    """
    if difference.p < significant:
        return None
    size, limit = Estimate(abs(difference.estimate.value), difference.error, difference.df), math.log1p(margin)
    found = settle(size, max(difference.repeats), limit, significant) if size.value > limit else None
    return Advice(share(size.interval()[1]), found.repeats if found else None, share(size.value))


def settle(estimate: Estimate, repeats: int, limit: float = 0.0, significant: float = SIGNIFICANT) -> Advice | None:
    """Return the advice for an estimate against a fixed limit; None where the estimate is shown to be on one side of it.

    For a claim such as `throughput(a) / throughput(b) >= 7`: the estimate is the logarithm of the ratio with its standard
    error and degrees of freedom (`estimate.combined`), `limit` is log(7), and `share` makes shares of the distances. For
    sums, all of them are in the figures' unit. `repeats` is the most that a row of the expression has.
    """
    if estimate.p(limit) < significant:
        return None
    distance = abs(estimate.value - limit)
    excluded = distance + _half(estimate, CONFIDENCE)
    short_by = _half(estimate, 1 - significant) - distance
    if short_by > NEARLY * estimate.error or distance <= 0:
        return Advice(excluded, None, distance)
    return Advice(
        excluded, _fewest(repeats, lambda n: _settled(estimate, repeats, n, distance, significant) >= ASSURED), distance
    )


def _settled(estimate: Estimate, repeats: int, n: int, distance: float, significant: float) -> float:
    """Return how likely n repeats settle it, where the true distance is the least favourable: about half of that seen.

    A side is shown from the half width of the test's interval on, and `distance` is excluded up to its own less that of the
    confidence interval. What lies in the gap between is not settled; where the two overlap, there is no gap.
    """
    df = estimate.df * (n - 1) / (repeats - 1)
    # If nothing differs, it is nearly shown because the spread came out small: it is estimated as it then would be.
    squares = estimate.df + (distance / estimate.error) ** 2
    estimate = replace(estimate, error=estimate.error * math.sqrt(squares / (estimate.df + 1)), df=estimate.df + 1)
    widths = student.quantile(1 - significant / 2, df) + student.quantile((1 + CONFIDENCE) / 2, df)
    gaps = [max(0.0, widths - distance / error) for error in _errors(estimate, repeats, n)]
    return sum(1 - math.erf(gap / 2 / math.sqrt(2)) for gap in gaps) / len(gaps)


def _errors(estimate: Estimate, repeats: int, n: int) -> list[float]:
    """Return standard errors that n repeats may have, all as likely: the spread of few repeats is itself hardly known."""
    typical = estimate.error * math.sqrt(repeats / n)
    return [typical * math.sqrt(estimate.df / _chi_square(quantile, estimate.df)) for quantile in GRID]


def _chi_square(probability: float, df: float) -> float:
    """Return the value that so much of the chi-square distribution lies below.

    E. B. Wilson and M. M. Hilferty, "The distribution of chi-square", Proceedings of the National Academy of Sciences 17
    (1931).
    """
    part = 2 / (9 * df)
    return df * max(0.05, 1 - part + NORMAL.inv_cdf(probability) * math.sqrt(part)) ** 3


def _half(estimate: Estimate, confidence: float) -> float:
    low, high = estimate.interval(confidence)
    return (high - low) / 2


def _fewest(least: int, enough: Callable[[int], bool]) -> int | None:
    """Return the fewest repeats that are enough, if more of them are enough, too; None above MOST_REPEATS."""
    if least > MOST_REPEATS or not enough(MOST_REPEATS):
        return None
    return bisect_left(range(MOST_REPEATS), True, lo=least, key=enough)
