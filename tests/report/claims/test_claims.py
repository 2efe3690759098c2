"""Claims: read from their file, and judged on a run beside the article's own figures."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import yamlfile
from benchrig.errors import InputError
from benchrig.report import claims, published
from benchrig.report.claims.functions import FUNCTIONS, NoFigureError, find
from benchrig.report.claims.language import Figure
from benchrig.report.metrics import METRICS
from benchrig.report.sentences import reason as because
from benchrig.report.table import make, of_published
from benchrig.report.verdict import Reason, Verdict, Why, Word
from benchrig.results.model import Cell, DatabaseLoad
from tests.support.claims import DOCUMENT, judged, judged_as_published, measured, one, project, table, timed
from tests.support.reports import PUBLISHED, ROOT, SERVER, SPREAD, a_cell, a_load, a_run, missing
from tests.support.series import a_cell_of, ramped

NAMES = ("quart-vs-flask", "web-frameworks")


# What is in the files


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_says_what_and_where(name: str) -> None:
    found = claims.read(name, ROOT)
    assert found
    assert all(claim.says and claim.place and (claim.expression or claim.not_testable) for claim in found)


def test_every_file_of_claims_belongs_to_published_figures() -> None:
    assert {path.stem for path in (ROOT / "configs/claims").glob("*.yml")} == set(NAMES)


@pytest.mark.parametrize("row", PUBLISHED.rows)
def test_each_row_of_the_first_table_is_claimed_to_have_timeouts_or_none(row: str) -> None:
    wanted = f"has_timeouts({row}) == {'yes' if PUBLISHED.rows[row].timeouts_remarked else 'no'}"
    found = claims.read("web-frameworks", ROOT) or ()
    assert [claim for claim in found if claim.expression and claim.expression.text == wanted]


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_that_the_document_does_not_have_are_a_suites(name: str) -> None:
    suite = yamlfile.read(ROOT / "configs/suites" / f"{name}.yml").data
    matrix = suite.get("matrix", {"apps": (), "routes": ()})
    rows = {row["name"] for row in suite.get("rows", ())} | {f"{a}.{r}" for a in matrix["apps"] for r in matrix["routes"]}
    others = yamlfile.read(ROOT / "configs/claims" / f"{name}.yml").data["other_rows"]
    assert set(others) | set(published.read(name, ROOT).rows) <= rows


def test_the_guide_explains_every_function_of_the_language() -> None:
    guide = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("claims.md", "metrics.md"))
    assert [name for name in FUNCTIONS if f"| `{name}(" not in guide] == []


def test_every_metric_of_a_run_can_be_claimed() -> None:
    database, ramp = DatabaseLoad(stored=45_000, sessions=20, commits=0, rollbacks=0), a_cell_of(ramped)
    run = table(measured({"sanic": [9000]}, database=database, server=ramp.server, connections_seen=SPREAD))
    found = {name: find(Figure(name, "sanic"), run, None).value for name in FUNCTIONS}
    (row,) = run.rows
    assert found == {"has_timeouts": 0.0, "cores": 2.0} | {metric.claimed: row.value(metric) for metric in METRICS}


def test_without_a_file_there_are_no_claims(tmp_path: Path) -> None:
    assert claims.read("web-frameworks", tmp_path) is None


@pytest.mark.parametrize(
    ("kind", "said"), [("fifo", "it is a FIFO"), ("folder", "it is a folder"), ("link", "No such file")]
)
def test_what_is_no_file_in_place_of_the_claims_is_told(tmp_path: Path, kind: str, said: str) -> None:
    path = tmp_path / "configs" / "claims" / "web-frameworks.yml"
    path.parent.mkdir(parents=True)
    {"fifo": os.mkfifo, "folder": Path.mkdir, "link": lambda path: path.symlink_to("nowhere")}[kind](path)
    with pytest.raises(InputError, match=f"web-frameworks.yml: cannot be read: {said}"):
        claims.read("web-frameworks", tmp_path)


def test_every_mistake_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    text = """\
claims:
  first:
    says: It is so.
    place: Summary
    expression: throughput(sanik) > 1
  second:
    says: It is so.
    place: Summary
  third:
    says: It is so.
    place: Summary
    expression: throughput(sanic) > 1
    causes:
      - says: why
        when: throughput(sanic) > max(latency(*))
"""
    with pytest.raises(InputError) as caught:
        claims.read("web-frameworks", project(tmp_path, text))
    found = {problem.where.rsplit(":", 1)[1]: problem.message for problem in caught.value.problems}
    assert found["5"] == "column 12 of the expression: unknown row 'sanik'; did you mean sanic?"
    assert found["6"] == "a claim has either an 'expression' or a reason in 'not_testable'"
    assert found["15"].startswith("column 25 of the expression: unknown function 'latency'; did you mean latency_")


# Verdicts


def test_a_claim_that_holds_in_the_whole_interval_is_reproduced(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [800, 810, 820, 830, 840, 850], "flask-sync": [100] * 6}))
    assert (verdict.word, because(verdict)) == ("reproduced", "8.248 [8.054, 8.447] is at least 7")
    assert [(one.name, one.text) for one in verdict.measured] == [
        ("throughput(sanic) / throughput(flask-sync)", "8.248 [8.054, 8.447]"),
        ("throughput(sanic)", "825 [803.6, 846.4] requests/s"),
        ("throughput(flask-sync)", "100 [100, 100] requests/s"),
    ]
    assert [one.text for one in verdict.published] == ["10.09", "19,218 requests/s", "1,904 requests/s"]


def test_a_claim_that_holds_nowhere_in_the_interval_is_contradicted(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [500] * 6, "flask-sync": [100] * 6}))
    assert (verdict.word, because(verdict)) == ("contradicted", "5 [5, 5] is not at least 7")


def test_a_claim_that_holds_in_part_says_how_many_more_repeats_would_settle_it(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) >= 695")
    verdict = judged(claim, measured({"sanic": [680, 720, 720, 720, 720, 760], "go-2000": [9_000] * 6}))
    assert verdict.word == "inconclusive"
    needed = verdict.reason.needed
    assert 6 < needed < 100
    assert f". About {needed - 6} more repeats would decide, or show that it is within 3.6 % of " in because(verdict)
    assert because(verdict).endswith(f"--only sanic --duration 5s --threads 4 --repeats {needed}")


def test_a_claim_that_no_patience_settles_says_so(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) >= 700")
    verdict = judged(claim, measured({"sanic": [650, 701, 701, 701, 701, 750]}))
    assert verdict.word == "inconclusive"
    assert because(verdict).endswith("This is too close to decide: it is within 5.1 % of where the answer changes.")
    assert (verdict.reason.needed, verdict.wanted) == (0, None)


def test_a_claim_that_the_repeats_leave_wide_open_does_not_say_that_it_is_close(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > throughput(flask-sync)")
    slow = [10_000, 10_012, 9_991, 10_018, 7_000, 7_050]
    verdict = judged(claim, measured({"sanic": slow, "flask-sync": [10_000, 10_010, 9_990, 10_020, 9_995, 10_005]}))
    assert (verdict.word, verdict.reason.why) == ("inconclusive", Why.TOO_WIDE)
    assert re.search(
        r"The repeats differ too much to decide this, and more of them are not worth it: "
        r"it may be up to \d\d % from where the answer changes\. Find what makes them differ\.$",
        because(verdict),
    )
    assert (verdict.reason.needed, verdict.wanted) == (0, None)


@pytest.mark.parametrize(("missing", "said"), [(1, "About 1 more repeat would"), (12, "About 12 more repeats would")])
def test_one_more_repeat_is_one(missing: int, said: str) -> None:
    reason = Reason(Why.WIDE_INTERVALS, ("it is so",), repeats=6, needed=6 + missing, command="./inv bench")
    assert said in because(Verdict("", "", "", "", Word.INCONCLUSIVE, reason, (), ()))


def test_one_run_has_no_interval_so_it_only_says_what_it_would_mean(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [920], "flask-sync": [100]}))
    assert verdict.word == "inconclusive"
    assert because(verdict).startswith("One measurement supports this claim. Measure 6 times to judge it: ./inv bench ")
    assert because(verdict).endswith("--only sanic,flask-sync --duration 5s --threads 4 --repeats 6")


def test_a_few_runs_say_what_their_medians_would_mean(tmp_path: Path) -> None:
    verdict = judged(one(tmp_path, "throughput(sanic) > 700"), measured({"sanic": [600, 690]}))
    start = "2 measurements contradict this claim. Measure 6 times to judge it: "
    assert because(verdict).startswith(start)
    assert verdict.reason.facts == ("throughput(sanic) 645 requests/s is not above 700",)


def test_what_is_false_without_an_interval_is_contradicted_by_one_run(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > 7 and has_timeouts(sanic) == no")
    verdict = judged_as_published(claim, [a_cell("sanic", load=timed(900, timeout=3))])
    assert (verdict.word, because(verdict)) == ("contradicted", "has_timeouts(sanic) is yes (3 timeouts), not no")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (missing("sanic", "failed", "it does not answer\nTraceback"), "sanic failed: it does not answer"),
        (missing("sanic", "not_possible", "too few descriptors"), "sanic is not possible here: too few descriptors"),
        (a_cell("sanic", connections=50), "sanic ran with 50 connections, in the article with 2,000"),
        (
            a_cell("sanic", server=replace(SERVER, machine_steal_percent=7.0)),
            "sanic is invalid here: The hypervisor took 7 % of the CPU time of lab1 (steal).",
        ),
    ],
)
def test_a_row_that_cannot_be_used_makes_a_claim_not_testable(tmp_path: Path, cell: Cell, reason: str) -> None:
    verdict = judged(one(tmp_path, "throughput(sanic) > 1"), [cell])
    assert (verdict.word, because(verdict)) == ("not testable here", reason)


@pytest.mark.parametrize("figure", ["throughput(sanic) > 1", "has_timeouts(sanic) == no", "latency_max(sanic) < 1"])
def test_nothing_is_claimed_of_an_emulated_machine_not_even_that_replies_are_late(tmp_path: Path, figure: str) -> None:
    run = a_run("sanic")
    emulated = replace(run, machines=(replace(run.machines[0], emulated=True),))
    (verdict,) = claims.judge([one(tmp_path, figure)], make(emulated, [a_cell("sanic")], PUBLISHED), DOCUMENT)
    expected = (
        "sanic is invalid here: The values say nothing about real hardware, because these machines are emulated: lab1."
    )
    assert (verdict.word, because(verdict)) == ("not testable here", expected)


@pytest.mark.parametrize(("idle", "word"), [(45.0, "contradicted"), (30.0, "not testable here")])
@pytest.mark.parametrize("figure", ["has_timeouts(sanic) == yes", "listen_overflows(sanic) > 0"])
def test_nothing_is_claimed_of_a_row_that_another_program_made_invalid_not_even_by_counts(
    tmp_path: Path, figure: str, idle: float, word: str
) -> None:
    cell = a_cell("sanic", load=timed(900, 900.0), server=replace(SERVER, machine_idle_percent=idle))
    verdict = judged_as_published(one(tmp_path, figure), [cell])
    assert verdict.word == word
    assert because(verdict).startswith("sanic is invalid here: Something other than the app") == (
        word == "not testable here"
    )


def test_a_row_that_the_run_did_not_come_to_or_does_not_have_is_told_apart(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > throughput(go-2000)")
    verdict = judged(claim, [a_cell("flask-sync")], "flask-sync", "sanic")
    assert because(verdict) == "the run ended before it measured sanic; go-2000 is not in this run"


def test_of_many_reasons_the_first_are_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    verdict = judged(one(tmp_path, "max(throughput(flask-*)) > 1"), [a_cell("sanic")])
    told = because(verdict).split("; ")
    rows = [row for row in PUBLISHED.rows if row.startswith("flask-")]
    assert told == [*(f"{row} is not in this run" for row in rows[:3]), f"and {len(rows) - 3} more"]


def test_a_conclusion_that_no_figure_tests_gives_its_reason() -> None:
    found = claims.read("quart-vs-flask", ROOT) or ()
    verdict = next(one for one in claims.judge(found, DOCUMENT, DOCUMENT) if one.claim == "quart-alone")
    assert (verdict.word, verdict.expression) == ("not testable here", "")
    assert "no row runs Quart without asyncpg and uvloop" in because(verdict)


@pytest.mark.parametrize("left", ["{}", "max({}, 3)"])
def test_a_division_by_a_row_that_answered_nothing_is_not_testable(tmp_path: Path, left: str) -> None:
    claim = one(tmp_path, left.format("throughput(sanic) / throughput(flask-sync)") + " > 1")
    verdict = judged(claim, [a_cell("sanic"), a_cell("flask-sync", load=a_load(0))])
    assert verdict.word == "not testable here"
    assert because(verdict).startswith("throughput(flask-sync) is 0")


@pytest.mark.parametrize("function", ["errors", "timeouts", "has_timeouts"])
def test_errors_that_a_document_does_not_tell_are_no_figure(function: str) -> None:
    document = of_published(published.read("quart-vs-flask", ROOT))
    with pytest.raises(NoFigureError, match=f"the article has no {function} of films-quart.film"):
        find(Figure(function, "films-quart.film"), document, None)
