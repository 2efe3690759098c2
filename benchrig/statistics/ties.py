"""Ranks of rows: one row is behind another only where the data show it, so rows that they do not tell apart share a rank."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics.difference import SIGNIFICANT, holm, welch
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
    the most that its load allows, in the sample's unit, or None: see `ceiling_margin`.
    """
    ranked = [i for i, values in enumerate(samples) if len(values) >= LEAST_REPEATS]
    better = _better([samples[i] for i in ranked], [ceilings[i] if ceilings else None for i in ranked])
    places: list[Rank | None] = [None] * len(samples)
    for i, place in enumerate(ranked):
        ahead, behind = sum(worse == i for _, worse in better), sum(first == i for first, _ in better)
        places[place] = Rank(1 + ahead, len(ranked) - behind)
    return places


def pairwise_differs(samples: Sequence[Sequence[float]]) -> set[tuple[int, int]]:
    """Return the pairs (i, j), i < j, of samples that differ, by Welch's test on logarithms and Holm's correction."""
    return {(min(pair), max(pair)) for pair in _better(samples, [None] * len(samples))}


def ceiling_margin(share: float) -> float:
    """Return which difference to a row at this share of its ceiling says nothing about the two systems: 0.05 is 5 %.

    It grows evenly from 0 at BELOW_CEILING to all that lies between CEILING and 1, so that no small change of a row's
    throughput changes the ranks by itself, as it would where a row is at the ceiling or is not.
    """
    at = (share - BELOW_CEILING) / (CEILING - BELOW_CEILING)
    return (1 / CEILING - 1) * min(1.0, max(0.0, at))


def _better(samples: Sequence[Sequence[float]], ceilings: Sequence[float | None]) -> set[tuple[int, int]]:
    """Return the pairs (i, j) of samples of which i is shown to be better than j."""
    # By their geometric means, as the test compares them; by their means where a value is 0 and there is no other.
    typical = [statistics.geometric_mean(values) if min(values) > 0 else statistics.fmean(values) for values in samples]
    pairs = [(i, j) if typical[i] >= typical[j] else (j, i) for i in range(len(samples)) for j in range(i + 1, len(samples))]
    adjusted = holm([_p(samples[j], samples[i], _margin(typical[i], ceilings[i], ceilings[j])) for i, j in pairs])
    return {pair for pair, p in zip(pairs, adjusted, strict=True) if p < SIGNIFICANT}


def _margin(typical: float, ceiling: float | None, other: float | None) -> float:
    """Return the margin of a row to one behind it. Two rows are held back alike only below the same ceiling."""
    if ceiling is None or other is None or not math.isclose(ceiling, other):
        return 0.0
    return ceiling_margin(typical / ceiling)


def _p(worse: Sequence[float], better: Sequence[float], margin: float) -> float:
    """Return the p-value of a difference beyond a margin; where a value is 0, there is no ratio, and their order decides."""
    found = welch(worse, better, margin)
    return found.p if found else mann_whitney(worse, better)
