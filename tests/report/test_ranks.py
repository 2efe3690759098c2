"""Ranks of a table's rows: who is ranked among whom, and that no edge parts rows that are alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchrig.report.ranks import Contender, places, ranks

STEPS = (-0.02, -0.01, -0.004, 0.004, 0.01, 0.02)
"""Six repeats, as shares of their middle."""

TIGHT = tuple(step / 50 for step in STEPS)

CEILING = 20_000.0


def of(middle: float, ceiling: float | None = None, steps: Sequence[float] = STEPS, conditions: str = "") -> Contender:
    return Contender(tuple(middle * (1 + step) for step in steps), conditions, ceiling)


def texts(*contenders: Contender | None) -> list[str]:
    return [places(rank) for rank in ranks(contenders)]


def test_rows_that_the_repeats_tell_apart_have_a_place_each() -> None:
    assert texts(of(3000), of(1000), of(2000)) == ["1", "3", "2"]


def test_equal_rows_have_all_places() -> None:
    assert texts(*[of(1000)] * 6) == ["1-6"] * 6


def test_a_row_between_two_that_differ_shares_places_with_both() -> None:
    assert texts(of(1000), of(980), of(960), of(500)) == ["1-2", "1-3", "2-3", "4"]


def test_the_places_are_corrected_for_the_number_of_rows() -> None:
    pair = (of(1000), of(975))
    assert texts(*pair) == ["1", "2"]
    assert texts(*pair, *[of(987)] * 8) == ["1-10"] * 10


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_three_repeats_rank_what_differs_much_and_fewer_rank_nothing(count: int) -> None:
    rows = [of(middle, steps=STEPS[:count]) for middle in (1000, 2000)]
    assert texts(*rows) == (["2", "1"] if count >= 3 else ["–", "–"])
    assert texts(*rows, of(500)) == (["2", "1", "3"] if count >= 3 else ["–", "–", "–"])


def test_rows_are_ranked_among_those_of_their_conditions_and_a_lone_one_is_not() -> None:
    rows = [of(1000, conditions="a"), of(5, conditions="b"), None, of(2000, conditions="a"), of(9, conditions="c")]
    assert texts(*rows, of(7, conditions="c")) == ["2", "–", "–", "1", "1", "2"]


@pytest.mark.parametrize(
    ("slower", "faster", "alike"),
    [
        (94.9, 95.1, True),
        (94.9, 96.5, True),
        (96.0, 99.9, True),
        (95.1, 99.9, True),
        (93.0, 99.9, False),
        (89.0, 95.0, False),
        (80.0, 99.0, False),
        (88.0, 89.0, False),
    ],
)
def test_rows_near_their_ceiling_are_told_apart_by_large_differences(slower: float, faster: float, alike: bool) -> None:
    one, other = (of(share / 100 * CEILING, CEILING, TIGHT) for share in (slower, faster))
    assert texts(one, other) == (["1-2", "1-2"] if alike else ["2", "1"])


def test_no_share_of_the_ceiling_is_an_edge() -> None:
    """Rows half a percent apart share places at each share of the ceiling from 91 % on, and nowhere below 90 %."""
    shares = [thousandth / 1000 for thousandth in range(850, 1001)]
    alike = [texts(*(of(at * CEILING, CEILING, TIGHT) for at in (share - 0.005, share)))[0] == "1-2" for share in shares]
    first = alike.index(True)
    assert 0.9 < shares[first] < 0.915
    assert all(alike[first:])


def test_rows_of_other_ceilings_or_of_none_are_told_apart_as_all_rows_are() -> None:
    for ceiling in (None, 2 * CEILING):
        assert texts(of(0.97 * CEILING, CEILING, TIGHT), of(0.99 * CEILING, ceiling, TIGHT)) == ["2", "1"]
