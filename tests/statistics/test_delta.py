"""Values of expressions over samples: errors by the delta method."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from benchrig.statistics.delta import Uncertain, of_interval, of_sample
from benchrig.statistics.difference import welch

A, B = (100.0, 103.0, 98.0, 101.0, 105.0, 99.0), (50.0, 49.0, 52.0, 50.5)


def test_the_interval_of_a_quotient_is_welchs() -> None:
    found, expected = (of_sample(A, "a").log() - of_sample(B, "b").log()).ends(), welch(B, A)
    assert expected
    assert [math.exp(end) for end in found] == pytest.approx([expected.low, expected.high], rel=1e-9)
    quotient = (of_sample(A, "a") * of_sample(B, "b").inverse()).log()
    assert quotient.ends() == pytest.approx(found, rel=1e-9)


def test_a_quotient_holds_outliers_as_welchs_test_does() -> None:
    a, b = (100.0, 100.4, 99.7, 100.2, 99.9, 60.0), (98.0, 98.3, 97.6, 98.2, 98.1, 97.9)
    found, expected = (of_sample(b, "b").log() - of_sample(a, "a").log()), welch(a, b)
    assert expected
    assert (math.exp(found.value), found.estimate.error) == pytest.approx((expected.ratio, expected.error))
    assert found.value < 0
    assert found.p_below() == pytest.approx(expected.p / 2)


@pytest.mark.parametrize("repeats", [2, 3, 6, 20])
def test_a_value_with_an_interval_has_the_error_that_its_wider_side_tells(repeats: int) -> None:
    found = of_interval(100.0, 99.0, 104.0, repeats, "a").log()
    assert [math.exp(end) for end in found.ends()] == pytest.approx([100 / 1.04, 104.0])
    assert found.estimate.df == pytest.approx(repeats - 1)
    assert of_interval(49.0, 49.0, 49.0, repeats, "a").estimate.error == 0


def test_the_value_is_that_of_geometric_means() -> None:
    a, b = of_sample(A, "a"), of_sample(B, "b")
    means = statistics.geometric_mean(A), statistics.geometric_mean(B)
    assert (a.value, b.value) == pytest.approx(means)
    assert ((a + b).value, (a - b).value, (a * b).value) == pytest.approx(
        (sum(means), means[0] - means[1], math.prod(means))
    )


def test_the_error_of_a_sum_is_that_of_its_parts_together() -> None:
    a, b = of_sample(A, "a"), of_sample(B, "b")
    both = math.hypot(a.estimate.error, b.estimate.error)
    assert (a + b).estimate.error == pytest.approx(both)
    assert (a - b).estimate.error == pytest.approx(both)
    assert (a * Uncertain(60.0)).estimate.error == pytest.approx(60 * a.estimate.error)


def test_what_stands_twice_counts_once() -> None:
    a, b = of_sample(A, "a"), of_sample(B, "b")
    assert (a * a.inverse()).estimate.error == 0
    assert (a - a).ends() == (0.0, 0.0)
    assert (a + a).estimate.error == pytest.approx(2 * a.estimate.error)
    share = a * (a + b).inverse()
    # The same with the figure once: 1 / (1 + b / a).
    once = (Uncertain(1.0) + b * a.inverse()).inverse()
    assert share.value == pytest.approx(once.value)
    assert share.estimate.error == pytest.approx(once.estimate.error)


def test_values_of_the_same_repeats_may_be_correlated() -> None:
    twice, inverse = tuple(2 * value for value in A), tuple(1000 / value for value in A)
    a = of_sample(A, "row")
    assert (of_sample(twice, "row") * a.inverse()).estimate.error == pytest.approx(0, abs=1e-12)
    assert (of_sample(inverse, "row") * a).estimate.error == pytest.approx(0, abs=1e-9)
    ratio = (a * of_sample(inverse, "row").inverse()).log()
    assert ratio.estimate.error == pytest.approx(2 * a.log().estimate.error)


def test_the_degrees_of_freedom_lie_between_those_of_the_smaller_sample_and_of_all() -> None:
    rng = Random(1)
    for _ in range(20):
        a = of_sample([rng.lognormvariate(0, 0.1) for _ in range(9)], "a")
        b = of_sample([rng.lognormvariate(0, 0.3) for _ in range(4)], "b")
        assert 3 <= (a + b).estimate.df <= 11


def test_a_p_value_is_small_where_the_value_is_shown_to_be_below_0() -> None:
    difference = of_sample(B, "b").log() - of_sample(A, "a").log()
    two_sided = welch(A, B)
    assert two_sided
    assert difference.p_below() == pytest.approx(two_sided.p / 2)
    assert (Uncertain(0.0) - difference).p_below() == pytest.approx(1 - two_sided.p / 2)


@pytest.mark.parametrize(
    ("value", "strictly", "p"), [(-1.0, True, 0.0), (0.0, True, 1.0), (0.0, False, 0.0), (1.0, False, 1.0)]
)
def test_an_exact_value_is_below_0_or_not(value: float, strictly: bool, p: float) -> None:
    assert Uncertain(value).p_below(strictly) == p


def test_equal_repeats_are_known_without_an_error() -> None:
    found = of_sample([49.0] * 6, "a")
    assert (found.value, found.ends()) == (49.0, (49.0, 49.0))


def test_a_bound_that_is_never_reached_takes_no_part() -> None:
    a, open_above = of_sample(A, "a"), Uncertain(math.inf)
    assert (open_above * Uncertain(0.0)).value == 0
    assert (a * open_above).value == math.inf
    assert (a + open_above).ends() == (math.inf, math.inf)
