"""Steps in a series of runs, and the judgement of the newest one."""

from __future__ import annotations

import math
from random import Random

import pytest

from benchmarks.simulations import history
from benchrig.statistics.steps import LEAST_RUNS, deviation, last_level, predicted, reference, steps
from tests.support.noise import Noise


def around(*levels: tuple[int, float], spread: float = 0.01, seed: int = 1) -> list[float]:
    """Return a series of levels, each with its number of runs, with noise."""
    rng = Random(seed)
    return [level * math.exp(rng.gauss(0, spread)) for count, level in levels for _ in range(count)]


def test_a_step_is_found_at_its_place() -> None:
    assert steps(around((10, 1000.0), (10, 900.0))) == (10,)


def test_a_slowdown_that_was_mended_has_two_steps() -> None:
    assert steps(around((8, 1000.0), (4, 900.0), (8, 1000.0))) == (8, 12)


def test_a_single_run_and_two_are_no_level() -> None:
    values = around((12, 1000.0))
    assert steps([*values[:6], 700.0, *values[6:]]) == ()
    assert steps([*values, 700.0]) == ()


def test_levels_of_equal_values_are_told_apart() -> None:
    assert steps([4.0] * 5 + [5.0] * 5) == (5,)
    assert steps([0.0] * 5 + [3.0] * 5) == (5,)
    assert steps([1234.5678] * 12) == ()


@pytest.mark.parametrize("more", [4096.0, 0.004 * 40e6])
def test_a_page_more_after_equal_values_is_neither_off_nor_a_step(more: float) -> None:
    before = [40_000_000.0] * 6
    found = deviation(before, before[0] + more)
    assert found
    assert found.p == 1.0
    assert found.prediction.low <= before[0] + more <= found.prediction.high
    assert steps([*before, *([before[0] + more] * 6)]) == ()


@pytest.mark.parametrize("values", [[4e7] * 6, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]])
def test_a_change_that_matters_is_off_as_before(values: list[float]) -> None:
    found = deviation(values, 1.01 * max(values) + 4)
    assert found
    assert found.p < 0.05
    assert not found.prediction.low <= 1.01 * max(values) + 4 <= found.prediction.high


@pytest.mark.parametrize("values", [[], [5.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
def test_a_short_series_has_no_steps(values: list[float]) -> None:
    assert steps(values) == ()
    assert last_level(values) == values


def test_only_the_runs_since_the_last_step_judge() -> None:
    values = around((10, 1000.0), (6, 500.0))
    assert last_level(values) == values[10:]


def test_a_worse_level_never_becomes_the_reference() -> None:
    for slow in (1, 2, 3, 6, 40):
        found = reference(around((10, 1000.0), (slow, 850.0)), higher_is_better=True)
        assert (found.places, found.worse_since) == (tuple(range(10)), 10), slow
    latency = reference(around((10, 50.0), (6, 60.0)), higher_is_better=False)
    assert (latency.places, latency.worse_since) == (tuple(range(10)), 10)


def test_a_single_slow_run_is_not_in_the_reference() -> None:
    values = around((12, 1000.0))
    found = reference([*values[:8], 500.0, *values[8:]], higher_is_better=True)
    assert 8 not in found.places
    assert len(found.places) >= 11
    assert found.worse_since is None


def test_a_better_level_becomes_the_reference_once_it_has_enough_runs() -> None:
    few = around((10, 1000.0), (LEAST_RUNS - 1, 1150.0))
    assert reference(few, higher_is_better=True).places == tuple(range(10))
    enough = around((10, 1000.0), (LEAST_RUNS, 1150.0))
    assert reference(enough, higher_is_better=True).places == tuple(range(10, 10 + LEAST_RUNS))
    back = reference([*enough, *around((4, 1000.0), seed=2)], higher_is_better=True)
    assert (back.places, back.worse_since) == (tuple(range(10, 10 + LEAST_RUNS)), 10 + LEAST_RUNS)


def test_a_level_that_was_mended_joins_the_reference() -> None:
    found = reference(around((10, 1000.0), (5, 850.0), (6, 1000.0)), higher_is_better=True)
    assert {*range(10, 15)}.isdisjoint(found.places)
    assert found.places[-1] >= 19
    assert found.worse_since is None


def test_without_a_direction_the_last_level_is_the_reference() -> None:
    found = reference(around((10, 1000.0), (6, 850.0)), higher_is_better=None)
    assert (found.places, found.worse_since) == (tuple(range(10, 16)), None)


def test_a_slowdown_that_stays_is_never_passed() -> None:
    assert history.passing(history.of_reference, 0.85, Noise(0.01), 8).runs == 0.0
    assert history.passing(last_level, 0.85, Noise(0.01), 8).runs > 0.5


def test_too_few_runs_judge_nothing() -> None:
    values = around((LEAST_RUNS - 1, 1000.0))
    assert predicted(values) is None
    assert deviation(values, 1.0) is None
    assert deviation([*values, 1000.0], 1.0) is not None


def test_a_prediction_is_students() -> None:
    """By hand: logarithms 0, 1, 2, 3, 4 have mean 2 and standard deviation 1.5811; t of 4 is 2.7764."""
    found = predicted([math.exp(i) for i in range(5)])
    assert found
    half = 2.776445 * math.sqrt(2.5) * math.sqrt(1.2)
    assert (found.expected, found.low, found.high) == pytest.approx(
        (math.exp(2), math.exp(2 - half), math.exp(2 + half)), rel=1e-5
    )


def test_values_at_zero_are_judged_as_they_are() -> None:
    always = deviation([0.0] * 8, 0.0)
    assert always
    assert (always.p, always.ratio, always.prediction.high) == (1.0, 1.0, 0.0)
    first = deviation([0.0] * 8, 3.0)
    assert first
    assert (first.p, first.ratio) == (0.0, None)
    gone = deviation(around((8, 1000.0)), 0.0)
    assert gone
    assert gone.p < 0.001
    assert gone.ratio == 0.0


@pytest.mark.parametrize("noise", [Noise(0.03), Noise(0.03, outliers=0.05, boots=0.02)])
def test_false_alarms_are_one_in_twenty_at_most(noise: Noise) -> None:
    """1,000 cases: three standard deviations of 5 % are 2.1 %."""
    assert history.off_share(history.by_prediction, 10, noise, 1.0, 1000) <= 0.071
    assert history.stepping_share(20, noise, 500) <= 0.08


def test_steps_of_ten_percent_are_found() -> None:
    assert history.found_share(10, 10, 0.9, history.USUAL, 100) >= 0.9
    assert history.off_share(history.by_prediction, 20, history.USUAL, 0.9, 300) >= 0.75
