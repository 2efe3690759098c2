"""Pairs of many samples: the same are shown to differ as by p-values of all pairs, corrected by Holm."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Sequence

import pytest

from benchrig.statistics import pairs
from benchrig.statistics.difference import SIGNIFICANT, holm
from benchrig.statistics.estimate import combined, of_logs
from benchrig.statistics.ranks import mann_whitney
from benchrig.statistics.ties import Rank, ceiling_margin, ranks


def plainly(samples: Sequence[Sequence[float]], ceilings: Sequence[float | None]) -> list[Rank]:
    """Return the ranks by the p-value of every pair."""
    places = [(i, j) for i in range(len(samples)) for j in range(i + 1, len(samples))]
    found = [_compared(samples[i], samples[j], (ceilings[i], ceilings[j])) for i, j in places]
    adjusted = holm([p for p, _ in found])
    better = [
        (i, j) if first else (j, i) for (i, j), (_, first), p in zip(places, found, adjusted, strict=True) if p < SIGNIFICANT
    ]
    count = len(samples)
    return [
        Rank(1 + sum(worse == i for _, worse in better), count - sum(first == i for first, _ in better))
        for i in range(count)
    ]


def _compared(
    one: Sequence[float], other: Sequence[float], ceilings: tuple[float | None, float | None]
) -> tuple[float, bool]:
    a, b = of_logs(one), of_logs(other)
    if a is None or b is None:
        return mann_whitney(one, other), sum((x > y) - (x < y) for x in one for y in other) > 0
    found = combined([(1, a), (-1, b)])
    margin = ceiling_margin((statistics.median(one), statistics.median(other)), ceilings)
    return found.p(margin=math.log1p(margin)), found.value > 0


def drawn(seed: int, rows: int, spread: float, noise: float, repeats: Sequence[int]) -> list[list[float]]:
    source = random.Random(seed)
    middles = [1000 * math.exp(source.gauss(0, spread)) for _ in range(rows)]
    return [[middle * math.exp(source.gauss(0, noise)) for _ in range(source.choice(repeats))] for middle in middles]


@pytest.mark.parametrize("rows", [1, 2, 16, 40])
@pytest.mark.parametrize(("spread", "noise"), [(0.0, 0.02), (0.02, 0.02), (0.5, 0.02), (0.1, 0.0)])
@pytest.mark.parametrize("few", [0, 300])
def test_the_ranks_are_those_of_all_p_values(
    monkeypatch: pytest.MonkeyPatch, rows: int, spread: float, noise: float, few: int
) -> None:
    monkeypatch.setattr(pairs, "FEW", few)
    samples = drawn(rows, rows, spread, noise, (3, 6, 6, 10))
    assert ranks(samples) == plainly(samples, [None] * rows)


@pytest.mark.parametrize("few", [0, 300])
def test_zeros_and_ceilings_are_ranked_likewise(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(pairs, "FEW", few)
    samples = [*drawn(7, 20, 0.05, 0.01, (6,)), [0.0] * 6, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.0] * 6]
    ceilings = [1050.0 if place % 2 else 1000.0 if place % 3 else None for place in range(len(samples))]
    assert ranks(samples, ceilings) == plainly(samples, ceilings)


def test_a_thousand_samples_take_about_a_second() -> None:
    samples = drawn(1, 1000, 0.3, 0.01, (6,))
    began = time.process_time()
    ranks(samples)
    assert time.process_time() - began < 4
