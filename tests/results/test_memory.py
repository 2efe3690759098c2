"""Growth of memory, judged from readings that come every half second and stand for several intervals."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchrig.results import memory

INTERVAL = 0.1


def held(size: Callable[[float], float], least: float, seed: int, seconds: float = 6.0) -> list[memory.Reading]:
    """Return the ends of intervals with the memory, read where `least` seconds have passed since it was read."""
    chance = random.Random(seed)
    rows: list[memory.Reading] = []
    at, read_at, value = 0.0, -1.0, 0
    while at < seconds:
        at += INTERVAL * chance.uniform(0.98, 1.03)
        if at - read_at >= least:
            read_at, value = at, int(size(at))
        rows.append((round(at, 4), value))
    return rows


def grown(rows: list[memory.Reading], start: float = 0.0) -> memory.Growth | None:
    return memory.growth(memory.readings(rows, start), 1000.0)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.44, 0.55), st.integers(0, 10_000), st.floats(5.0, 7.0), st.sampled_from([0.0, 0.15, 0.6]))
def test_a_steady_leak_is_seen_however_the_readings_fall_on_the_intervals(
    least: float, seed: int, seconds: float, start: float
) -> None:
    found = grown(held(lambda at: 26e6 + 18e6 * at, least, seed, seconds), start)
    assert found
    assert found.bytes_per_second == pytest.approx(18e6, rel=0.1)
    assert found.bytes_per_million_requests == pytest.approx(18e9, rel=0.1)


@pytest.mark.parametrize(
    "readings",
    [
        [(0.02, 26.7), (0.52, 36.1), (1.02, 45.4), (1.62, 55.8), (2.22, 67.2), (2.72, 76.5), (3.22, 85.8), (3.72, 95.0),
         (4.32, 105.9), (4.92, 117.2)],
        [(0.02, 26.5), (0.52, 35.8), (1.12, 46.7), (1.72, 57.6), (2.22, 66.9), (2.72, 76.2), (3.22, 85.5), (3.72, 95.1),
         (4.32, 105.8), (4.92, 116.5)],
        [(0.02, 26.6), (0.52, 35.7), (1.12, 46.2), (1.72, 57.5), (2.22, 66.8), (2.82, 77.7), (3.42, 88.6), (4.02, 99.0),
         (4.52, 107.9), (5.02, 116.7)],
    ],
)  # fmt: skip
def test_three_measured_loads_of_one_leak_are_judged_alike(readings: list[tuple[float, float]]) -> None:
    """They are of one app. Taking every fifth interval found it in the first only."""
    ends = [round(0.02 + INTERVAL * i, 2) for i in range(51)]
    rows = [(end, int(1e6 * next(size for at, size in reversed(readings) if at <= end))) for end in ends]
    found = grown(rows)
    assert found
    assert found.bytes_per_second == pytest.approx(18.1e6, rel=0.05)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.44, 0.55), st.integers(0, 10_000))
@pytest.mark.parametrize(
    "size",
    [
        lambda _: 5e7,
        lambda at: 5e7 + 2e7 * min(at, 2.0),
        lambda at: 5e7 + 2e7 * max(0.0, at - 4.0),
        lambda at: 5e7 + 2e7 * (at > 3),
        lambda at: 5e7 + 1e7 * (at > 1) + 1e7 * (at > 5),
        lambda _: 0,
    ],
)
def test_memory_that_grows_in_a_part_of_the_load_only_is_no_leak(
    size: Callable[[float], float], least: float, seed: int
) -> None:
    assert grown(held(size, least, seed)) is None


def test_each_reading_is_judged_once_with_its_time() -> None:
    rows = [(0.1, 1), (0.2, 1), (0.3, 1), (0.4, 1), (0.5, 1), (0.6, 2), (0.7, 2), (0.8, 2), (0.9, 2), (1.0, 2), (1.1, 2)]
    assert memory.readings(rows, 0.0) == [(0.1, 1), (0.6, 2)]
    # The value that stays is read again: seen at the latest in the interval after half a second.
    assert memory.readings([*rows, (1.2, 2), (1.3, 3)], 0.0) == [(0.1, 1), (0.6, 2), (1.2, 2), (1.3, 3)]
    assert memory.readings(rows, 0.15) == [(0.6, 2)]
    assert memory.readings([], 0.0) == []
    assert len(memory.readings([(0.5 * i, i) for i in range(1, 400)], 0.0)) < 2 * memory.MOST_READINGS
