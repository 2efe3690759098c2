"""Latency as measured and as corrected: which of them a report, a comparison and a claim show."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.bench.progress import outcome
from benchrig.report import EXPORTS, Report, compare, load, render_terminal
from benchrig.report.compare.terminal import render as render_comparison
from benchrig.report.metrics import METRICS
from benchrig.results.histogram import decode, encode, from_bins
from benchrig.results.model import Cell
from tests.support import ROOT
from tests.support.claims import judged, one
from tests.support.reports import a_cell, a_load, a_report


def old_cell() -> Cell:
    """Return a cell of a benchrig that knew corrected latencies alone."""
    return a_cell(load=replace(a_load(), measured=None))


def heading(text: str) -> str:
    return next(line for line in text.splitlines() if "requests/s" in line and "conns" in line)


def of(cells: list[Cell]) -> Report:
    return a_report("go-2000", cells=cells)


def test_a_terminal_shows_latency_as_measured_and_the_files_show_both() -> None:
    text = render_terminal(of([a_cell()]))
    assert "101.6" in text
    assert "108.0" in text
    assert "corrected" not in text
    row = of([a_cell()]).table.rows[0]
    assert (row.figures["latency_p99_ms"].median, row.figures["latency_corrected_p99_ms"].median) == (108.0, 108.5)


def test_an_old_runs_corrected_latency_is_never_under_as_measured() -> None:
    report = of([old_cell()])
    measured = {metric.instead_of for metric in METRICS if metric.instead_of}
    assert not measured & report.table.rows[0].figures.keys()
    text = render_terminal(report)
    assert "corrected" in text
    assert "108.5" in text
    assert "108.0" not in text


def test_a_published_texts_latency_is_corrected() -> None:
    row = load("web-frameworks", ROOT).table.rows[0]
    assert "latency_corrected_mean_ms" in row.figures
    assert "latency_mean_ms" not in row.figures


def test_an_old_run_and_a_new_one_are_compared_by_what_both_have() -> None:
    text = render_comparison(compare([of([old_cell()]), of([a_cell()])])).text
    assert text.count("108.5ms") == 2
    assert "108.0ms" not in text
    assert "corrected" not in render_comparison(compare([of([a_cell()]), of([a_cell()])])).text


def test_a_claim_on_measured_latency_is_not_judged_by_a_corrected_one(tmp_path: Path) -> None:
    cells = [replace(old_cell(), repeat=repeat) for repeat in range(1, 7)]
    verdict = judged(one(tmp_path / "a", "latency_p99(go-2000) < 200"), cells)
    assert "this run has no latency_p99 of go-2000" in str(verdict.reason)
    verdict = judged(one(tmp_path / "b", "latency_corrected_p99(go-2000) < 200"), cells)
    assert "latency_corrected_p99(go-2000) 108.5" in str(verdict.reason)


def test_a_progress_line_says_which_latency_it_shows() -> None:
    assert "  mean 101.6 ms  p99 108.0 ms" in outcome(a_cell(), "run")
    assert "corrected mean 101.6 ms  corrected p99 108.5 ms" in outcome(old_cell(), "run")


def test_pipelined_requests_have_no_corrected_latency(tmp_path: Path) -> None:
    pipelined = replace(a_cell(), load=replace(a_cell().load, depth=10))
    table = of([pipelined]).table
    assert "latency_p99_ms" in table.rows[0].figures
    assert not [name for name in table.rows[0].figures if name.startswith("latency_corrected")]
    unseen = replace(pipelined, load=replace(pipelined.load, measured=None))
    assert outcome(unseen, "run").split() == ["19,200", "requests/s", "errors", "0"]
    verdict = judged(one(tmp_path, "latency_corrected_p99(go-2000) < 200"), [replace(unseen, repeat=n) for n in range(1, 7)])
    assert "this run has no latency_corrected_p99 of go-2000" in str(verdict.reason)


def test_a_progress_line_leaves_out_a_percentile_that_is_not_known() -> None:
    load = replace(a_load(), measured=None, latency=replace(a_load().latency, percentiles_us={}))
    assert outcome(a_cell(load=load), "run").endswith("corrected mean 101.6 ms  errors 0")


def kept(*latencies_us: int) -> str:
    counts = Counter(latencies_us)
    lows = sorted(counts)
    return encode(from_bins([n for last, low in zip([0, *lows], lows, strict=False) for n in (low - last, counts[low])]))


def latencies(*histograms: str) -> Any:
    cells = [a_cell(repeat=n, load=replace(a_load(), histogram=text)) for n, text in enumerate(histograms, 1)]
    return json.loads(EXPORTS["report.json"](of(cells)))["rows"][0]["latencies"]


def test_a_report_has_the_latencies_of_all_repeats_together() -> None:
    found = latencies(kept(*[100] * 99), kept(*[200] * 899), kept(99, 128_000))
    assert found["count"] == 1000
    assert (found["percentiles_ms"]["50"], found["percentiles_ms"]["99.9"]) == (0.2, pytest.approx(128.0, rel=1 / 128))
    assert decode(found["histogram"]).counts == {99: 1, 100: 99, 200: 899, 128_000: 1}


def test_latencies_of_all_repeats_need_the_histogram_of_each() -> None:
    assert latencies(kept(100), "") is None
    assert latencies(kept(100), kept(100)[:-4]) is None
    assert latencies("", "") is None
