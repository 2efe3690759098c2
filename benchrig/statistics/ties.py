"""Ranks of rows: one row is behind another only where the data show it, so rows that they do not tell apart share a rank."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics.difference import SIGNIFICANT
from benchrig.statistics.estimate import of_logs
from benchrig.statistics.interval import LEAST_REPEATS
from benchrig.statistics.pairs import Counts, Sample, Tested, counted
from benchrig.statistics.ranks import mann_whitney

CEILING = 0.95
"""From this share of what the load allows on, a row's throughput is the load's, not its own."""

BELOW_CEILING = 0.9
"""Up to this share, it is all its own."""


@dataclass(frozen=True)
class Rank:
    """A row's place among its rivals, by what their repeats show; 1 is the best."""

    first: int
    """The rank that is printed: 1, and 1 for each rival that is shown to be better."""
    last: int
    """Its place if no rival is behind it but those that are shown to be."""


def ranks(samples: Sequence[Sequence[float]], ceilings: Sequence[float | None] = ()) -> list[Rank | None]:
    """Return the rank of each sample, of which more is better; None of one with fewer than LEAST_REPEATS values.

    With 95 % confidence, every true rank is between `first` and `last`: M. Mogstad, J. P. Romano, A. M. Shaikh and
    D. Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic achievement across
    countries", Review of Economic Studies 91 (2024), with Holm's correction over all pairs. `ceilings` has for each sample
    the most that its load allows, in the sample's unit, or None: see `ceiling_hides`.
    """
    ranked = [i for i, values in enumerate(samples) if len(values) >= LEAST_REPEATS]
    counts = _counted([_Row(samples[i], ceilings[i] if ceilings else None) for i in ranked])
    places: list[Rank | None] = [None] * len(samples)
    for i, place in enumerate(ranked):
        places[place] = Rank(1 + counts.better[i], len(ranked) - counts.worse[i])
    return places


def ceiling_margin(throughputs: tuple[float, float], ceilings: tuple[float | None, float | None]) -> float:
    """Return up to which share a difference of two rows says nothing about their systems: 0.05 is 5 %.

    Rows are held back alike only below the same ceiling.
    """
    one, other = ceilings
    return ceiling_hides(max(throughputs) / one) if one and other and math.isclose(one, other) else 0.0


def ceiling_hides(share: float) -> float:
    """Return which difference to a row at this share of its ceiling says nothing about the two systems.

    It grows evenly from 0 at BELOW_CEILING to all that lies between CEILING and 1, so that no small change of a row's
    throughput changes the ranks by itself, as it would where a row is at the ceiling or is not.
    """
    at = (share - BELOW_CEILING) / (CEILING - BELOW_CEILING)
    return (1 / CEILING - 1) * min(1.0, max(0.0, at))


class _Row:
    """A row as its pairs are tested."""

    def __init__(self, values: Sequence[float], ceiling: float | None) -> None:
        self.values, self.ceiling = values, ceiling
        estimate, median = of_logs(values), statistics.median(values)
        margin = math.log1p(ceiling_hides(median / ceiling)) if ceiling else 0.0
        self.sample = Sample(estimate, margin, ceiling) if estimate else None


def _counted(rows: Sequence[_Row]) -> Counts:
    """Return how many rows are shown to be better and worse than each, by the test of `difference.welch`."""
    # Where a value is 0, there is no ratio, and the order of the values decides.
    zeros = [i for i, row in enumerate(rows) if row.sample is None]
    pairs = ((i, j) for i in zeros for j in range(len(rows)) if i < j or rows[j].sample)
    return counted([row.sample for row in rows], [_by_order(rows, i, j) for i, j in pairs], SIGNIFICANT)


def _by_order(rows: Sequence[_Row], i: int, j: int) -> Tested:
    one, other = rows[i].values, rows[j].values
    order = sum((x > y) - (x < y) for x in one for y in other)
    return Tested(mann_whitney(one, other), *((i, j) if order > 0 else (j, i)))
