"""Errors of a run against a reference, at like throughput and latency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report.gate import words
from benchrig.report.gate.model import Basis, Gate
from benchrig.results.model import Cell, LoadErrors
from tests.support.gate import BASE, a_project, by_condition, judge, rows, stored


def with_errors(cells: list[Cell], *reads: int) -> list[Cell]:
    """Return cells of which each has so many read errors."""
    made = []
    for cell, read in zip(cells, reads, strict=True):
        assert cell.load
        made.append(replace(cell, load=replace(cell.load, errors=LoadErrors(read=read))))
    return made


def against(root: Path, before: tuple[int, ...], now: tuple[int, ...]) -> Gate:
    """Return what the gate says of a row whose repeats had so many errors before and now."""
    for name, errors in (("before", before), ("now", now)):
        stored(root, name, with_errors(list(rows({"sanic": BASE[: len(errors)]})), *errors))
    return judge(root, "now", over="5%", against="before")


def test_more_errors_fail_though_throughput_and_p99_are_alike(tmp_path: Path) -> None:
    found = against(a_project(tmp_path), (0,) * 6, (300, 320, 310, 290, 305, 315))
    judged = by_condition(found)["errors(sanic)"]
    assert (judged.judgement, words.condition(judged, found)) == ("failed", "no more errors(sanic)")
    assert words.reason(judged, found) == "320 errors after 0: more errors are shown."


@pytest.mark.parametrize(
    ("before", "now"), [((0,) * 6, (0,) * 6), ((5, 0, 3, 1, 0, 2), (4, 1, 2, 0, 3, 0)), ((9,) * 6, (0,) * 6)]
)
def test_errors_that_are_not_more_are_no_condition(tmp_path: Path, before: tuple[int, ...], now: tuple[int, ...]) -> None:
    assert "errors(sanic)" not in by_condition(against(a_project(tmp_path), before, now))


def test_more_errors_in_too_few_repeats_are_not_decided(tmp_path: Path) -> None:
    judged = by_condition(against(a_project(tmp_path), (0,) * 3, (300,) * 3))["errors(sanic)"]
    assert judged.judgement == "not_decided"
    assert judged.worsening
    assert (judged.worsening.basis, judged.worsening.needed) == (Basis.TOO_FEW_REPEATS, 4)
