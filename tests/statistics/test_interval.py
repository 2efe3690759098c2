"""The interval of a median: its ends are those of the published tables, and it covers the median as often as it says."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from benchrig.statistics import interval, student
from tests.support.noise import Noise, repeats


@pytest.mark.parametrize(
    ("probability", "df", "value"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 5, 2.5706), (0.995, 10, 3.1693), (0.975, 1e6, 1.95997), (0.5, 3, 0)],
)
def test_quantiles_of_student_are_those_of_the_tables(probability: float, df: float, value: float) -> None:
    assert student.quantile(probability, df) == pytest.approx(value, abs=1e-4)
    assert student.cdf(student.quantile(probability, df), df) == pytest.approx(probability, abs=1e-12)


def test_two_repeats_have_no_interval_and_three_have_one_by_assumption() -> None:
    assert interval.of_median([1.0, 2.0]) is None
    found = interval.of_median([99.0, 100.0, 102.0])
    assert found
    assert found.assumed
    logs = [math.log(value) for value in (99.0, 100.0, 102.0)]
    half = 4.302653 * statistics.stdev(logs) / math.sqrt(3)
    assert math.log(found.high) - statistics.fmean(logs) == pytest.approx(half, rel=1e-6)


def test_six_repeats_have_the_interval_of_hettmansperger_and_sheather() -> None:
    found = interval.of_median([6.0, 1.0, 5.0, 2.0, 4.0, 3.0])
    assert found
    assert (found.low, found.high, found.assumed) == (pytest.approx(1.357143), pytest.approx(5.642857), False)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7, 8, 9, 12, 20])
def test_the_interval_covers_the_median_as_often_as_it_says(count: int) -> None:
    rng = Random(count)
    inside = 0
    for _ in range(2000):
        found = interval.of_median(repeats(rng, count, Noise()))
        assert found
        inside += found.low <= 1000 <= found.high
    assert 0.94 <= inside / 2000 <= 0.97
