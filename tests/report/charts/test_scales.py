"""Scales: values have places in their order, and ticks are round."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchrig.report.charts.scales import Linear, Log, spanning, suits_log

VALUES = st.lists(st.floats(0.001, 1e9), min_size=1, max_size=30)


def test_equal_differences_have_equal_distances() -> None:
    scale = spanning([0, 20_000], 100, 300)
    assert [scale.place(value) for value in (0, 5_000, 10_000, 20_000)] == [100, 150, 200, 300]


def test_equal_ratios_have_equal_distances_where_values_span_decades() -> None:
    scale = spanning([10, 100, 10_000], 0, 300)
    assert scale.is_log
    assert [round(scale.place(value), 6) for value in (10, 100, 1_000, 10_000)] == [0, 100, 200, 300]


def test_small_values_beside_large_ones_make_a_scale_logarithmic() -> None:
    assert suits_log([9, 19_000])
    assert not suits_log([8_000, 19_000])
    assert not suits_log([0, 0])
    assert not suits_log([0, 19_000])


def test_zero_has_a_place_on_a_logarithmic_scale() -> None:
    scale = spanning([0, 10, 10_000], 50, 350)
    assert scale.place(0) == 50


@given(VALUES)
def test_every_value_is_within_a_scale_and_in_order(values: list[float]) -> None:
    scale = spanning(values, 10, 710)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 <= place <= 710 for place in places)
    assert 2 <= len(scale.ticks()) <= 30


@pytest.mark.parametrize("values", [[], [0], [0, 0], [5, 5], [math.inf, 3], [math.nan], [1e-320, 1], [-3, 4], [-3]])
def test_odd_values_have_a_scale_with_ticks(values: list[float]) -> None:
    scale = spanning(values, 0, 100)
    assert len(scale.ticks()) >= 2
    assert all(math.isfinite(scale.place(value)) for value in values if math.isfinite(value))


def test_ticks_are_round_and_become_fewer() -> None:
    assert list(Linear(0, 20_000, 0, 100).ticks()) == [0, 5_000, 10_000, 15_000, 20_000]
    assert list(Log(10, 100, 0, 100).ticks()) == [10, 20, 50, 100]
    assert list(Log(1, 1e6, 0, 100).ticks()) == [10**power for power in range(7)]
    counts = [len(values) for values in Log(1, 1e6, 0, 100).choices()]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= 2


def test_ticks_within_a_part_of_a_decade_are_more_than_its_powers_of_ten() -> None:
    assert len(Log(12, 18, 0, 100).ticks()) >= 3


def test_a_scale_may_begin_above_zero() -> None:
    assert spanning([98, 102], 0, 100).place(0) == 0
    assert isinstance(scale := spanning([98, 102], 0, 100, from_zero=False), Linear)
    assert scale.low > 90
