"""Advice: what is shown needs none, what nearly is gets a number of repeats, and all else says what is excluded."""

from __future__ import annotations

import math

import pytest

from benchrig.statistics import advice, student
from benchrig.statistics.difference import SIGNIFICANT, welch
from benchrig.statistics.estimate import Estimate

ERROR, DF = 0.01, 10.0
SHOWN = student.quantile(1 - SIGNIFICANT / 2, DF) * ERROR
"""From this distance on, an estimate with this error is shown to be on one side."""


def test_what_is_shown_needs_no_advice() -> None:
    assert advice.settle(Estimate(1.01 * SHOWN, ERROR, DF), 6) is None
    assert advice.settle(Estimate(2 + 1.01 * SHOWN, ERROR, DF), 6, limit=2) is None


def test_what_is_nearly_shown_takes_several_times_the_repeats() -> None:
    found = advice.settle(Estimate(0.99 * SHOWN, ERROR, DF), 6)
    assert found
    assert found.repeats
    assert 20 <= found.repeats <= 40
    assert found.within == pytest.approx(0.99 * SHOWN)
    assert found.excluded == pytest.approx(1.99 * SHOWN)
    assert found.more(6) == found.repeats - 6


def test_the_less_is_shown_the_more_it_takes_until_nothing_seems_to_differ() -> None:
    needed = [advice.settle(Estimate(share * SHOWN, ERROR, DF), 6) for share in (0.99, 0.9, 0.8, 0.7, 0.1, 0.0)]
    repeats = [one.repeats for one in needed if one]
    assert repeats[0]
    assert repeats[1]
    assert repeats[0] < repeats[1]
    assert repeats[-3:] == [None, None, None]


def test_more_repeats_than_are_worth_it_are_not_advised() -> None:
    found = advice.settle(Estimate(0.9 * SHOWN * 1.96 / 2.23, ERROR, 300.0), 150)
    assert found
    assert found.repeats is None
    assert found.more(150) is None


def test_a_stricter_level_takes_more() -> None:
    strict = SIGNIFICANT / 16
    seen = Estimate(0.99 * student.quantile(1 - strict / 2, DF) * ERROR, ERROR, DF)
    assert advice.settle(seen, 6) is None
    found = advice.settle(seen, 6, significant=strict)
    assert found
    assert found.repeats


def test_repeats_without_any_spread_are_settled_or_equal() -> None:
    assert advice.settle(Estimate(0.1, 0.0, 4), 3) is None
    found = advice.settle(Estimate(0.0, 0.0, 4), 3)
    assert found
    assert (found.repeats, found.excluded) == (None, 0)


def test_a_difference_has_its_distances_as_shares() -> None:
    seen = welch([98.0, 100.0, 103.0], [101.0, 104.0, 105.0])
    assert seen
    found = advice.of_difference(seen)
    assert found
    assert found.excluded == pytest.approx(seen.high - 1)
    assert found.within == pytest.approx(seen.ratio - 1)
    assert advice.of_difference(seen, margin=0.1) == advice.Advice(found.excluded, None, found.within)
    mirrored = welch([101.0, 104.0, 105.0], [98.0, 100.0, 103.0])
    assert mirrored
    same = advice.of_difference(mirrored)
    assert same
    assert (same.excluded, same.repeats) == (pytest.approx(found.excluded), found.repeats)


def test_a_share_of_a_logarithm_is_that_of_the_ratio() -> None:
    assert advice.share(math.log(1.03)) == pytest.approx(0.03)
