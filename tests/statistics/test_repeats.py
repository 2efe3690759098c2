"""Checks of repeats: what each finds, what explains what, and how often one is wrong."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulations import repeats as simulated
from benchrig.results.codes import Code
from benchrig.statistics import repeats, trend
from benchrig.statistics.repeats import Findings, judge
from tests.support.caused_repeats import OF_REPEATS, SOUND

VALUES = st.lists(st.floats(1, 1e6), max_size=40)


def test_sound_repeats_have_no_finding() -> None:
    assert judge(SOUND) == Findings()


@pytest.mark.parametrize("values", [[], [5.0], [0.0] * 30, [1000.0] * 30, [1000.0] * 29 + [0.0], SOUND[:5]])
def test_of_nothing_and_of_equal_or_impossible_values_nothing_is_said(values: list[float]) -> None:
    assert judge(values) == Findings()


@given(VALUES)
def test_any_values_are_judged_and_places_are_places(values: list[float]) -> None:
    found = judge(values)
    assert all(1 <= place <= len(values) for place in found.outliers)
    if found.states:
        assert found.states.low < found.states.high
        assert 3 <= found.states.in_low <= len(values) - 3


@given(st.lists(st.integers(1, 10**6), max_size=40))
def test_the_unit_of_the_values_does_not_matter(values: list[int]) -> None:
    one, other = judge(values), judge([4 * value for value in values])
    assert one.drift == other.drift
    assert bool(one.states) == bool(other.states)


def test_a_drift_is_told_with_its_size_and_explains_that_neighbours_are_alike() -> None:
    found = judge(OF_REPEATS[Code.REPEATS_DRIFT])
    assert found.drift == pytest.approx(72 / 1036)
    assert found.correlation is None
    assert judge(OF_REPEATS[Code.REPEATS_DRIFT][::-1]).drift == pytest.approx(-72 / 1036)


def test_a_drift_that_is_certain_and_small_is_not_told() -> None:
    small = [1000.0 + i for i in range(10)]
    assert trend.mann_kendall(small) < 0.001
    assert judge(small).drift is None


def test_two_states_are_told_with_how_often_they_change() -> None:
    states = judge(OF_REPEATS[Code.TWO_STATES]).states
    assert states
    assert (round(states.low), round(states.high), states.in_low, states.changes) == (1001, 1100, 5, (1, 2, 3, 4, 5, 7, 9))


def test_a_state_that_changed_once_is_no_drift() -> None:
    found = judge([*(value * 0.9 for value in SOUND[:7]), *SOUND[:6]])
    assert found.states
    assert found.states.changes == (7,)
    assert (found.drift, found.outliers) == (None, ())


def test_neighbours_that_are_alike_are_told_with_what_they_are_worth() -> None:
    found = judge(OF_REPEATS[Code.REPEATS_CORRELATED]).correlation
    assert found
    assert 0.5 < found.at_lag_1 < 0.9
    assert found.worth == pytest.approx(12 * (1 - found.at_lag_1) / (1 + found.at_lag_1))


def test_bartels_ratio_is_that_of_the_literature() -> None:
    # Of 1 to n in order the ratio is (n - 1) / (n (n² - 1) / 12); one that goes up and down is no finding.
    assert repeats.correlation([1000.0 + 10 * i for i in range(10)])
    assert not repeats.correlation([1000.0, 1100.0] * 8)


def test_outliers_do_not_hide_each_other() -> None:
    values = [*SOUND, 700.0, 705.0]
    assert judge(values).outliers == (13, 14)
    assert judge([*SOUND[:5], 800.0, *SOUND[5:]]).outliers == (6,)


def test_grubbs_limits_are_those_of_the_literature() -> None:
    # Two-sided, 1 %: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.17.1; 10 and 20 values.
    values = [0.0] * 9 + [1.0]
    spread = math.sqrt(sum((value - 0.1) ** 2 for value in values) / 9)
    assert (1 - 0.1) / spread == pytest.approx(2.846, abs=0.001)
    assert repeats.farthest(10, 0.01) == pytest.approx(2.482, abs=0.001)
    assert repeats.farthest(20, 0.01) == pytest.approx(3.001, abs=0.001)


def test_thousands_of_repeats_are_judged_at_once() -> None:
    rng = Random(1)
    assert judge([1000 * math.exp(rng.gauss(0, 0.03)) for _ in range(3000)]).drift is None
    assert judge([1000 * math.exp(rng.gauss(0, 0.03)) + i / 10 for i in range(3000)]).drift == pytest.approx(0.26, abs=0.03)


@pytest.mark.parametrize("check", simulated.CHECKS)
@pytest.mark.parametrize("n", [8, 12, 20])
def test_of_sound_repeats_one_in_a_hundred_has_a_finding_by_chance(check: str, n: int) -> None:
    assert simulated.share(check, simulated.of_noise(simulated.CALM), n, cases=600) <= 0.02


@pytest.mark.parametrize("fault", simulated.FAULTS, ids=lambda fault: fault.text)
def test_of_fifty_repeats_most_faults_are_found(fault: simulated.Fault) -> None:
    assert simulated.share(fault.check, fault.source, 50, cases=100) >= 0.6


def test_an_interval_that_ended_a_run_still_covers() -> None:
    found = simulated.stopped(0.02, 0.03, least=6, cases=300, most=60)
    assert found.reached > 0.95
    assert found.covered > 0.9
