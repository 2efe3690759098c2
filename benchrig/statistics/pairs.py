"""How many of many samples are shown to be better and worse than each, with Holm's correction over all pairs.

A thousand samples have half a million pairs, whose p-values would take a quarter of a minute. So the distance of a pair is
compared with the distance that a p-value needs, which is looked up for about the same degrees of freedom. A p-value is
computed only of a pair that is next to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from benchrig.statistics import student
from benchrig.statistics.estimate import NEGLIGIBLE, Estimate

FEW = 300
"""Of so many pairs, all p-values are computed: that is faster than looking up the distances."""

SCALE = 1 / math.log(1.02)
"""Pairs whose degrees of freedom differ by less than 2 % are looked up together."""


@dataclass(frozen=True)
class Sample:
    """A sample, of which more is better, by the logarithms of its values."""

    estimate: Estimate
    margin: float = 0.0
    """A difference to a sample with the same ceiling counts only beyond this, in logarithms."""
    ceiling: float | None = None


@dataclass(frozen=True)
class Tested:
    """A pair whose p-value is known already, by the places of its samples."""

    p: float
    better: int
    worse: int


class Counts:
    """How many samples are shown to be better, and worse, than the sample in each place."""

    def __init__(self, samples: int) -> None:
        self.better, self.worse = [0] * samples, [0] * samples
        self.shown = 0
        """How many pairs are shown to differ."""

    def add(self, better: int, worse: int) -> None:
        """Count a pair that is shown to differ."""
        self.better[worse] += 1
        self.worse[better] += 1
        self.shown += 1


_Near = tuple[float, float, int, int]
"""A pair that is not decided: its distance in standard errors, its degrees of freedom, the better and the worse place."""


def counted(samples: Sequence[Sample | None], tested: Sequence[Tested], significant: float) -> Counts:
    """Return how many samples are better and worse than each; `tested` are the pairs with a sample that is None.

    Holm's method takes the pairs by rising p-values; the k-th is shown to differ while its p-value is below
    significant / (pairs - k + 1). So it ends where no further p-value is below significant / (pairs - shown).
    """
    counts = Counts(len(samples))
    pairs = len(samples) * (len(samples) - 1) // 2
    near, known = _near(samples, counts, significant, pairs), list(tested)
    while len(near) + len(known) > FEW:
        before, needed = counts.shown, _Needed(significant / (pairs - counts.shown))
        reached = [needed.reached(distance, df) for distance, df, *_ in near]
        for pair in compress(near, reached):
            counts.add(*pair[2:])
        near = [pair for pair, is_shown in zip(near, reached, strict=True) if not is_shown]
        for one in known:
            if one.p < needed.p:
                counts.add(one.better, one.worse)
        known = [one for one in known if one.p >= needed.p]
        if counts.shown == before:
            return counts
    known += [Tested(student.two_sided(distance, df), *places) for distance, df, *places in near]
    for one in sorted(known, key=lambda one: one.p):
        if one.p * (pairs - counts.shown) >= significant:
            break
        counts.add(one.better, one.worse)
    return counts


def _near(samples: Sequence[Sample | None], counts: Counts, significant: float, pairs: int) -> list[_Near]:
    """Count the pairs that even the strictest p-value shows to differ; return those that a weaker one may show to."""
    known = sorted(((place, one) for place, one in enumerate(samples) if one), key=lambda known: -known[1].estimate.value)
    strictest, weakest = _Needed(significant / max(1, pairs)), _Needed(significant)
    near: list[_Near] = []
    rows = [(place, one, one.estimate.value, one.estimate.error**2, one.estimate.df) for place, one in known]
    for i, (place, one, value, variance, df) in enumerate(rows):
        own = variance * variance / df
        for other_place, other, other_value, other_variance, other_df in rows[i + 1 :]:
            beyond = value - other_value
            if one.margin or other.margin:
                beyond -= _margin(one, other)
            total = variance + other_variance
            if beyond <= NEGLIGIBLE:
                continue
            if total <= NEGLIGIBLE**2:
                counts.add(place, other_place)
                continue
            distance = beyond / math.sqrt(total)
            both = total * total / (own + other_variance * other_variance / other_df)
            step = int(math.log(both) * SCALE)
            if distance >= strictest[step]:
                counts.add(place, other_place)
            elif distance > weakest[step + 1]:
                near.append((distance, both, place, other_place))
    return near


def _margin(one: Sample, other: Sample) -> float:
    same = one.ceiling and other.ceiling and math.isclose(one.ceiling, other.ceiling)
    return max(one.margin, other.margin) if same else 0.0


class _Needed(dict[int, float]):
    """The distances that a p-value needs, by steps of the degrees of freedom; computed when they are first asked for."""

    def __init__(self, p: float) -> None:
        self.p = p

    def __missing__(self, step: int) -> float:
        self[step] = student.quantile(1 - self.p / 2, math.exp(step / SCALE))
        return self[step]

    def reached(self, distance: float, df: float) -> bool:
        """Say whether a distance has a p-value below this one; it needs less with more degrees of freedom."""
        step = int(math.log(df) * SCALE)
        if distance >= self[step]:
            return True
        return distance > self[step + 1] and student.two_sided(distance, df) < self.p
