"""The interval of a median: its ends are those of the published tables, and it covers the median as often as it says."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from benchrig.statistics import interval
from tests.support.noise import Noise, repeats


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


def test_twelve_repeats_have_the_interval_that_minitab_prints() -> None:
    # The example of its 1-sample sign test: from the 3rd to the 10th value it is (17.4, 19) with 96.14 %, from the 4th to
    # the 9th (17.5, 18.1) with 85.40 %, and the interpolated one is (17.4263, 18.7632). The other values do not matter.
    found = interval.of_median([17.0, 17.2, 17.4, 17.5, 17.6, 17.7, 17.7, 17.8, 18.1, 19.0, 19.2, 19.4])
    assert found
    assert (found.low, found.high) == (pytest.approx(17.4263, abs=1e-4), pytest.approx(18.7632, abs=1e-4))


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7, 8, 9, 12, 20])
def test_the_interval_covers_the_median_as_often_as_it_says(count: int) -> None:
    rng = Random(count)
    inside = 0
    for _ in range(2000):
        found = interval.of_median(repeats(rng, count, Noise()))
        assert found
        inside += found.low <= 1000 <= found.high
    assert 0.94 <= inside / 2000 <= 0.97
