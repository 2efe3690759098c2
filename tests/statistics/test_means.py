"""The geometric mean of ratios: of rows that go up and down alike it is 1, and its interval narrows with the rows."""

from __future__ import annotations

from random import Random

import pytest

from benchrig.statistics.difference import Difference, welch
from benchrig.statistics.means import geometric
from tests.support.noise import Noise, repeats


def _difference(rng: Random, ratio: float) -> Difference:
    found = welch(repeats(rng, 6, Noise()), repeats(rng, 6, Noise(), ratio))
    assert found
    return found


def test_no_rows_have_no_mean() -> None:
    assert geometric([]) is None


def test_the_mean_of_a_ratio_and_its_inverse_is_1() -> None:
    up = welch([1.0, 1.1, 1.2], [2.0, 2.1, 2.4])
    down = welch([2.0, 2.1, 2.4], [1.0, 1.1, 1.2])
    assert up
    assert down
    found = geometric([up, down])
    assert found
    assert found.ratio == pytest.approx(1)
    assert found.low * found.high == pytest.approx(1)
    assert found.rows == 2


def test_sixteen_rows_show_what_one_does_not_and_the_interval_holds() -> None:
    rng, holds, shown, rounds = Random(2), 0, 0, 100
    for _ in range(rounds):
        found = geometric([_difference(rng, 1.02) for _ in range(16)])
        assert found
        holds += found.low <= 1.02 <= found.high
        shown += found.p < 0.05
    assert holds / rounds >= 0.88
    assert shown / rounds > 0.95
