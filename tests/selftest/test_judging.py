"""What the self-test makes of a cell: figures against the server's counts, warnings against those of the case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchrig.bench.progress import outcome
from benchrig.results.codes import Code
from benchrig.selftest import run as selftest
from benchrig.selftest.cases import CASES
from benchrig.selftest.run import Judged, failure, judge, plan, render, write_app
from tests.support.audits import RUN, a_sound_cell
from tests.support.reports import a_cell

CELL = a_sound_cell(name="latency")
assert CELL.load
assert CELL.load.measured
TRUTH: dict[str, Any] = {
    "replies": CELL.load.requests,
    "replies_per_second": CELL.load.requests_per_second,
    "service_us_mean": CELL.load.measured.mean_us,
    "service_us": CELL.load.measured.percentiles_us,
}


def _judged(**changes: Any) -> Judged:
    options = next(case.options for case in CASES if case.name == "latency")
    (one,) = judge(RUN, [CELL], {CELL.host: {options: {**TRUTH, **changes}}})
    return one


def test_figures_that_the_server_counted_too_are_right() -> None:
    assert _judged().wrong == ()


def test_a_figure_that_the_server_did_not_count_is_wrong() -> None:
    one = _judged(replies_per_second=1.1 * TRUTH["replies_per_second"])
    assert [text.split(" is ")[0] for text in one.wrong] == ["requests/s"]
    error = failure([one])
    assert str(error).startswith(f"1 of {len(CASES)} cases came out wrong: latency")
    assert "WRONG" in render([one])


def test_a_server_that_told_nothing_confirms_nothing() -> None:
    assert len(_judged(replies=0).wrong) == 4


def test_a_missing_warning_is_wrong_and_a_false_one_too() -> None:
    (missing,) = judge(RUN, [replace(CELL, name="leak")], {CELL.host: {}})
    assert "no warning 'memory grows'" in missing.wrong
    (false,) = judge(RUN, [a_cell("latency")], {a_cell().host: {}})
    assert any(text.startswith("false warning") for text in false.wrong)


def test_a_cell_that_must_fail_is_wrong_when_it_does_not() -> None:
    failed = replace(CELL, name="death", status="failed", reason="the app died under the load")
    right, wrong = judge(RUN, [failed, replace(CELL, name="death")], {CELL.host: {}})
    assert (right.wrong, wrong.wrong) == ((), ("measured",))


def test_every_case_is_a_row_of_the_server_as_an_app(tmp_path: Path) -> None:
    planned = plan(write_app(tmp_path / "selftest"))
    assert [row.name for row in planned.rows] == [case.name for case in CASES]
    assert planned.rows[0].traffic.routes[0].path == "/?rate=500"
    assert Code.DEAD_CONNECTIONS in {code for case in CASES for code in case.warnings}


def test_a_backlog_that_is_full_makes_the_throughput_rise_when_dropped_connections_are_tried_again() -> None:
    backlog = next(case for case in CASES if case.name == "backlog")
    assert {Code.RAMP, Code.STEP} <= backlog.may


def test_what_a_disturbed_machine_excuses_is_said_and_counted() -> None:
    case = next(case for case in CASES if case.name == "rate")
    assert selftest.excused(case, frozenset({Code.RAMP, Code.DISTURBED, Code.TIMEOUTS})) == {Code.RAMP}
    assert not selftest.excused(case, frozenset({Code.RAMP}))
    one = Judged(case, "lab1", "", "", (), frozenset({Code.DISTURBED}), frozenset({Code.RAMP}))
    plain = replace(one, machine=frozenset(), excused=frozenset())
    assert render([plain, plain]).splitlines()[-1] == "2 of 2 ok"
    assert render([one, replace(plain, wrong=("measured",))]).splitlines()[-1] == (
        "1 of 2 ok; 1 warning excused, because the machine was disturbed: ramp in rate"
    )
    assert render([plain]).splitlines()[0].split()[-1] == "result"


def test_no_line_names_a_file_of_a_run_that_is_not_kept(tmp_path: Path) -> None:
    assert plan(write_app(tmp_path / "selftest")).kept is False
    failed = replace(CELL, status="failed", reason="it died", raw="raw/death-1.txt")
    assert outcome(failed, "") == "failed: it died"
    assert outcome(failed, "20261130-selftest") == "failed: it died; more in reports/20261130-selftest/raw/death-1.txt"
