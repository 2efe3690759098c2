"""The mean of several differences: by which factor B differs from A over all rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics.difference import Difference
from benchrig.statistics.estimate import combined


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


def geometric(differences: Sequence[Difference]) -> Mean | None:
    """Return the geometric mean of the ratios of independent rows; None of none.

    Ratios have a geometric mean alone that does not depend on which of the two is called A: P. J. Fleming and J. J. Wallace,
    "How not to lie with statistics: the correct way to summarize benchmark results", Communications of the ACM 29 (1986).
    """
    if not differences:
        return None
    found = combined([(1 / len(differences), row.estimate) for row in differences])
    low, high = found.interval()
    return Mean(math.exp(found.value), math.exp(low), math.exp(high), found.p(), len(differences))
