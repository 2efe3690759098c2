"""Estimates: errors of what is computed from several add up as theory says, and arithmetic alone makes no difference."""

from __future__ import annotations

import math

import pytest

from benchrig.statistics.estimate import Estimate, combined, moves, of_logs, of_values


def test_a_sample_of_logarithms_has_the_error_of_its_mean() -> None:
    found = of_logs([math.exp(1.0), math.exp(2.0), math.exp(3.0)])
    assert found
    assert (found.value, found.error, found.df) == (pytest.approx(2), pytest.approx(1 / math.sqrt(3)), 2)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 1.0, 2.0], [-1.0, 1.0, 2.0]])
def test_too_few_values_and_values_without_a_logarithm_have_none(values: list[float]) -> None:
    assert of_logs(values) is None


def test_the_quotient_of_a_quotient_is_the_product() -> None:
    a, b = of_values([1.0, 2.0, 3.0]), of_values([2.0, 5.0, 6.0, 7.0])
    once = combined([(1, b), (-1, a)])
    assert (once.value, once.error) == (pytest.approx(3), pytest.approx(math.hypot(a.error, b.error)))
    assert min(a.df, b.df) <= once.df <= a.df + b.df
    assert combined([(-1, once)]).error == pytest.approx(once.error)


def test_degrees_of_freedom_of_equal_spreads_add_up() -> None:
    part = Estimate(0.0, 1e-200, 4)
    assert combined([(1, part), (-1, part)]).df == 8
    assert combined([(1, Estimate(0.0, 0.01, 4)), (-1, Estimate(0.0, 0.01, 4))]).df == pytest.approx(8)


def test_the_p_value_is_that_of_the_interval() -> None:
    found = Estimate(0.05, 0.02, 7)
    low, high = found.interval()
    assert found.p(limit=low) == pytest.approx(0.05)
    assert found.p(limit=high) == pytest.approx(0.05)
    assert found.p(margin=0.01) == pytest.approx(found.p(limit=0.01))
    assert found.p(margin=0.05) == 1


def test_what_only_rounding_makes_is_no_difference() -> None:
    a, b = of_logs([0.1 + 0.2] * 3), of_logs([0.3] * 5)
    assert a
    assert b
    found = combined([(1, b), (-1, a)])
    assert found.p() == 1
    assert combined([(1, found), (1, Estimate(0.1, 0.0, 3))]).p() == 0


def test_an_outlier_is_held_and_its_value_no_longer_matters() -> None:
    near, far = of_values([1.0, 1.1, 0.9, 1.05, 0.95, 2.0]), of_values([1.0, 1.1, 0.9, 1.05, 0.95, 9.0])
    assert near == far
    assert near.value == pytest.approx(1.0, abs=0.07)
    assert near.error < 0.1


def test_outliers_are_held_where_they_lie_apart() -> None:
    middle, moved = moves([1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 5.0, 9.0])
    assert middle == pytest.approx(1.04, abs=0.03)
    assert max(moved) < 0.5
    assert math.fsum(moved) == pytest.approx(0, abs=1e-9)


def test_values_without_an_outlier_have_their_mean() -> None:
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]
    assert of_values(values).value == pytest.approx(sum(values) / 6)


@pytest.mark.parametrize(
    "values",
    [
        # One of five may be the outlier, or the only right one.
        [1.0, 1.01, 1.02, 1.03, 5.0],
        # Two states: of six, two lie elsewhere, and of ten, two lie together.
        [1.0, 1.01, 1.02, 5.0, 5.01, 5.02],
        [1.0, 1.01, 1.02, 1.03, 5.0, 5.01],
        [1.0, 1.01, 1.02, 1.03, 5.0, 9.0],
        [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 5.0, 5.01],
        # Most are equal: the robust deviation is 0, and knows no reach.
        [1.0, 1.0, 1.0, 1.0, 1.1, 1.2],
    ],
)
def test_where_nobody_knows_the_outliers_it_is_the_mean(values: list[float]) -> None:
    middle, moved = moves(values)
    assert middle == pytest.approx(sum(values) / len(values))
    assert moved == pytest.approx([value - middle for value in values])
