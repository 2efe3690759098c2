"""Expectations: one expression that a user types, judged by a run or by published figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.errors import ExitCode, InputError
from benchrig.report.claims import check_expectation, expectation
from benchrig.report.sentences import reason as because
from benchrig.report.table import make
from benchrig.report.verdict import Reason, Verdict, Why, Word
from benchrig.results.model import Cell
from tests.support.claims import DOCUMENT, measured, timed
from tests.support.reports import SERVER, a_cell, a_load, a_run, missing

SANIC = [800.0, 810.0, 820.0, 830.0, 840.0, 850.0]


def said(text: str, cells: list[Cell], *rows: str) -> tuple[Word, str]:
    verdict = expectation(text, make(a_run(*(rows or dict.fromkeys(cell.name for cell in cells))), cells))
    return verdict.word, because(verdict)


@pytest.mark.parametrize(
    ("text", "word", "reason"),
    [
        ("throughput(sanic) > 700 requests/s", Word.REPRODUCED, "825 [803.6, 846.4] requests/s is above 700"),
        ("throughput(sanic) > 900", Word.CONTRADICTED, "throughput(sanic) 825 [803.6, 846.4] requests/s is not above 900"),
        ("throughput(sanic) > 820", Word.INCONCLUSIVE, "825 [803.6, 846.4] requests/s may or may not be above 820"),
        ("throughput(sanic) >= 7 * throughput(flask)", Word.REPRODUCED, " requests/s (quotient "),
        ("errors(sanic) == 0", Word.REPRODUCED, "errors(sanic) is 0"),
        ("cpu(sanic) < 400 %", Word.REPRODUCED, "is below 400 %"),
        ("throughput(sanic) / errors(sanic) > 5", Word.NOT_TESTABLE, "errors(sanic) is 0, and throughput(sanic) / "),
        ("stored(sanic) > 0", Word.NOT_TESTABLE, "this run has no stored of sanic"),
    ],
)  # fmt: skip
def test_an_expression_is_judged_by_a_run(text: str, word: Word, reason: str) -> None:
    found = said(text, measured({"sanic": SANIC, "flask": [100.0] * 6}))
    assert found[0] is word
    assert reason in found[1]


def test_no_published_figures_are_needed_and_none_change_what_is_said() -> None:
    verdict = expectation("latency_max(sanic) < 310 ms", make(a_run("sanic"), measured({"sanic": SANIC})))
    assert (verdict.word, verdict.reason.why) == (Word.REPRODUCED, Why.RELATIONS)
    assert [one.text for one in verdict.measured] == ["300 ms"]
    assert (verdict.claim, verdict.says, verdict.place, verdict.published) == ("", "", "", ())


def test_published_figures_are_judged_as_they_are_printed() -> None:
    verdict = expectation("throughput(sanic) > 10 * throughput(flask-sync)", DOCUMENT)
    assert verdict.word is Word.REPRODUCED
    assert [one.text for one in verdict.measured] == ["19,218 requests/s", "1,904 requests/s"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (missing("sanic", "failed", "it does not answer"), "sanic failed: it does not answer"),
        (
            a_cell("sanic", server=replace(SERVER, machine_steal_percent=7.0)),
            "sanic is invalid here: The hypervisor took 7 % of the CPU time of lab1 (steal).",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_not_testable(cell: Cell, reason: str) -> None:
    assert said("throughput(sanic) > 1", [cell]) == (Word.NOT_TESTABLE, reason)


def test_a_row_that_answered_nothing_cannot_be_divided_by() -> None:
    word, reason = said("throughput(sanic) / throughput(go) > 1", [a_cell("sanic"), a_cell("go", load=a_load(0))])
    assert (word, reason.partition(",")[0]) == (Word.NOT_TESTABLE, "throughput(go) is 0")


def test_few_repeats_decide_under_an_assumption_and_one_decides_nothing_but_counts() -> None:
    cells = measured({"sanic": SANIC[:4], "go": [100.0, 101.0, 102.0]})
    verdict = expectation("throughput(sanic) > 7 * throughput(go)", make(a_run("sanic", "go"), cells))
    assert (verdict.word, verdict.reason.assumed) == (Word.REPRODUCED, True)
    assert because(verdict).endswith(" (from 3 repeats, if their logarithms are normally distributed)")
    one = [a_cell("sanic", load=timed(900))]
    assert said("throughput(sanic) > 7", one)[1].startswith("One measurement supports this claim. Measure 6 times to judge")
    assert said("errors(sanic) > 0", one)[0] is Word.CONTRADICTED


def test_rows_that_the_run_does_not_have_may_be_named_where_they_are_known() -> None:
    table = make(a_run("sanic", "go"), [a_cell("sanic")])
    verdict = expectation("throughput(go) > 1", table)
    assert because(verdict) == "the run ended before it measured go"
    verdict = expectation("throughput(quart) > 1", table, ["quart"])
    assert (verdict.word, verdict.not_in_run) == (Word.NOT_TESTABLE, True)
    # A pattern stands for all rows of the run: of those that it never came to, nothing is shown.
    assert because(expectation("max(errors(*)) == 0", table, ["quart"])) == "the run ended before it measured go"
    assert expectation("max(errors(s*)) == 0", table, ["quart"]).word is Word.REPRODUCED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("throughput(sanik) > 1", "'throughput(sanik) > 1', column 12: unknown row 'sanik'; did you mean sanic?"),
        ("thruput(sanic) > 1", "'thruput(sanic) > 1', column 1: unknown function 'thruput'; did you mean throughput"),
        ("latency_p99(sanic) > 2 requests/s", "column 20: latency_p99(sanic) is in ms and 2 requests/s is in requests/s"),
        ("throughput(sanic)", "column 18: it ends too early"),
        ("", "'', column 1: it is empty"),
        ("throughput(sanic) > 1" + " " * 10 + "+ 1" * 200, "column 501: an expression has at most 500 characters"),
        ("throughput(sanic) > \x1b[31m", "column 21: '"),
        ("throughput(sanic)\n> 1 or", "column 23: 'or' is not allowed here"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_column_and_bad_input(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        expectation(text, make(a_run("sanic"), [a_cell("sanic")]))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_an_expression_can_be_checked_before_a_run() -> None:
    assert check_expectation("max(errors(*)) == 0", ["sanic", "go"]).figures
    with pytest.raises(InputError, match="unknown row 'sanik'"):
        check_expectation("errors(sanik) == 0", ["sanic", "go"])


@pytest.mark.parametrize(("percent", "said"), [(370.4, "370 %"), (99.7, "100 %"), (4.34, "4.3 %"), (0.5, "0.5 %")])
def test_how_close_it_is_has_no_exponent(percent: float, said: str) -> None:
    near = Reason(Why.TOO_CLOSE, ("a is 1",), excluded_percent=percent)
    verdict = Verdict("", "", "", "", Word.INCONCLUSIVE, near, (), ())
    assert f"it is within {said} of where the answer changes" in because(verdict)
