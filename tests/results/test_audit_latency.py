"""Warnings about latency that the end of the run cut off, about stalls, and about silence: where each begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from tests.support.audits import RUN, a_sound_cell, found, slow, stalling
from tests.support.reports import a_latency, a_load
from tests.support.series import RATE, a_cell_of, flat


def test_a_slow_reply_of_half_the_run_says_that_the_end_cuts_others_off() -> None:
    assert Code.CUT_BY_END not in found(a_sound_cell(load=slow(a_load(50_000), mean_ms=200.0, max_ms=2_490.0)))
    load = slow(a_load(50_000), mean_ms=200.0, max_ms=2_500.0)
    warning = found(a_sound_cell(load=load))[Code.CUT_BY_END]
    assert "The slowest reply took 2.5 s of 5 s" in sentence(warning).replace("the slowest", "The slowest")
    assert "none can be counted as late by the timeout of 10 s" in sentence(warning)
    assert not warning.invalid
    warning = found(a_sound_cell(load=load, timeout_seconds=4.0))[Code.CUT_BY_END]
    assert "timeout" not in sentence(warning)


def test_when_one_reply_in_a_hundred_took_half_the_run_its_latency_is_invalid() -> None:
    load = slow(a_load(50_000), mean_ms=200.0, max_ms=4_000.0)
    assert load.measured is not None
    late = replace(load.measured, percentiles_us={**load.measured.percentiles_us, "99": 2_600_000.0})
    assert found(a_sound_cell(load=replace(load, measured=late)))[Code.CUT_BY_END].invalid
    # Of an old run, only the corrected p99 is known.
    old = replace(load, measured=None, latency=replace(load.latency, percentiles_us=late.percentiles_us))
    assert not found(a_sound_cell(load=old))[Code.CUT_BY_END].invalid


@pytest.mark.parametrize(
    ("cell", "stalled"),
    [
        (stalling(1.11), False),
        (stalling(1.13), True),
        (stalling(1.21, median_ms=120), False),
        (stalling(1.23, median_ms=120), True),
        (stalling(3, median_ms=200), False),
        (stalling(1.5, requests=1_000), True),
        (stalling(3, requests=996), False),
        (stalling(3, pauses=True), False),
        (stalling(3, thread_requests=()), False),
        (stalling(3, measured=None, latency=a_latency(50.0, 300.0), depth=1), True),
        (stalling(3, measured=None, latency=a_latency(50.0, 300.0), depth=10), False),
    ],
)
def test_a_stall_is_told_where_the_factor_means_something(cell: Cell, stalled: bool) -> None:
    assert (Code.STALLED in found(cell)) == stalled


def test_stalls_that_the_series_has_are_told_once() -> None:
    def stopping(at: float) -> float:
        return 0.0 if 2 < at < 2.6 or 4 < at < 4.6 else 1.0

    def cases(cell: Cell) -> list[object]:
        load = replace(cell.load, thread_requests=(cell.load.requests,), thread_requests_per_second=1.25 * RATE)
        told = audit.warnings(replace(cell, load=replace(load, measured=load.latency)), RUN)
        return [warning.values["case"] for warning in told if warning.code is Code.STALLED]

    assert cases(a_cell_of(stopping)) == ["pauses"]
    # In a series, stops of less than an interval are not seen.
    assert cases(a_cell_of(flat)) == ["bursts"]
    assert cases(replace(a_cell_of(stopping), server=None)) == ["bursts"]


@pytest.mark.parametrize("depth", [None, 1, 3])
def test_latencies_are_judged_as_measured(depth: int | None) -> None:
    """Where requests are pipelined, wrk's correction adds latencies below the fastest reply."""
    load = slow(a_load(50_000), mean_ms=200.0)
    corrected = replace(load.latency, min_us=150_000.0, mean_us=20_000.0, percentiles_us={"50": 0.0, "75": 200_000.0})
    load = replace(load, latency=corrected, depth=depth)
    assert Code.LATENCY_IMPOSSIBLE not in found(a_sound_cell(load=load))
    unseen = replace(load, measured=None)
    assert (Code.LATENCY_IMPOSSIBLE in found(a_sound_cell(load=unseen))) == (depth != 3)
    assert (Code.LITTLES_LAW in found(a_sound_cell(load=unseen))) == (depth != 3)
    wrong = replace(load, measured=corrected)
    assert found(a_sound_cell(load=wrong))[Code.LATENCY_IMPOSSIBLE].invalid


@pytest.mark.parametrize(
    ("silent_ms", "late", "told"), [(1_090, 0, False), (1_110, 0, True), (4_400, 5, False), (4_600, 5, True)]
)
def test_silence_is_told_when_it_lasts_longer_than_replies_take(silent_ms: int, late: int, told: bool) -> None:
    load = replace(slow(a_load(50_000, timeout=late), mean_ms=200.0), silent_us=1_000 * silent_ms)
    warnings = found(a_sound_cell(load=load, timeout_seconds=2.0))
    assert (Code.SILENT in warnings) == told
    if told:
        assert warnings[Code.SILENT].invalid
