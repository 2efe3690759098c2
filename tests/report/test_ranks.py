"""Ranks: which places a row can have, and that rows near a ceiling do not fall apart at an edge."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from benchrig.report.ranks import Contender, alike_by_ceiling, ranks
from tests.support.noise import Noise, repeats

STEPS = (-0.02, -0.01, -0.004, 0.004, 0.01, 0.02)
"""Six repeats, as shares of their middle."""

CEILING = 20_000.0


def of(middle: float, ceiling: float | None = None, steps: Sequence[float] = STEPS) -> Contender:
    return Contender(tuple(middle * (1 + step) for step in steps), ceiling)


def texts(*contenders: Contender) -> list[str]:
    return [rank.text for rank in ranks(contenders)]


def test_rows_that_the_repeats_tell_apart_have_a_place_each() -> None:
    assert texts(of(3000), of(1000), of(2000)) == ["1", "3", "2"]


def test_equal_rows_have_all_places() -> None:
    assert texts(*(of(1000, steps=[sign * step for step in STEPS]) for sign in (1, -1, 1, -1, 1, -1))) == ["1-6"] * 6


def test_a_row_between_two_that_differ_shares_places_with_both() -> None:
    assert texts(of(1000), of(980), of(960), of(500)) == ["1-2", "1-3", "2-3", "4"]


def test_the_places_are_corrected_for_the_number_of_rows() -> None:
    pair = (of(1000), of(975))
    assert texts(*pair) == ["1", "2"]
    assert texts(*pair, *[of(987)] * 8) == ["1-10"] * 10
    assert texts(*pair, *(of(3**n) for n in range(6))) == ["1", "2", "8", "7", "6", "5", "4", "3"]


def test_of_equal_rows_one_report_in_twenty_tells_any_apart() -> None:
    rng = Random(12)
    noise = Noise(spread=0.03)
    apart = 0
    for _ in range(40):
        found = texts(*(Contender(tuple(repeats(rng, 6, noise))) for _ in range(5)))
        apart += found != ["1-5"] * 5
    assert apart <= 6


@pytest.mark.parametrize("repeats_of_each", [3, 5])
def test_three_repeats_rank_what_differs_much(repeats_of_each: int) -> None:
    steps = STEPS[:repeats_of_each]
    assert texts(of(1000, steps=steps), of(2000, steps=steps)) == ["2", "1"]


TIGHT = (-0.0004, -0.0002, -0.0001, 0.0001, 0.0002, 0.0004)


@pytest.mark.parametrize(
    ("slower", "faster", "alike"),
    [
        (94.9, 95.1, True),
        (94.9, 96.5, True),
        (96.0, 99.9, True),
        (95.1, 99.9, True),
        (94.0, 99.9, False),
        (90.5, 95.0, False),
        (80.0, 99.0, False),
        (88.0, 89.0, False),
        (105.0, 106.0, True),
        (111.0, 112.0, False),
    ],
)
def test_rows_near_their_ceiling_are_told_apart_by_large_differences_alone(
    slower: float, faster: float, alike: bool
) -> None:
    one, other = (of(share / 100 * CEILING, CEILING, TIGHT) for share in (slower, faster))
    assert alike_by_ceiling(one, other) == alike_by_ceiling(other, one) == alike
    assert texts(one, other) == (["1-2", "1-2"] if alike else ["2", "1"])


def test_no_share_of_the_ceiling_is_an_edge() -> None:
    """Rows half a percent apart are alike at each share from 91.1 % on, and nowhere from 90 % down."""
    alike = [
        alike_by_ceiling(*(of(share * CEILING, CEILING, TIGHT) for share in (thousandth / 1000 - 0.005, thousandth / 1000)))
        for thousandth in range(850, 1001)
    ]
    first = alike.index(True)
    assert 901 <= 850 + first <= 915
    assert all(alike[first:])


def test_noise_that_hides_a_large_difference_leaves_rows_alike() -> None:
    wide = [8 * step for step in STEPS]
    assert alike_by_ceiling(of(0.85 * CEILING, CEILING, wide), of(0.97 * CEILING, CEILING))
    assert not alike_by_ceiling(of(0.85 * CEILING, CEILING, TIGHT), of(0.97 * CEILING, CEILING, TIGHT))


def test_rows_of_other_ceilings_or_of_none_are_told_apart_as_all_rows_are() -> None:
    for ceiling in (None, 2 * CEILING):
        pair = (of(0.97 * CEILING, CEILING, TIGHT), of(0.99 * CEILING, ceiling, TIGHT))
        assert not alike_by_ceiling(*pair)
        assert texts(*pair) == ["2", "1"]


def test_of_one_repeat_the_values_themselves_are_compared_with_the_ceiling() -> None:
    at, near, below = (of(share * CEILING, CEILING, (0.0,)) for share in (0.97, 0.95, 0.5))
    assert alike_by_ceiling(at, near)
    assert not alike_by_ceiling(at, below)
