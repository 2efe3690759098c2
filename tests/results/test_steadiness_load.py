"""Steadiness under real wrk: small servers ramp, drift, step, stall and leak, and the sampler's series shows it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from benchrig.results.steadiness import of_cell
from tests.support.reports import a_run
from tests.support.steady import measured

RATE = 800.0

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("wrk"), reason="needs root and wrk")

ATTEMPTS = 3
"""A machine that is busy with other tests stalls and slows a server for real."""

OURS = {Code.RAMP, Code.WARMING_UP, Code.DRIFT, Code.STEP, Code.STALLED, Code.MEMORY_GROWS}


def found(cell: Cell) -> set[Code]:
    return {warning.code for warning in audit.warnings(cell, a_run())} & OURS


@pytest.mark.parametrize(
    ("course", "codes"),
    [
        ("steady", set()),
        ("small_step", set()),
        ("waves", set()),
        ("slow_start", {Code.RAMP, Code.WARMING_UP}),
        ("warm_up", {Code.WARMING_UP}),
        ("drift", {Code.DRIFT}),
        ("step", {Code.STEP}),
        ("late_step", {Code.STEP}),
        ("stalls", {Code.STALLED}),
        ("leak", {Code.MEMORY_GROWS}),
    ],
)
def test_each_course_has_its_warning_and_no_other(tmp_path: Path, course: str, codes: set[Code]) -> None:
    judgements = []
    for _ in range(ATTEMPTS):
        cell = measured(tmp_path, course, RATE)
        judgements.append(of_cell(cell))
        told = found(cell)
        if told <= codes and bool(told) == bool(codes):
            return
    pytest.fail(f"{judgements}")


def test_the_throughput_after_a_ramp_is_the_servers_true_rate(tmp_path: Path) -> None:
    rates = []
    for _ in range(ATTEMPTS):
        cell = measured(tmp_path, "slow_start", RATE)
        judgement = of_cell(cell)
        assert judgement
        assert cell.load
        assert cell.load.requests_per_second < 0.92 * RATE
        rates.append(judgement.steady_requests_per_second)
        if rates[-1] == pytest.approx(RATE, rel=0.02):
            return
    pytest.fail(f"{rates}")


def test_nothing_is_said_about_a_load_of_two_seconds(tmp_path: Path) -> None:
    cell = measured(tmp_path, "drift", RATE, seconds=2)
    assert of_cell(cell) is None
    assert found(cell) == set()
