"""Differences: p-values are those of the published tests, and a family has no more false ones than it says."""

from __future__ import annotations

from random import Random

import pytest

from benchrig.statistics.difference import holm, welch
from benchrig.statistics.ranks import mann_whitney
from tests.support.noise import Noise, repeats


def test_welch_on_logarithms_is_the_test_of_the_books() -> None:
    found = welch([99.0, 101.0, 100.0], [103.0, 104.0, 106.0])
    assert found
    assert found.ratio == pytest.approx(1.0433, abs=1e-3)
    assert found.low < found.ratio < found.high
    assert (found.p < 0.05) == (found.low > 1)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 1.0, 2.0]])
def test_too_few_values_and_values_of_0_have_no_ratio(values: list[float]) -> None:
    assert welch(values, [1.0, 2.0, 3.0]) is None


def test_equal_constants_do_not_differ_and_others_do() -> None:
    assert welch([5.0] * 3, [5.0] * 3).p == 1.0  # type: ignore[union-attr]
    assert welch([5.0] * 3, [6.0] * 3).p == 0.0  # type: ignore[union-attr]


def test_holm_corrects_for_the_number_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [([1, 2, 3], [4, 5, 6], 0.1), ([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 0.002165), ([0, 0, 0], [0, 0, 0], 1.0)],
)
def test_mann_whitney_is_exact_for_few_values(a: list[float], b: list[float], p: float) -> None:
    assert mann_whitney(a, b) == pytest.approx(p, abs=1e-6)


def test_a_family_of_sixteen_equal_rows_seldom_has_a_false_difference() -> None:
    rng, families, false = Random(1), 400, 0
    for _ in range(families):
        found = [welch(repeats(rng, 6, Noise()), repeats(rng, 6, Noise())) for _ in range(16)]
        false += min(holm([one.p for one in found if one])) < 0.05
    assert false / families <= 0.075
