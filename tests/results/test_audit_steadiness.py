"""Warnings about the course of a load: each has its values and its sentence, and a flat course has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.audit import steadiness
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from benchrig.results.warnings import Warning
from tests.support.reports import a_run
from tests.support.series import Course, a_cell_of, flat, ramped

RUN = a_run()
OURS = {Code.RAMP, Code.WARMING_UP, Code.DRIFT, Code.STEP, Code.MEMORY_GROWS}


def found(cell: Cell) -> tuple[Warning, ...]:
    return tuple(warning for detect in steadiness.DETECTORS for warning in detect(cell, RUN))


@pytest.mark.parametrize(
    ("course", "code", "said"),
    [
        (
            ramped,
            Code.RAMP,
            r"opened for the first 0.1 s. Until [01](\.\d)? s, .* is [5-8] % below",
        ),
        (lambda at: min(1.0, 0.4 + 0.3 * at), Code.WARMING_UP, r"faster for the first [12](\.\d)? s, until it was warm; .*"),
        (lambda at: 1 - 0.05 * at, Code.DRIFT, r"Throughput fell during the whole load, by 3\d % from start to end\."),
        (lambda at: 1 + 0.05 * at, Code.DRIFT, r"Throughput rose during the whole load, by 2\d % from start to end\."),
        (lambda at: 1.0 if at < 3 else 0.6, Code.STEP, r"Throughput fell by [34]\d % after 3.\d s\."),
        (lambda at: 0.5 if at < 3.9 else 1, Code.STEP, r"Throughput rose by (9|10)\d % after 3.\d s\."),
        (
            lambda at: 1.0 if at < 5.2 else 0.6,
            Code.STEP,
            r"Throughput fell by [34]\d % after 5.\d s, shortly before the end: it has no steady state\.",
        ),
        (
            lambda at: 1.0 if at < 2 else 0.6 if at < 4 else 0.8,
            Code.STEP,
            r"changed 2 times, and was not highest at the end\. The largest change was -[34]\d %, after [12].\d s\.",
        ),
        (
            lambda at: 0.0 if 2 < at < 3 else 1.0,
            Code.STALLED,
            r"nothing 1 time: for 0.[89] s .*, and for 0.[89] s",
        ),
    ],
)
def test_a_course_has_one_warning_with_its_values(course: Course, code: Code, said: str) -> None:
    (warning,) = found(a_cell_of(course))
    assert warning.code is code
    assert not warning.invalid
    assert re.search(said, sentence(warning)), sentence(warning)


def test_memory_that_grows_is_told_by_time_and_by_requests() -> None:
    (warning,) = found(a_cell_of(flat, memory=lambda at: 5e7 + 4e6 * at))
    text = r"grew during the whole load, by 3.\d+ MiB/s: 3\d\d MiB for a million requests"
    assert re.search(text, sentence(warning)), sentence(warning)


@pytest.mark.parametrize("changes", [{}, {"noise": 0.08}, {"seconds": 30.0}, {"seconds": 2.0}])
def test_a_flat_course_has_no_warning(changes: dict[str, object]) -> None:
    cell = a_cell_of(flat, **changes)
    assert found(cell) == ()
    assert not OURS & {warning.code for warning in audit.warnings(cell, RUN)}


@pytest.mark.parametrize("both_ends", [True, False])
def test_a_server_that_stops_before_the_end_is_silent_and_neither_stalls_nor_changes(both_ends: bool) -> None:
    cell = replace(a_cell_of(lambda at: 1.0 if at < 4.5 else 0.0), load_on_server=both_ends)
    assert cell.load
    assert Code.STALLED in {warning.code for warning in found(cell)}
    silent = replace(cell, load=replace(cell.load, silent_us=1_500_000))
    assert found(silent) == ()
    assert Code.SILENT in {warning.code for warning in audit.warnings(silent, RUN)}


def test_a_silence_that_slow_replies_explain_is_part_of_the_course() -> None:
    cell = a_cell_of(lambda at: 1.0 if at < 5.4 else 0.0)
    assert cell.load
    slow = replace(cell.load, silent_us=600_000, latency=replace(cell.load.latency, max_us=100_000))
    assert Code.STALLED in {warning.code for warning in found(replace(cell, load=slow))}


def test_a_ramp_that_costs_little_is_cut_and_not_told() -> None:
    cell = a_cell_of(lambda at: 0.5 if at < 0.5 else 1.0, seconds=12.0)
    assert found(cell) == ()


def test_the_detectors_are_part_of_the_audit() -> None:
    detectors: tuple[Callable[..., object], ...] = steadiness.DETECTORS
    assert set(detectors) <= set(audit.cell.DETECTORS)
