"""Ranks: rows that the data do not tell apart share one, and the ceiling has no edge."""

from __future__ import annotations

import itertools

import pytest

from benchrig.statistics.ties import BELOW_CEILING, CEILING, Rank, ceiling_hides, ceiling_margin, ranks


def _around(middle: float, spread: float = 0.001) -> list[float]:
    return [middle * (1 - spread), middle, middle * (1 + spread), middle * (1 + spread / 2)]


def test_rows_far_apart_have_ranks_of_their_own() -> None:
    assert ranks([_around(100), _around(300), _around(200)]) == [Rank(3, 3), Rank(1, 1), Rank(2, 2)]


def test_rows_that_are_not_told_apart_share_a_rank() -> None:
    assert ranks([_around(100), _around(100.05), _around(50)]) == [Rank(1, 2), Rank(1, 2), Rank(3, 3)]


def test_a_row_between_two_others_can_have_the_place_of_each() -> None:
    assert ranks([_around(100, 0.01), _around(97.5, 0.02), _around(95, 0.01)]) == [Rank(1, 2), Rank(1, 3), Rank(2, 3)]


def test_a_row_of_fewer_than_three_repeats_has_no_rank_and_pushes_none_back() -> None:
    assert ranks([_around(100), [500.0, 501.0], _around(50), []]) == [Rank(1, 1), None, Rank(2, 2), None]
    assert ranks([]) == []


def test_a_row_of_some_zeros_is_ranked_by_order() -> None:
    assert ranks([[0.0, 1, 2, 3, 4], [10.0, 11, 12, 13, 14]]) == [Rank(2, 2), Rank(1, 1)]


def test_equal_constants_share_a_rank() -> None:
    assert ranks([[7.0] * 3, [7.0] * 4, [6.0] * 3]) == [Rank(1, 2), Rank(1, 2), Rank(3, 3)]


@pytest.mark.parametrize(
    ("faster", "slower", "places"),
    [
        # Both are at the ceiling of 1,000, and next to its edge on both sides.
        (990, 960, (1, 1)),
        (951, 949, (1, 1)),
        # The slower one is further behind than the ceiling hides.
        (990, 930, (1, 2)),
        (800, 780, (1, 2)),
    ],
)
def test_near_the_ceiling_a_difference_must_be_more_than_what_the_ceiling_hides(
    faster: float, slower: float, places: tuple[int, int]
) -> None:
    found = ranks([_around(faster), _around(slower)], [1000.0, 1000.0])
    assert tuple(rank.first for rank in found if rank) == places


def test_rows_with_different_ceilings_are_ranked_by_what_they_reach() -> None:
    assert ranks([_around(990), _around(960)], [1000.0, None]) == [Rank(1, 1), Rank(2, 2)]
    assert ranks([_around(990), _around(960)], [1000.0, 970.0]) == [Rank(1, 1), Rank(2, 2)]


def test_the_margin_grows_without_a_step() -> None:
    assert ceiling_hides(BELOW_CEILING) == 0
    assert ceiling_hides(CEILING) == ceiling_hides(1.05) == pytest.approx(1 / CEILING - 1)
    steps = [ceiling_hides(0.89 + i / 1000) for i in range(80)]
    assert all(0 <= after - before < 0.002 for before, after in itertools.pairwise(steps))


def test_a_ceiling_is_the_same_but_for_the_rounding_of_its_quotient() -> None:
    ceiling = 2000 / 0.1
    assert ceiling_margin((19_900.0, 19_000.0), (ceiling, ceiling * (1 + 1e-15))) == pytest.approx(1 / CEILING - 1)
    assert ceiling_margin((19_900.0, 19_000.0), (ceiling, 1.01 * ceiling)) == 0
    assert ceiling_margin((19_900.0, 19_000.0), (ceiling, None)) == 0
