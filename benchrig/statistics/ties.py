"""Ranks of rows that the data tell apart, and one rank for those that they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchrig.statistics.difference import SIGNIFICANT, holm, welch

Tied = Callable[[int, int], bool]


def pairwise_differs(samples: Sequence[Sequence[float]]) -> set[tuple[int, int]]:
    """Return the pairs (i, j), i < j, of samples that differ, by Welch's test on logarithms and Holm's correction."""
    pairs = [(i, j) for i in range(len(samples)) for j in range(i + 1, len(samples))]
    found = [welch(samples[i], samples[j]) for i, j in pairs]
    adjusted = holm([one.p if one else 1.0 for one in found])
    return {pair for pair, p in zip(pairs, adjusted, strict=True) if p < SIGNIFICANT}
