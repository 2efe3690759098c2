"""Differences: p-values are those of the published tests, and a family has no more false ones than it says."""

from __future__ import annotations

import pytest

from benchrig.statistics.difference import holm, welch
from benchrig.statistics.interval import of_median
from benchrig.statistics.ranks import mann_whitney

A = [2016.62, 1998.4, 2041.9, 2007.1, 1989.3, 2022.8]
B = [2088.1, 2049.7, 2101.2, 2063.0, 2079.9, 2120.4]


@pytest.mark.parametrize(
    ("a", "b", "p", "df", "low", "high"),
    [
        (A, B, 0.0003299990252005424, 9.314963101637785, 1.0207260324483474, 1.0500078945526337),
        (
            [310.2, 335.9, 298.4],
            [280.1, 281.3, 279.4, 282.0, 280.8],
            0.08244339311640145,
            2.0085941560772334,
            0.7687913809056869,
            1.0366526574998665,
        ),
    ],
)
def test_without_outliers_it_is_the_test_of_scipy(
    a: list[float], b: list[float], p: float, df: float, low: float, high: float
) -> None:
    found = welch(a, b)
    assert found
    assert (found.p, found.df) == (pytest.approx(p), pytest.approx(df))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_an_outlier_hides_no_difference() -> None:
    slow = [*A[:-1], 0.8 * A[-1]]
    found, plain = welch(slow, B), welch(A, B)
    assert found
    assert plain
    assert found.p < 0.002
    assert found.ratio == pytest.approx(plain.ratio, rel=0.01)


def test_a_margin_makes_small_differences_none() -> None:
    within, beyond = welch(A, B, margin=0.04), welch(A, B, margin=0.005)
    assert within
    assert beyond
    assert within.p == 1
    assert 0.0003 < beyond.p < 0.05


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


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        ([310.2, 335.9, 298.4], [280.1, 281.3, 279.4, 282.0, 280.8], 0.03571428571428571),
        ([1, 5, 9, 11, 13], [2, 3, 4, 6, 7, 8], 0.32900432900432897),
        # With equal values, by the normal approximation with its two corrections.
        ([0, 0, 1, 2, 0], [1, 3, 3, 5, 2, 0], 0.09026925313258724),
        ([1, 1, 2, 2], [2, 3, 3, 3], 0.047057446282172885),
    ],
)
def test_mann_whitney_is_that_of_scipy(a: list[float], b: list[float], p: float) -> None:
    assert mann_whitney(a, b) == pytest.approx(p, rel=1e-9)


def test_one_system_in_two_states_does_not_differ_from_itself() -> None:
    a, b = (10_003, 9_998, 10_001, 9_996, 9_502, 9_499), (9_501, 9_497, 9_504, 9_500, 10_002, 9_999)
    found = welch(a, b)
    assert found
    assert found.p > 0.05
    assert found.detectable > 0.05


def test_a_third_of_slow_repeats_is_not_hidden() -> None:
    found = welch((10_000, 10_010, 9_990, 10_020, 9_995, 10_005), (10_000, 10_012, 9_991, 10_018, 7_000, 7_050))
    assert found
    assert found.low < 0.75
    assert found.p > 0.05


@pytest.mark.parametrize("odd", [1e-300, 5e-324, 1e300, 1.7e308])
def test_a_value_of_another_world_is_no_crash(odd: float) -> None:
    values = [odd, 1000.0, 1001.0, 999.0, 1002.0, 998.0]
    for count in (3, 4, 6):
        found = welch(values[:count], [1000.0, 1001.0, 1002.0])
        assert found
        assert found.low <= found.ratio <= found.high
        assert of_median(values[:count])
