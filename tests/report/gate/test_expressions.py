"""Expressions that must not hold of a run, and those that a suite expects to hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench.app import Apps
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import InputError
from benchrig.report import gate
from benchrig.report.gate import words
from tests.support import ROOT
from tests.support.gate import BASE, a_project, by_condition, judge, judgements, rows, scaled, stored
from tests.support.reports import a_cell, a_load, missing

SUITE = """
title: Mine
profiles: {{quick: {{duration: 5s}}}}
rows:
  - {{name: mine, app: go, connections: 20}}
  - {{name: other, app: sanic, connections: 20}}
expect:
{expect}
"""


@pytest.mark.parametrize(
    ("expression", "judgement", "exits"),
    [
        ("throughput(sanic) < 9000", "passed", False),
        ("throughput(sanic) > 9000 requests/s", "failed", True),
        ("throughput(sanic) > 10000", "not_decided", True),
        ("latency_p99(sanic) > 0.3 s", "passed", False),
        ("latency_p99(sanic) > 150 ms", "failed", True),
        ("throughput(sanic) > 9000 and latency_p99(sanic) > 300 ms", "passed", False),
        ("max(latency_p99(*)) > 150 ms", "failed", True),
    ],
)
def test_a_run_fails_where_the_condition_is_shown_to_hold(
    tmp_path: Path, expression: str, judgement: str, exits: bool
) -> None:
    root = a_project(tmp_path)
    found = judge(root, stored(root, "now", rows({"sanic": BASE})), expression)
    assert judgements(found) == {expression: judgement}
    assert (gate.failure(found) is not None) is exits


def test_several_conditions_are_judged_each_and_the_worst_decides(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE, "go-2000": BASE}))
    found = judge(root, run, "throughput(sanic) < 9000", "throughput(go-2000) > 9000", "throughput(sanic) < 9000")
    assert judgements(found) == {"throughput(sanic) < 9000": "passed", "throughput(go-2000) > 9000": "failed"}
    assert str(gate.failure(found)) == "the gate does not pass: of 2 conditions, 1 failed"


def test_one_repeat_decides_nothing_but_a_count(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE[:1]}))
    found = judge(root, run, "throughput(sanic) < 9000", "errors(sanic) > 0")
    assert judgements(found) == {"throughput(sanic) < 9000": "not_decided", "errors(sanic) > 0": "passed"}
    said = words.reason(found.conditions[0], found)
    assert "One measurement would say that it does not hold. Measure" in said
    assert "./inv bench" in said
    assert str(gate.failure(found)) == "the gate does not pass: of 2 conditions, 1 could not be decided"


def test_an_invalid_row_decides_nothing(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", [a_cell("sanic", repeat, load=a_load(900, timeout=40)) for repeat in range(1, 7)])
    found = judge(root, run, "latency_p99(sanic) > 10 s")
    assert judgements(found) == {"latency_p99(sanic) > 10 s": "not_decided"}
    assert "sanic is invalid here" in words.reason(found.conditions[0], found)


@pytest.mark.parametrize("condition", ["throughput(sanic) < 1", "throughput(go-2000) < 1", "throughput(flask-sync) < 1"])
def test_a_row_that_failed_or_was_not_reached_or_left_out_decides_nothing(tmp_path: Path, condition: str) -> None:
    root = a_project(tmp_path)
    cells = [missing("sanic", "failed", "it died"), *rows({"go-20000": BASE})]
    run = stored(root, "now", cells, "sanic", "go-2000", "go-20000", finished_at="")
    assert judgements(judge(root, run, condition)) == {condition: "not_decided"}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("throughput(sanik) > 1", "unknown row 'sanik'; did you mean sanic"),
        ("thruput(sanic) > 1", "unknown function 'thruput'; did you mean throughput"),
        ("throughput(sanic) > 200 ms", "cannot be compared"),
        ("throughput(sanic) > 2 parsecs", "unknown unit 'parsecs'"),
        ("throughput(sanic) >", "it ends too early"),
        ("1 > 2", "it names no row"),
        ("x" * 600, "at most 500 characters"),
    ],
)
def test_an_expression_that_is_none_is_one_line(tmp_path: Path, expression: str, said: str) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE}))
    with pytest.raises(InputError) as caught:
        judge(root, run, expression)
    assert str(caught.value).startswith(f"--fail-if '{expression[:100].rstrip()}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pattern_stands_for_rows_that_were_not_reached_as_well(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE}), "sanic", "go-2000", finished_at="")
    found = judge(root, run, "max(latency_p99(*)) > 300 ms")
    assert [judged.judgement.value for judged in found.conditions] == ["not_decided"]
    assert "the run ended before it measured go-2000" in words.reason(found.conditions[0], found)
    assert found.notes == ("the run is incomplete",)


def test_published_figures_are_judged_as_they_are_printed(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    found = judge(root, "web-frameworks", "throughput(sanic) > 19000", "throughput(sanic) < 19000")
    assert [judged.judgement for judged in found.conditions] == ["failed", "passed"]
    assert (found.suite, words.about(found)) == ("", "published figures web-frameworks")


def test_each_server_is_judged(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    cells = [*rows({"sanic": BASE}, host="web1"), *rows({"sanic": scaled(2)}, host="web2")]
    found = judge(root, stored(root, "now", cells, servers=("web1", "web2")), "throughput(sanic) > 15000")
    assert [(judged.server, judged.judgement.value) for judged in found.conditions] == [
        ("web1", "passed"),
        ("web2", "failed"),
    ]


def test_what_the_suite_expected_when_the_run_began_is_judged(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    expected = ("throughput(sanic) > 9000", "latency_p99(sanic) < 100 ms", "throughput(gone) > 1")
    run = stored(root, "now", rows({"sanic": BASE}), expect=expected)
    found = judge(root, run)
    assert judgements(found) == dict(zip(expected, ("passed", "failed", "not_decided"), strict=True))
    assert "gone is not in this run" in words.reason(by_condition(found)[expected[2]], found)
    assert [words.condition(judged, found) for judged in found.conditions[:1]] == ["expect throughput(sanic) > 9000"]


def test_an_expectation_that_this_benchrig_cannot_read_is_one_line(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE}), expect=("throughput(sanic) >> 9000",))
    with pytest.raises(InputError, match=r"^run now: 'expect' in its run\.json: 'throughput\(sanic\) >> 9000', column 20: "):
        judge(root, run)


def test_a_gate_without_anything_to_judge_says_what_to_do(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    with pytest.raises(InputError, match="there is nothing to judge: the suite 'web-frameworks' expects nothing") as caught:
        judge(root, stored(root, "now", rows({"sanic": BASE})))
    assert "--fail-if EXPRESSION" in str(caught.value.hint)
    with pytest.raises(InputError, match="published figures have no suite"):
        judge(root, "web-frameworks")


def planned(root: Path, expect: str, only: str = "*") -> object:
    folder = root / "configs" / "suites"
    folder.mkdir(parents=True)
    (folder / "mine.yml").write_text(SUITE.format(expect=expect))
    return plan(root, Apps(ROOT), BenchRequest(suite="mine", only=(only,)))


def test_a_suite_has_expectations_with_their_lines(tmp_path: Path) -> None:
    made = planned(tmp_path, "  - throughput(mine) > 1\n  - max(throughput(mine), throughput(other)) > 1", "mine")
    assert [(one.text, one.where.rpartition(":")[2]) for one in made.expect] == [
        ("throughput(mine) > 1", "8"),
        ("max(throughput(mine), throughput(other)) > 1", "9"),
    ]
    gate.check_expected(made)


def test_mistakes_in_expectations_are_told_with_file_and_line(tmp_path: Path) -> None:
    made = planned(tmp_path, "  - throughput(mine) > 1\n  - throughput(main) > 1\n  - throughput(mine) > 2 ms")
    with pytest.raises(InputError) as caught:
        gate.check_expected(made)
    first, second = str(caught.value).splitlines()
    assert "mine.yml:9: 'throughput(main) > 1', column 12: unknown row 'main'; did you mean mine" in first
    assert "mine.yml:10: 'throughput(mine) > 2 ms', column " in second


def test_an_expectation_that_is_no_list_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.yml:7: 'expect' is a list: write each expression behind a dash"):
        planned(tmp_path, "  max(throughput(mine), throughput(other)) > 1")


def test_a_chain_is_refused_before_it_measures(tmp_path: Path) -> None:
    made = planned(tmp_path, "  - throughput(mine) > 1", "mine")
    gate.asked(["throughput(mine) > 1", "throughput(other) > 1"], None, "").check_plan(made)
    with pytest.raises(InputError, match="unknown row 'nosuch'"):
        gate.asked(["throughput(nosuch) > 1"], None, "").check_plan(made)
    with pytest.raises(InputError, match="the suite 'mine' expects nothing"):
        gate.asked([], None, "").check_plan(replace(made, expect=()))


@pytest.mark.parametrize("kind", ["--fail-if", "expect"])
def test_a_row_of_which_repeats_failed_passes_nothing(tmp_path: Path, kind: str) -> None:
    root = a_project(tmp_path)
    half = [*rows({"sanic": BASE[:3]}), *(missing("sanic", "failed", "it died", repeat=i) for i in (4, 5, 6))]
    expect = ("max(throughput(*)) > 5000",) if kind == "expect" else ()
    run = stored(root, "now", [*half, *rows({"go-2000": BASE})], expect=expect)
    other = "throughput(go-2000) < 5000"
    found = judge(root, run, *(() if kind == "expect" else ("max(throughput(*)) < 5000",)), other)
    assert [*judgements(found).values()].count("not_decided") == 1
    assert judgements(found)[other] == "passed"
    (held,) = [one for one in found.conditions if one.short]
    assert "3 of 6 repeats of sanic were measured: it does not pass by those." in words.reason(held, found)
    broken = judge(root, run, "throughput(sanic) > 5000")
    assert judgements(broken)["throughput(sanic) > 5000"] == "failed"


def test_a_damaged_line_of_the_record_is_a_missing_repeat(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = stored(root, "now", rows({"sanic": BASE}))
    path = root / "reports" / run / "cells.jsonl"
    path.write_bytes(path.read_bytes().replace(b"{", b"[", 1))
    found = judge(root, run, "throughput(sanic) < 5000")
    assert judgements(found) == {"throughput(sanic) < 5000": "not_decided"}
    assert "5 of 6 repeats of sanic" in words.reason(found.conditions[0], found)
    assert found.notes == ("of the run, 1 line of cells.jsonl is damaged or there twice, and left out",)


def test_other_digits_are_none(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    with pytest.raises(InputError, match="column 21"):
        judge(root, stored(root, "now", rows({"sanic": BASE})), "throughput(sanic) < \u0665\u0660")
