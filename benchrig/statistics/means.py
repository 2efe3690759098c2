"""The mean of several differences: by which factor B differs from A over all rows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import bounded
from benchrig.statistics.boots import Spread
from benchrig.statistics.difference import Difference
from benchrig.statistics.estimate import Estimate, combined


@dataclass(frozen=True)
class Mean:
    """The geometric mean of the rows' ratios."""

    ratio: float
    low: float
    """Lower end of its 95 % interval, for these rows: what other rows would say is not in it."""
    high: float
    p: float
    """p-value of the two-sided test that the mean is 1."""
    rows: int


def geometric(differences: Sequence[Difference], boots: Sequence[Spread] = ()) -> Mean | None:
    """Return the geometric mean of the ratios of several rows; None of none.

    The differences are of the repeats alone: these are independent from row to row. What a boot does to its run, it may do
    to all rows alike, and then more rows average none of it out. So where `boots` has the spread between boots of each row,
    the mean of these is added once, as if rows shared all of it: the interval is no narrower than the truth.

    Ratios have a geometric mean alone that does not depend on which of the two is called A: P. J. Fleming and J. J. Wallace,
    "How not to lie with statistics: the correct way to summarize benchmark results", Communications of the ACM 29 (1986).
    """
    if not differences:
        return None
    found = combined([(1 / len(differences), row.estimate) for row in differences])
    if boots:
        parts = [one.of_difference for one in boots]
        shared = Estimate(0.0, statistics.fmean(part.error for part in parts), min(part.df for part in parts))
        found = combined([(1, found), (1, shared)])
    low, high = found.interval()
    return Mean(bounded.exp(found.value), bounded.exp(low), bounded.exp(high), found.p(), len(differences))
