"""Texts of our own runs, whose line of exact figures says more than wrk's text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.output import MARKER
from benchrig.report import texts
from benchrig.report.texts.judge import Verdict
from benchrig.results.codes import Code
from tests.support import ROOT

TEXT = """\
$ wrk -t2 -c20 -d5s --timeout 4s --latency -s raw/mixed.lua http://192.0.2.7/a
Running 5s test @ http://192.0.2.7/a
  2 threads and 20 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.23ms    8.76ms 104.04ms   92.49%
    Req/Sec     3.23k     1.31k    6.64k    65.00%
  Latency Distribution
     50%    2.62ms
     75%    5.39ms
     90%   10.69ms
     99%   48.10ms
  32273 requests in 5.03s, 3.59MB read
  Non-2xx or 3xx responses: 3228
Requests/sec:   6416.27
Transfer/sec:    731.86KB
"""
"""A mix of 9 to 1, in which the route `b` expects a 404; the text of wrk alone has 10 % of errors."""

EXACT: dict[str, Any] = {
    "requests": 32273,
    "duration_us": 5029868,
    "bytes": 3769499,
    "errors": {"connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 3228},
    "latency": {
        "min_us": 34.0,
        "max_us": 104036.0,
        "mean_us": 5229.86,
        "stdev_us": 8763.19,
        "percentiles_us": {"50": 2621.0, "75": 5385.0, "90": 10687.0, "99": 48102.0, "99.9": 75300.0},
    },
    "thread_requests": [16164, 16109],
    "thread_requests_per_second": 3225.39,
    "silent_us": 1035,
    "measured": {
        "min_us": 34,
        "max_us": 104036,
        "mean_us": 3089.695,
        "stdev_us": 4788.598,
        "percentiles_us": {"50": 1818, "75": 3910, "90": 6653, "99": 20748, "99.9": 66316},
    },
    "bins": [34, 1, 1782, 19803, 2088, 9241, 2720, 2905, 14112, 290, 45312, 32, 37888, 1],
    "replies_checked": 32273,
    "replies_wrong": 0,
    "wrong_example": "",
    "statuses": {"404": 3228, "200": 29045},
    "sent": {"a": 29060, "b": 3228},
    "replies": [{"status": 200, "routes": ["a"], "replies": 29045}, {"status": 404, "routes": ["b"], "replies": 3228}],
    "pauses": False,
    "depth": 1,
}


def written(text: str = TEXT, **changes: Any) -> str:
    return f"{text}{MARKER}{json.dumps({**EXACT, **changes})}\n"


def read(tmp_path: Path, content: str) -> tuple[texts.Judged, ...]:
    path = tmp_path / "mixed-1.txt"
    path.write_text(content)
    return texts.read(str(path), DEFAULT).texts


def codes(judged: texts.Judged) -> set[Code]:
    return {warning.code for warning in judged.warnings}


def test_a_text_of_ours_is_judged_as_its_row_is(tmp_path: Path) -> None:
    (alone,) = read(tmp_path, TEXT)
    assert (alone.verdict, codes(alone)) == (Verdict.INVALID, {Code.STATUS_ERRORS, Code.LITTLES_LAW})
    (judged,) = read(tmp_path, written())
    assert (judged.verdict, judged.warnings) == (Verdict.SOUND, ())
    shown = texts.render_terminal([texts.read(str(tmp_path / "mixed-1.txt"), DEFAULT)])
    assert "written by benchrig" in shown
    assert "./inv report" in " ".join(shown.split())
    (line,) = texts.render_json([texts.read(str(tmp_path / "mixed-1.txt"), DEFAULT)]).splitlines()
    figures = json.loads(line)["figures"]
    assert (figures["errors_status"], figures["errors_status_expected"]) == (3228, 3228)
    assert (figures["latency_p99_ms"], figures["measured_latency_p99_ms"]) == (48.1, 20.748)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"replies": [{"status": 200, "routes": ["a"], "replies": 29045}], "replies_wrong": 3228}, 3228),
        ({"sent": {"a": 31000, "b": 1288}}, 1940),
        ({"statuses": {}, "replies": []}, 0),
        ({"statuses": {}, "replies": [], "replies_wrong": 1}, 3228),
        ({"sent": {}}, 0),
    ],
)
def test_only_errors_that_the_row_expected_and_requested_are_right(
    tmp_path: Path, changes: dict[str, Any], failed: int
) -> None:
    (judged,) = read(tmp_path, written(**changes))
    found = [warning.values["failed"].low for warning in judged.warnings if warning.code is Code.STATUS_ERRORS]  # type: ignore[union-attr]
    assert found == ([failed] if failed else [])


def test_a_load_that_paused_is_not_held_against_littles_law(tmp_path: Path) -> None:
    many = TEXT.replace("20 connections", "60 connections")
    (judged,) = read(tmp_path, written(many))
    assert Code.LITTLES_LAW in codes(judged)
    (judged,) = read(tmp_path, written(many, pauses=True))
    assert Code.LITTLES_LAW not in codes(judged)


def test_each_of_several_texts_has_its_own_figures_however_they_are_quoted(tmp_path: Path) -> None:
    foreign = TEXT.replace("Running 5s", "Running  5s")
    quoted = "".join(f"> {line}\n" for line in written().splitlines())
    found = read(tmp_path, f"{written()}{foreign}\n{quoted}{foreign}")
    assert [judged.verdict for judged in found] == [Verdict.SOUND, Verdict.INVALID, Verdict.SOUND, Verdict.INVALID]
    assert [judged.pasted.load is not None for judged in found] == [True, False, True, False]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (written(TEXT.replace("6416.27", "7416.27")), "contradicts itself"),
        (f"{TEXT}{MARKER}{{}}\n", "cannot be read"),
        (f"{TEXT}{MARKER}{{\n", "cannot be read"),
        (written()[:-20], "cannot be read"),
    ],
)
def test_a_line_that_does_not_fit_its_text_is_named_and_not_believed(tmp_path: Path, content: str, why: str) -> None:
    (judged,) = read(tmp_path, content)
    assert judged.pasted.load is None
    (unread,) = judged.pasted.unread
    assert unread.line == len(TEXT.splitlines()) + 1
    assert why in unread.text
    assert judged.verdict is Verdict.INVALID


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "cases" / "results").glob("v*/raw/*.txt")), ids=str)
def test_texts_of_older_versions_are_read_too(path: Path) -> None:
    (judged,) = texts.read(str(path), DEFAULT).texts
    assert judged.pasted.load
    assert judged.pasted.unread == ()
