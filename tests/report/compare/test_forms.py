"""A comparison as it is printed: on a terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from jsonschema import Draft7Validator
from wcwidth import wcswidth

from benchrig.report import Report, compare, load
from benchrig.report.compare import lacking, markdown, record, terminal, texts
from benchrig.report.metrics import METRICS
from benchrig.results.sessions import Known
from benchrig.schema import documents
from benchrig.statistics.boots import Spread
from tests.support import ROOT
from tests.support.comparing import OTHER_SPREAD, SPREAD, cells, measured, run_of, times, with_errors
from tests.support.reports import a_cell, missing

LONG = "flask-gevent-patched-first"
"""The longest name of a row in our suites."""


def two_runs() -> list[Report]:
    """Return two runs with a faster row, a slower one, one that is the same, and one that was not measured."""
    a = {name: cells(name, SPREAD) for name in ("go-2000", "sanic", LONG)}
    b = {"go-2000": cells("go-2000", times(1.1)), "sanic": cells("sanic", times(0.8)), LONG: cells(LONG, OTHER_SPREAD)}
    failed = [missing("zoo", "failed", "it died")]
    return [run_of({**a, "zoo": cells("zoo", SPREAD)}, "before"), run_of({**b, "zoo": failed}, "after")]


def line_of(text: str, row: str, block: str = "requests/s") -> str:
    """Return the line of a row in the block of a metric."""
    lines = text[text.index(f"{block}, ") :].splitlines()
    return next(line for line in lines if line.startswith(row))


def test_a_line_has_both_medians_the_change_repeats_p_and_verdict() -> None:
    text = terminal.render(compare(two_runs())).text
    go = line_of(text, "go-2000").split()
    assert go[:3] == ["go-2000", "19,152", "±1.7%"] or go[0] == "go-2000"
    assert go[-1] == "better"
    assert "6+6" in go
    assert "<0.001" in go
    assert any(word.startswith("+9.") or word.startswith("+10") for word in go)
    assert line_of(text, "sanic").endswith("worse")
    same = line_of(text, LONG)
    assert "~ <" in same
    assert not same.endswith(("better", "worse"))
    assert "geomean of 3" in text


def test_repeats_are_advised_where_a_difference_is_nearly_shown() -> None:
    near, far = measured(times(1.013)), measured(times(1.001))
    text = " ".join(terminal.render(compare([measured(SPREAD), near])).text.split())
    advised = re.search(
        r"About (\d+) more repeats of go-2000 would show whether its requests/s differs, or exclude (.*?)\.\d%", text
    )
    assert advised
    assert 15 <= int(advised[1]) <= 60
    assert advised[2] == "a difference of 1"
    assert "more repeats" not in terminal.render(compare([measured(SPREAD), far])).text
    assert "more repeats" not in terminal.render(compare([measured(SPREAD), measured(times(1.1))])).text


@pytest.mark.parametrize("width", [60, 70, 80, 100, 140])
def test_all_blocks_fit_the_terminal_and_keep_change_and_verdict(width: int) -> None:
    text = terminal.render(compare(two_runs(), 0.01), width).text
    wide = [line for line in text.splitlines() if wcswidth(line) > width and "| less -S" not in line]
    if width >= 80:
        assert wide == []
        assert " n " in text.split("requests/s, ")[1].splitlines()[1] or width == 80
    assert line_of(text, "sanic").endswith("worse")
    assert "%" in line_of(text, LONG)


def test_columns_stand_below_each_other_in_every_block() -> None:
    text = terminal.render(compare(two_runs())).text
    headings = [line for line in text.splitlines() if line.startswith("row ")]
    assert len(headings) == len(set(text.split(" is better")) - {""}) - 1 or len(headings) > 3
    assert len(set(headings)) == 1


def test_what_every_row_has_none_of_is_one_line() -> None:
    text = terminal.render(compare([with_errors(0, 0, 0, 0), with_errors(0, 0, 0, 0)])).text
    assert "errors: 0 in every row" in text.splitlines()
    some = terminal.render(compare([with_errors(0, 0, 0, 0), with_errors(4, 7, 2, 9)])).text
    assert line_of(some, "go-2000", "errors").split()[1:3] == ["0", "9"]
    assert line_of(some, "go-2000", "errors").endswith("worse")


def test_each_reason_for_no_verdict_is_one_line_for_all_its_rows() -> None:
    text = terminal.render(compare(two_runs())).text
    assert text.count("not measured in B") == 1
    assert "not known (not measured in B): zoo" in text
    late = [a_cell(repeat=n, sleep_seconds=0.0, wrong_after="") for n in range(1, 5)]
    few = run_of({"go-2000": late[:2]})
    said = terminal.render(compare([few, few])).text
    assert "not known (2 repeats; 3 are needed): go-2000" in said


def test_differences_between_single_runs_carry_the_warning_of_boots_and_others_do_not() -> None:
    assert "single runs" in terminal.render(compare(two_runs())).text
    same = terminal.render(compare([measured(SPREAD), measured(OTHER_SPREAD)])).text
    assert "single runs" not in same


def test_each_mean_of_single_runs_carries_the_warning_of_boots() -> None:
    """No difference is found, but the interval of the mean does not have the boots in it either."""
    runs = [run_of({name: cells(name, shares) for name in ("one", "two")}) for shares in (SPREAD, OTHER_SPREAD)]
    for said in (terminal.render(compare(runs)).text, markdown.render(compare(runs))):
        assert "All rows of a run share its boot" in " ".join(said.split())
    known = Known("20261130-ab-go-2000", Spread(0.012, 0.001, 8, 0.005))
    spreads = {metric.name: known for metric in METRICS}
    said = terminal.render(compare(runs, boots=lambda _run, _row: spreads)).text
    assert "geomean of 2" in said
    assert "single runs" not in said


def test_a_known_spread_between_boots_is_told_instead_of_the_warning() -> None:
    known = Known("20261130-ab-go-2000", Spread(0.012, 0.001, 8, 0.005))
    spreads = {metric.name: known for metric in METRICS}
    runs = [measured(SPREAD), measured(times(1.2))]
    said = " ".join(terminal.render(compare(runs, boots=lambda _run, _row: spreads)).text.split())
    assert "The spread between boots is in the intervals of go-2000: known from 20261130-ab-go-2000 (8 boots)." in said
    assert "single runs" not in said
    document = json.loads(record.render(compare(runs, boots=lambda _run, _row: spreads)))
    assert document["pairings"][0]["changes"][0]["boots_session"] == "20261130-ab-go-2000"
    some = {"requests_per_second": known}
    said = " ".join(terminal.render(compare(runs, boots=lambda _run, _row: some)).text.split())
    assert "is not in these intervals of the other rows or metrics" in said


def test_noise_is_told_where_it_was_given() -> None:
    assert "±1.0% (--noise)" in terminal.render(compare(two_runs(), 0.01)).text
    assert "--noise" not in terminal.render(compare(two_runs())).text


def test_an_incomplete_run_is_compared_as_far_as_it_goes() -> None:
    a, b = two_runs()
    run = b.table.run
    assert run
    broken = Report(replace(b.table, not_run=("quart",), origin=replace(run, finished_at="")))
    text = terminal.render(compare([a, broken])).text
    assert "B is incomplete: quart not run; compared is what it has" in text
    assert line_of(text, "go-2000").endswith("better")


def test_colours_are_those_of_the_verdicts_alone() -> None:
    page = terminal.render(compare([*two_runs(), two_runs()[0]]))
    assert {(page.text[span.start : span.end], span.style) for span in page.spans} == {("better", "good"), ("worse", "bad")}
    found = [line for line in page.text.splitlines() if line.endswith((" better", " worse")) and " is " not in line]
    assert len(page.spans) == len(found) > 2
    assert [span.start for span in page.spans] == sorted(span.start for span in page.spans)


def test_published_figures_are_printed_with_their_ratio() -> None:
    document = load("web-frameworks", ROOT)
    text = terminal.render(compare([measured(times(0.5), sleep_seconds=0.1), document])).text
    assert "not known (published figures have no repeats): go-2000" in " ".join(text.split())
    assert "+105%" in line_of(text, "go-2000")
    assert "single runs" not in text


def test_markdown_mentions_and_links_nobody() -> None:
    names = ("@everyone", "fix-#1", "www.evil.com", "http://evil", "GH-12")
    a, b = ({name: cells(name, times(factor)) for name in names} for factor in (1.0, 1.2))
    text = markdown.render(compare([run_of(a, "before"), run_of(b, "after", git_commit="@team!7")]))
    for name in (*names, "@team", "!7"):
        assert name not in text
    assert "@<!-- -->everyone" in text


def test_markdown_has_what_was_found_first_and_folds_the_rest() -> None:
    text = markdown.render(compare(two_runs()))
    head, _, folded = text.partition("<details>")
    assert text.startswith("### B against A: ")
    assert "| go-2000 | 19," in head
    assert head.index("**requests/s, higher is better**") < head.index(
        "| row | A | B | change | 95 % interval | p | n | verdict |"
    )
    assert "worse |" in head
    assert "errors" in folded
    assert "</details>" in folded
    columns = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert columns == {9}


def test_json_fits_its_schema_and_has_what_the_terminal_shows() -> None:
    document = json.loads(record.render(compare(two_runs(), 0.01)))
    schema = json.loads(documents.path(ROOT, "comparison").read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []
    assert document["noise_percent"] == 1.0
    (pairing,) = document["pairings"]
    assert (pairing["a"]["name"], pairing["b"]["name"]) == ("before", "after")
    go = next(change for change in pairing["changes"] if change["row"] == "go-2000")
    assert (go["metric"], go["verdict"], go["cause"]) == ("requests_per_second", "better", None)
    assert go["ratio_low"] < go["ratio"] < go["ratio_high"]
    assert go["a"]["repeats"] == 6
    zoo = next(change for change in pairing["changes"] if change["row"] == "zoo")
    assert (zoo["verdict"], zoo["cause"], zoo["text"]) == ("not known", "not_measured", "not measured in B")
    assert pairing["means"][0]["rows"] == 3


def test_too_few_repeats_are_an_error_with_the_command_that_measures_more() -> None:
    few = run_of({"go-2000": cells("go-2000", SPREAD[:1])}, "few")
    error = lacking.failure(compare([few, measured(SPREAD)]))
    assert error
    assert str(error) == "no difference can be judged: A (few) has 1 repeat of each row, and it takes 3"
    assert "--only go-2000" in str(error.hint)
    assert "--repeats 6" in str(error.hint)
    assert lacking.failure(compare(two_runs())) is None
    assert lacking.failure(compare([few, load("web-frameworks", ROOT)])) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "+0.00%"), (0.0043, "+0.43%"), (-0.043, "-4.3%"), (0.0999, "+10.0%"), (2.1, "+210%"), (12.0, "+1,200%")],
)
def test_a_change_has_two_digits_or_all_before_its_point(value: float, text: str) -> None:
    assert texts.signed(value) == text


def test_two_runs_of_22_rows_with_20_repeats_are_compared_within_a_second() -> None:
    shares: Sequence[float] = [1 + 0.01 * ((7 * n) % 11 - 5) for n in range(20)]
    runs = [
        run_of({f"row-{row}": cells(f"row-{row}", times(1 + 0.002 * row * side, shares)) for row in range(22)})
        for side in (0, 1)
    ]
    start = time.perf_counter()
    comparison = compare(runs)
    text = terminal.render(comparison, 80).text
    markdown.render(comparison)
    record.render(comparison)
    assert time.perf_counter() - start < 1
    assert text.count("row-21") >= 6
