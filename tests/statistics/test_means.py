"""The geometric mean of ratios: of rows that go up and down alike it is 1, and its interval narrows with the rows."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.simulations import boots as simulated
from benchrig.statistics.boots import Spread
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


def test_what_a_boot_does_to_all_rows_is_in_the_interval_once() -> None:
    rng = Random(1)
    rows = [_difference(rng, 1.0) for _ in range(16)]
    boots = [Spread(0.02, 0.02, 8, 0.02)] * 16
    alone, found = geometric(rows), geometric(rows, boots)
    assert alone
    assert found
    assert found.ratio == pytest.approx(alone.ratio)
    # Student's quantile for seven boots; the rows' own noise adds little.
    assert found.high / found.ratio - 1 == pytest.approx(2.36 * 2**0.5 * 0.02, rel=0.1)


@pytest.mark.parametrize("rows", [3, 16])
def test_the_mean_of_rows_that_share_a_boot_holds_as_often_as_that_of_one(rows: int) -> None:
    rng = Random(4)
    case = simulated.CASES[1]
    misses = simulated.share(150, lambda: simulated.mean_misses(rng, case, rows, is_known=True))
    alone = simulated.share(60, lambda: simulated.mean_misses(rng, case, rows, is_known=False))
    assert misses <= 0.07
    assert alone >= 0.4
