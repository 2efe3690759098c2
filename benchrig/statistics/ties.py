"""Ranks of rows: one row is behind another only where the data show it, so rows that they do not tell apart share a rank."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics.difference import SIGNIFICANT, holm
from benchrig.statistics.estimate import Estimate, combined, of_logs
from benchrig.statistics.interval import LEAST_REPEATS
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
    better = _better([samples[i] for i in ranked], [ceilings[i] if ceilings else None for i in ranked])
    places: list[Rank | None] = [None] * len(samples)
    for i, place in enumerate(ranked):
        ahead, behind = sum(worse == i for _, worse in better), sum(first == i for first, _ in better)
        places[place] = Rank(1 + ahead, len(ranked) - behind)
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


def _better(samples: Sequence[Sequence[float]], ceilings: Sequence[float | None]) -> set[tuple[int, int]]:
    """Return the pairs (i, j) of samples of which i is shown to be better than j."""
    rows = [_Row(values, of_logs(values), ceiling) for values, ceiling in zip(samples, ceilings, strict=True)]
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    found = [_compared(rows[i], rows[j]) for i, j in pairs]
    adjusted = holm([p for p, _ in found])
    return {
        (i, j) if first else (j, i) for (i, j), (_, first), p in zip(pairs, found, adjusted, strict=True) if p < SIGNIFICANT
    }


@dataclass(frozen=True)
class _Row:
    values: Sequence[float]
    estimate: Estimate | None
    ceiling: float | None


def _compared(one: _Row, other: _Row) -> tuple[float, bool]:
    """Return the p-value of a difference of two rows, as `difference.welch` does, and whether the first one is better."""
    if one.estimate is None or other.estimate is None:
        # Where a value is 0, there is no ratio, and the order of the values decides.
        order = sum((x > y) - (x < y) for x in one.values for y in other.values)
        return mann_whitney(one.values, other.values), order > 0
    found = combined([(1, one.estimate), (-1, other.estimate)])
    medians = statistics.median(one.values), statistics.median(other.values)
    margin = ceiling_margin(medians, (one.ceiling, other.ceiling))
    return found.p(margin=math.log1p(margin)), found.value > 0
