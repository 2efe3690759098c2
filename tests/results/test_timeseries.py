"""Methods for series: what noise does to them, alone and where it lasts, and what they still find."""

from __future__ import annotations

import random
import statistics

import pytest

from benchrig.results import timeseries
from benchrig.statistics import trend


def noise(count: int, seed: int, share: float = 0.15, lasting: float = 0.0) -> list[float]:
    """Return values around 100; each keeps the share `lasting` of what the one before it had."""
    chance, values, last = random.Random(seed), [], 0.0
    for _ in range(count):
        last = lasting * last + chance.gauss(0, share) * (1 - lasting**2) ** 0.5
        values.append(100 * (1 + last))
    return values


@pytest.mark.parametrize(("lasting", "most"), [(0.0, 2), (0.5, 8), (0.7, 24)])
def test_noise_has_one_level_however_large_it_is(lasting: float, most: int) -> None:
    found = [timeseries.levels(noise(20, seed, lasting=lasting), 0.1) for seed in range(300)]
    assert sum(len(parts) > 1 for parts in found) <= most


def test_a_pause_of_one_or_two_values_is_no_level() -> None:
    for at in range(19):
        values = noise(20, at, share=0.01)
        values[at : at + 2] = [50.0, 20.0]
        assert len(timeseries.levels(values, 0.1)) == 1, at


def test_a_level_of_three_values_is_found_at_either_end_and_in_the_middle() -> None:
    for at in (0, 8, 17):
        values = noise(20, at, share=0.01)
        values[at : at + 3] = [80.0, 81.0, 79.0]
        assert (at, at + 3) in [(part.start, part.end) for part in timeseries.levels(values, 0.1)]


def test_levels_without_noise_are_found_whole() -> None:
    assert [part.mean for part in timeseries.levels([100.0, 115.0, 100.0, 115.0], 0.1)] == []
    exact = [100.0] * 5 + [115.0] * 5
    assert [round(part.mean) for part in timeseries.levels(exact * 2, 0.1)] == [100, 115, 100, 115]
    calm = [100.0, 99.9, 100.1, 100.0] * 3
    parts = timeseries.levels([*calm, 88.2, 76.8, 73.6, 75.6, *calm[:4]], 0.1)
    assert [(part.start, part.end) for part in parts] == [(0, 12), (12, 16), (16, 20)]


def test_noise_that_lasts_has_a_greater_variance_as_the_literature_says() -> None:
    assert timeseries.variance_factor([1.0, -1.0] * 10) == 1
    assert timeseries.variance_factor([]) == timeseries.variance_factor([0.0] * 5) == 1
    factors = [timeseries.variance_factor([v - 100 for v in noise(2000, seed, lasting=0.5)]) for seed in range(5)]
    assert statistics.fmean(factors) == pytest.approx(3, rel=0.1)
    assert trend.mann_kendall(range(1, 11), 4.0) == pytest.approx(0.049, abs=0.001)


def test_a_parabola_leaves_noise_of_a_trend_that_is_bent() -> None:
    left = timeseries.residuals_of_curve([3 + 2 * i - 0.1 * i * i for i in range(20)], 2)
    assert left == pytest.approx([0.0] * 20, abs=1e-9)
    assert timeseries.residuals_of_curve([7.0], 3) == [0.0]
