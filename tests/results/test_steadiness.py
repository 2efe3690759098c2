"""Steadiness: each kind of course is detected in a series that has it, whatever its noise, and in no other."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchrig.results import timeseries
from benchrig.results.model import Series
from benchrig.results.steadiness import Kind, Steadiness, judge
from benchrig.statistics import trend
from tests.support.series import RATE, Course, by_chance, flat, observed


def judged(course: Course, **changes: object) -> Steadiness:
    """Return the judgement on such a load."""
    judgement = judge(observed(course, **changes))  # type: ignore[arg-type]
    assert judgement
    return judgement


NOISES = pytest.mark.parametrize("noise", [0.01, 0.03, 0.06])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.005, 0.03, 0.05]), st.sampled_from([4.5, 5.0, 10.0, 60.0]))
def test_a_flat_course_has_nothing_to_tell_whatever_its_noise_and_length(seed: int, noise: float, seconds: float) -> None:
    assert judged(flat, seed=seed, noise=noise, seconds=seconds) == Steadiness(Kind.FLAT)


@pytest.mark.parametrize("rate", [50.0, 100.0, 200.0, 500.0])
def test_a_slow_server_whose_replies_come_by_chance_has_no_ramp(rate: float) -> None:
    judgements = [judge(by_chance(5.0, rate, seed)) for seed in range(600)]
    assert all(judgements)
    assert [seed for seed, one in enumerate(judgements) if one and one.ramp] == []
    assert sum(bool(one and (one.drift or one.steps)) for one in judgements) <= 3


@pytest.mark.parametrize(("seconds", "lasting", "most"), [(5.0, 0.7, 2), (5.0, 0.9, 14), (15.0, 0.7, 2), (15.0, 0.9, 4)])
def test_noise_that_lasts_is_seldom_a_drift_or_a_step(seconds: float, lasting: float, most: int) -> None:
    judgements = [judge(by_chance(seconds, 20_000.0, seed, lasting, 0.05)) for seed in range(200)]
    assert sum(bool(one and (one.drift or one.steps)) for one in judgements) <= most


def test_a_true_drift_of_a_tenth_is_found_all_the_same() -> None:
    found = [judged(lambda at: 1 - 0.1 * at / 6, seed=seed).drift for seed in range(100)]
    assert sum(bool(drift) for drift in found) >= 95


@pytest.mark.parametrize("noise", [0.001, 0.003, 0.01, 0.03, 0.06])
def test_a_drift_that_becomes_slower_is_a_drift(noise: float) -> None:
    found = [judged(lambda at: 1 / (1 + 0.2 * at), seed=seed, noise=noise).drift for seed in range(50)]
    assert sum(bool(drift) for drift in found) >= 48


@NOISES
@pytest.mark.parametrize("rate", [0.0, 0.4, 0.7])
def test_a_short_pause_is_no_change_of_level(rate: float, noise: float) -> None:
    def paused(seed: int) -> Steadiness:
        return judged(lambda at: rate if seed / 10 < at < seed / 10 + 0.2 else 1.0, noise=noise, seed=seed)

    assert sum(bool(paused(seed).steps) for seed in range(15, 50)) <= 4 * (noise > 0.05)


@NOISES
@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.0, 1.5])
def test_a_ramp_is_cut_and_the_throughput_after_it_is_the_true_one(noise: float, seconds: float) -> None:
    judgement = judged(lambda at: 0.2 if at < seconds else 1.0, noise=noise)
    assert judgement.ramp
    assert seconds - 0.1 <= judgement.ramp.seconds <= seconds + 0.8
    assert judgement.ramp.connecting_seconds < 0.2
    assert judgement.steady_requests_per_second == pytest.approx(RATE, rel=0.04)
    assert judgement.ramp.cost == pytest.approx(0.8 * seconds / 6, abs=0.03)
    assert (judgement.kind, judgement.drift, judgement.steps) == (Kind.FLAT, None, ())


@NOISES
@pytest.mark.parametrize("change", [-0.4, -0.25, 0.3])
def test_a_trend_is_a_drift_with_its_size(noise: float, change: float) -> None:
    judgement = judged(lambda at: 1 + change * at / 6, noise=noise)
    assert judgement.drift == pytest.approx(change, abs=0.12)
    assert (judgement.kind, judgement.ramp, judgement.steady_requests_per_second) == (Kind.NO_STEADY_STATE, None, None)


@NOISES
@pytest.mark.parametrize("share", [0.97, 1.03])
def test_a_trend_or_a_step_that_is_small_is_not_told(noise: float, share: float) -> None:
    assert judged(lambda at: 1 + (share - 1) * at / 6, noise=noise) == Steadiness(Kind.FLAT)
    assert judged(lambda at: share if at > 3 else 1.0, noise=noise) == Steadiness(Kind.FLAT)


@NOISES
@pytest.mark.parametrize(
    ("course", "kind", "change", "at"),
    [
        (lambda at: 1.0 if at < 2.5 else 0.6, Kind.SLOWDOWN, -0.4, 2.5),
        (lambda at: 1.0 if at < 5.0 else 0.6, Kind.NO_STEADY_STATE, -0.4, 5.0),
        (lambda at: 0.5 if at < 3.9 else 1.0, Kind.WARM_UP, 1.0, 3.9),
    ],
)
def test_a_change_of_level_has_its_kind_its_size_and_its_time(
    course: Course, kind: Kind, change: float, at: float, noise: float
) -> None:
    judgement = judged(course, noise=noise)
    assert judgement.kind is kind
    assert judgement.steps == (pytest.approx(change, abs=0.15),)
    assert judgement.step_seconds == (pytest.approx(at, abs=0.35),)
    assert (judgement.drift, judgement.ramp) == (None, None)


def test_a_warm_up_that_takes_a_third_of_the_load_is_cut_like_a_ramp() -> None:
    judgement = judged(lambda at: min(1.0, 0.4 + 0.3 * at))
    assert judgement.ramp
    assert 1.5 <= judgement.ramp.seconds <= 2.6
    assert judgement.ramp.seconds - judgement.ramp.connecting_seconds > 1


@NOISES
def test_stalls_are_counted_and_are_no_change_of_level(noise: float) -> None:
    judgement = judged(lambda at: 0.0 if at % 2 >= 1.5 else 1.0, noise=noise)
    assert judgement.stalls
    assert judgement.stalls.count == 3
    assert judgement.stalls.longest_seconds == pytest.approx(0.5, abs=0.15)
    assert judgement.stalls.total_seconds == pytest.approx(1.5, abs=0.4)
    assert (judgement.kind, judgement.steps, judgement.drift) == (Kind.FLAT, (), None)


def test_a_pause_that_the_sleep_or_the_latency_explains_is_no_stall() -> None:
    def pausing(at: float) -> float:
        return 0.0 if at % 2 >= 1.5 else 1.0

    assert judged(pausing, latency_seconds=0.3).stalls is None
    assert judged(pausing, sleep_seconds=0.3).stalls is None


@settings(max_examples=40, deadline=None)
@given(st.floats(0.101, 0.13), st.floats(0.02, 0.1), st.integers(0, 1000))
def test_waves_of_replies_are_no_news_however_they_fall_on_the_intervals(period: float, width: float, seed: int) -> None:
    def waves(at: float) -> float:
        return period / width if at % period < width else 0.0

    found = judged(waves, sleep_seconds=0.1, latency_seconds=period, seed=seed, seconds=10.0, noise=0.02)
    assert (found.kind, found.drift, found.steps, found.stalls) == (Kind.FLAT, None, (), None)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.09, 0.3), st.floats(0.02, 0.1), st.integers(0, 1000))
def test_replies_that_all_take_as_long_come_in_waves_too(period: float, width: float, seed: int) -> None:
    def waves(at: float) -> float:
        return period / width if at % period < width else 0.0

    found = judged(waves, latency_seconds=period, in_step=True, seed=seed, seconds=5.0, noise=0.02)
    assert (found.kind, found.drift, found.steps, found.stalls) == (Kind.FLAT, None, (), None)


def test_memory_that_grows_all_the_way_is_told_with_its_rate() -> None:
    growth = judged(flat, memory=lambda at: 5e7 + 4e6 * at).growth
    assert growth
    assert growth.bytes_per_second == pytest.approx(4e6, rel=0.1)
    assert growth.bytes_per_million_requests == pytest.approx(4e8, rel=0.1)


@pytest.mark.parametrize(
    "memory",
    [
        lambda _: 5e7,
        lambda at: 5e7 + 2e7 * min(at, 2.0),
        lambda at: 5e7 + 1e7 * (at % 1.0),
        lambda at: 5e7 + 1e5 * at,
        lambda at: 5e7 + 2e7 * (at > 3),
        lambda _: 0,
    ],
)
def test_memory_that_is_filled_once_or_goes_up_and_down_does_not_grow(memory: Callable[[float], float]) -> None:
    assert judged(flat, memory=memory).growth is None


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.9])
def test_nothing_is_said_about_a_short_load(seconds: float) -> None:
    assert judge(observed(lambda at: 1 - 0.2 * at, seconds=seconds)) is None


def test_nothing_is_said_without_a_series() -> None:
    assert judge(observed(flat, series=Series())) is None
    assert judge(observed(lambda _: 0.0)) is None


def test_intervals_that_were_made_longer_are_judged_alike() -> None:
    judgement = judged(lambda at: 1.0 if at < 250 else 0.6, seconds=600.0, interval=1.6)
    assert (judgement.kind, judgement.steps) == (Kind.SLOWDOWN, (pytest.approx(-0.4, abs=0.05),))


VALUES = st.lists(st.floats(1, 1000), min_size=2, max_size=30)


@given(VALUES)
def test_a_test_for_a_trend_knows_no_direction_and_no_scale(values: list[float]) -> None:
    p = trend.mann_kendall(values)
    assert 0 <= p <= 1
    assert trend.mann_kendall(values[::-1]) == pytest.approx(p)
    assert trend.mann_kendall([-value for value in values]) == pytest.approx(p)
    assert trend.sen_slope(values[::-1]) == pytest.approx(-trend.sen_slope(values))


def test_mann_and_kendalls_and_sens_values_are_those_of_the_literature() -> None:
    # 1 to 10 in order: S = 45, variance 125, z = 44 / sqrt(125) = 3.935, two-sided p = 8.3e-5.
    assert trend.mann_kendall(range(1, 11)) == pytest.approx(8.303e-05, rel=1e-3)
    assert trend.mann_kendall([5.0] * 10) == 1.0
    assert trend.sen_slope([0, 2, 4, 100, 8, 10]) == 2


@given(VALUES)
def test_levels_cover_all_values_and_neighbours_differ(values: list[float]) -> None:
    parts = timeseries.levels(values, 0.1)
    if not parts:
        assert len(values) < 2 * timeseries.SHORTEST_LEVEL
        return
    assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == len(values)
    assert all(abs(b.mean - a.mean) >= 0.1 * max(a.mean, b.mean) for a, b in pairwise(parts))
    for part in parts:
        assert part.mean == pytest.approx(statistics.fmean(values[part.start : part.end]))
    assert timeseries.misfit(values, parts) <= sum((v - statistics.fmean(values)) ** 2 for v in values) * (1 + 1e-9) + 1e-6


def test_mser_leaves_out_whole_batches_up_to_half() -> None:
    assert timeseries.mser5([1.0] * 10 + [10.0, 11.0] * 20) == 10
    assert timeseries.mser5([10.0] * 50) == 0
    assert timeseries.mser5([10.0] * 3) == 0
    assert timeseries.mser5([float(i) for i in range(50)]) == 25
