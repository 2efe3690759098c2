"""A comparison over several boots of a machine: pairs within a boot, the spread between boots, and what a design finds.

Two measurements in one boot share what that boot gave them: memory layout, placement of threads, neighbours. So many repeats
in one boot do not show how far another boot would differ, and are no more evidence than their boot. The unit is the boot:
pairs of A and B are compared within it, and the interval is one over boots (T. Kalibera and R. Jones, "Rigorous Benchmarking
in Reasonable Time", ISMM 2013; A. Abedi and T. Brecht, "Conducting Repeatable Experiments in Highly Variable Cloud Computing
Environments", ICPE 2017; L. Bulej et al., "Duet Benchmarking", ICPE 2020). Its proof by simulation: docs/statistics.md.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import bounded, student
from benchrig.statistics.advice import POWER
from benchrig.statistics.difference import SIGNIFICANT, Difference, of_estimate
from benchrig.statistics.estimate import Estimate, combined, of_logs

LEAST_BOOTS = 2
"""Of fewer, there is no spread between boots, and so no interval."""

LEAST_KNOWN = 5
"""A spread between boots that fewer have shown is not taken for known: two would call equal runs different in 14 %."""

MOST_BOOTS = 200
"""More boots than this are not worth the time."""

Pair = tuple[float, float]
"""The values of A and of B, measured one right after the other in one boot."""


@dataclass(frozen=True)
class Spread:
    """The spread of repeats of one system, as shares: standard deviations of logarithms."""

    within: float
    """Of repeats in one boot."""
    between: float
    """Of the levels of boots, without the part that the repeats in them explain."""
    boots: int
    means: float
    """Of the means of boots, with the part that the repeats explain: not less than `between`, and known better."""

    @property
    def is_known(self) -> bool:
        """So many boots have shown it that comparisons of single runs can rest on it."""
        return self.boots >= LEAST_KNOWN and self.means > 0

    @property
    def of_difference(self) -> Estimate:
        """What the boots of two single runs add to the logarithm of their ratio.

        The variance of the boots' means stands for that of their levels. What is left of it without the part of the repeats
        may come out as 0 by chance, and would then be trusted where it is least known.
        """
        return Estimate(0.0, math.sqrt(2) * self.means, self.boots - 1)


@dataclass(frozen=True)
class Paired:
    """B against A, by pairs over several boots."""

    ratio: float
    """B over A: the geometric mean of the boots' ratios."""
    low: float | None
    """Lower end of its 95 % interval; None of a single boot."""
    high: float | None
    p: float | None
    """p-value of the two-sided test that the ratio is 1; None of a single boot."""
    boots: int
    pairs: int
    within: float | None
    """Standard deviation of the logarithm of a pair's ratio within a boot; None where no boot has two pairs."""
    between: float | None
    """That of the boots' own ratios, without the part that the pairs explain; None where it cannot be told apart."""
    error: float | None
    """Standard deviation of the logarithm of a boot's mean ratio: what the interval rests on."""

    @property
    def detectable(self) -> float | None:
        """The difference, as a share, that so many boots find in POWER of cases; None of a single boot."""
        return None if self.error is None else detectable(self.error, self.boots)


def compare(boots: Sequence[Sequence[Pair]]) -> Paired | None:
    """Return B against A by the pairs of each boot; None without a pair, or where a value is not above 0.

    Student's t over the boots' mean logarithms of ratios: each boot counts once, however many pairs it has. No boot is held
    as an outlier: of eight, that would find 5.5 % of equal variants different.
    """
    measured = [pairs for pairs in boots if pairs]
    if not measured or min(value for pairs in measured for pair in pairs for value in pair) <= 0:
        return None
    logs = [[math.log(b / a) for a, b in pairs] for pairs in measured]
    means = [statistics.fmean(one) for one in logs]
    count, pairs = len(means), sum(map(len, logs))
    if count < LEAST_BOOTS:
        return Paired(bounded.exp(means[0]), None, None, None, count, pairs, _within(logs), None, None)
    found = Estimate(statistics.fmean(means), statistics.stdev(means) / math.sqrt(count), count - 1)
    parts = _components([logs])
    low, high = found.interval()
    return Paired(
        ratio=bounded.exp(found.value),
        low=bounded.exp(low),
        high=bounded.exp(high),
        p=found.p(),
        boots=count,
        pairs=pairs,
        within=_within(logs),
        between=parts.between if parts else None,
        error=statistics.stdev(means),
    )


def spread(*systems: Sequence[Sequence[float]]) -> Spread | None:
    """Return the spread within and between boots of the values of one system, or of several that are equal.

    Each is the values by boot. The boots of equal systems, such as both sides of an A/A session, may be the same: their
    mean is taken, and no more is known of boots than of one system. None where it cannot be told apart: of fewer than two
    boots, without a boot of two values, with a value of 0 or less.
    """
    measured = [[values for values in boots if values] for boots in systems]
    if not measured or not all(measured) or min(value for boots in measured for values in boots for value in values) <= 0:
        return None
    return _components([[[math.log(value) for value in values] for values in boots] for boots in measured])


def detectable(error: float, boots: int) -> float:
    """Return the difference, as a share, that a test over so many boots finds in POWER of cases.

    `error` is the standard deviation of a boot's mean ratio.
    """
    return bounded.expm1(_needed(boots) * error / math.sqrt(boots))


def boots_for(error: float, difference: float) -> int | None:
    """Return with how many boots a difference, as a share, is found in POWER of cases; None with more than MOST_BOOTS."""
    step = abs(math.log1p(difference))
    if not step:
        return None
    return next((n for n in range(LEAST_BOOTS, MOST_BOOTS + 1) if _needed(n) * error / math.sqrt(n) <= step), None)


def welch_between_boots(a: Sequence[float], b: Sequence[float], known: Spread, margin: float = 0.0) -> Difference | None:
    """Return the difference of repeats of two single boots, with the known spread between boots in its interval.

    As `difference.welch`, but each side's mean also varies by its boot, of which the variance is added. None of too few
    repeats or boots, or where a value is not above 0.
    """
    one, other = of_logs(a), of_logs(b)
    if one is None or other is None or not known.is_known:
        return None
    return of_estimate(combined([(1, other), (-1, one), (1, known.of_difference)]), (len(a), len(b)), margin)


def _needed(boots: int) -> float:
    """Return how many standard errors a difference must have, to be found over so many boots in POWER of cases."""
    return student.quantile(1 - SIGNIFICANT / 2, boots - 1) + student.quantile(POWER, boots - 1)


def _within(logs: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation within boots; None where no boot has two values."""
    free = sum(len(values) - 1 for values in logs)
    squares = sum((value - statistics.fmean(values)) ** 2 for values in logs for value in values)
    return math.sqrt(squares / free) if free else None


def _components(systems: Sequence[Sequence[Sequence[float]]]) -> Spread | None:
    """Return the variance components of one-way layouts with boots of any sizes, by the method of moments.

    S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components" (1992), section 3.6. A negative estimate is 0.
    """
    found = [_squares(boots) for boots in systems]
    known = [one for one in found if one]
    if len(known) < len(found) or not known:
        return None
    of_boots = statistics.fmean(one.between / one.typical for one in known)
    of_repeats = statistics.fmean(one.within / one.typical for one in known)
    within, between = statistics.fmean(one.within for one in known), max(0.0, of_boots - of_repeats)
    return Spread(math.sqrt(within), math.sqrt(between), min(one.boots for one in known), math.sqrt(of_boots))


@dataclass(frozen=True)
class _Squares:
    """The mean squares of a one-way layout."""

    within: float
    between: float
    typical: float
    """How many values a boot has, as far as their numbers differ."""
    boots: int


def _squares(logs: Sequence[Sequence[float]]) -> _Squares | None:
    within, counts = _within(logs), [len(values) for values in logs]
    if within is None or len(logs) < LEAST_BOOTS:
        return None
    total = sum(counts)
    middle = sum(map(sum, logs)) / total
    squares = sum(len(values) * (statistics.fmean(values) - middle) ** 2 for values in logs)
    typical = (total - sum(count**2 for count in counts) / total) / (len(logs) - 1)
    return _Squares(within**2, squares / (len(logs) - 1), typical, len(logs))
