"""Claims shown on the terminal and in reports: each with its place and reason, and what would help."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

from benchrig.report import EXPORTS, Report, claims, published, render_terminal
from benchrig.report.sentences import reason as because
from benchrig.report.table import of_published
from benchrig.results.codes import Code
from benchrig.results.model import LoadErrors
from tests.support.claims import DOCUMENT, judged, measured, one, table
from tests.support.reports import PUBLISHED, ROOT, SERVER, a_cell, a_load, missing


def test_the_terminal_shows_each_claim_with_its_place_and_counts_the_verdicts(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [800, 810, 820, 830, 840, 850], "flask-sync": [100] * 6}))
    assert claims.render_terminal([verdict]) == (
        "it: reproduced\n"
        "  It is so. (Summary)\n"
        "  claim      throughput(sanic) / throughput(flask-sync) >= 7\n"
        + f"{'published':>69}{'measured':>31}\n"
        + "             throughput(sanic) /\n"
        + f"{'             throughput(flask-sync)':<51}{'10.09':>18}{'8.248 [8.054, 8.447]':>31}\n"
        + f"{'             throughput(sanic)':<51}{'19,218 requests/s':>18}{'825 [803.6, 846.4] requests/s':>31}\n"
        + f"{'             throughput(flask-sync)':<51}{'1,904 requests/s':>18}{'100 [100, 100] requests/s':>31}\n"
        + "  reason     8.248 [8.054, 8.447] is at least 7\n"
        "\n"
        "[a, b] is the 95 % interval\n"
        "\n"
        "1 claim: 1 reproduced"
    )


def test_a_formula_of_several_lines_is_not_repeated_before_its_value() -> None:
    document = of_published(published.read("quart-vs-flask", ROOT))
    first, *_ = claims.judge(claims.read("quart-vs-flask", ROOT) or (), document, document)
    assert re.search(r"^ {13}altogether +2\.971$", claims.render_terminal([first]), re.MULTILINE)


def test_two_long_formulas_keep_their_names_and_their_values(tmp_path: Path) -> None:
    rows = ("go-2000", "sanic", "flask-sync", "flask-gunicorn", "fastapi-workers")
    total = " + ".join(f"throughput({row})" for row in rows)
    claim = one(tmp_path, f"({total}) / 5 > ({total}) / 10")
    verdict = judged(claim, measured({row: [100 * n] for n, row in enumerate(rows, 1)}))
    names = [quantity.name for quantity in verdict.measured if len(quantity.name) > 100]
    assert names == [f"({total}) / 5", f"({total}) / 10"]
    text = " ".join(claims.render_terminal([verdict]).split())
    for part in ("/ 5 13,738 requests/s 300 requests/s", "/ 10 6,869 requests/s 150 requests/s"):
        assert f"throughput(flask-gunicorn) + throughput(fastapi-workers)) {part}" in text
    assert "altogether" not in text


def test_figures_without_claims_say_so_and_name_the_suites_that_have_some() -> None:
    assert "No claims: " in claims.render_terminal(())
    found = claims.suites(ROOT)
    assert found == ("quart-vs-flask", "web-frameworks")
    text = claims.render_report(Report(table([a_cell("sanic")])), found)
    assert "of this report.\nwith claims: ./inv claims --suite quart-vs-flask\n" in text
    assert "with claims" not in claims.render_report(disturbed(ROOT), found)


def disturbed(root: Path) -> Report:
    """Return the report of a run whose rows another program made invalid."""
    server = replace(SERVER, machine_idle_percent=5.0)
    of_run = table(measured({name: [900] for name in PUBLISHED.rows}, server=server))
    return Report(of_run, claims.judge(claims.read("web-frameworks", root) or (), of_run, DOCUMENT))


def test_claims_on_rows_that_are_invalid_alike_are_told_in_one_place() -> None:
    report = disturbed(ROOT)
    invalid = [verdict for verdict in report.verdicts if verdict.invalid_by]
    assert len(invalid) > 30
    text = claims.render_report(report)
    together = (
        f"{sum(verdict.invalid_by == (Code.DISTURBED,) for verdict in invalid)} claims: not testable here\n"
        "  All need rows that are invalid: disturbed. Measure again when the machine is quiet.\n"
        f"  Each with its reason: ./inv report {report.table.name} writes report.html.\n"
    )
    assert together in text
    # Claims that lack something else, too, keep their own reason.
    assert not any(f"{verdict.claim}: " in text for verdict in invalid)
    assert all(verdict.claim in page(report) for verdict in invalid)


def test_reasons_of_several_rows_are_one_sentence_and_are_not_told_twice(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > throughput(go-2000)")
    server = replace(SERVER, machine_idle_percent=5.0)
    verdict = judged(claim, measured({"sanic": [900], "go-2000": [90]}, server=server))
    told = because(verdict)
    assert re.search(r"of lab1; go-2000 is invalid here: .* of lab1\.$", told)
    assert verdict.notes == ()


def test_all_claims_of_a_run_are_judged_whatever_it_has() -> None:
    cells = [*measured({"sanic": [900], "go-2000": [19_000]}), missing("go-20000", "failed", "it died", 20_000)]
    errors = replace(a_load(0), errors=LoadErrors(connect=2000))
    verdicts = claims.judge(
        claims.read("web-frameworks", ROOT) or (), table([*cells, a_cell("flask-sync", load=errors)]), DOCUMENT
    )
    assert len(verdicts) == 53
    assert all(because(verdict) for verdict in verdicts)
    assert max(map(len, claims.render_terminal(verdicts).splitlines())) <= 100


ALL = claims.read("web-frameworks", ROOT) or ()


def test_claims_of_rows_that_are_not_in_the_run_are_one_line_in_what_people_read() -> None:
    cells = measured({"go-2000": [19_000]})
    of_run = table(cells)
    report = Report(of_run, claims.judge(ALL, of_run, DOCUMENT))
    shown = [verdict.claim for verdict in report.verdicts if "is not in this run" not in because(verdict)]
    absent = len(ALL) - len(shown)
    assert absent > 30
    for text in (claims.render_report(report), render_terminal(report), EXPORTS["report.md"](report), page(report)):
        assert re.search(rf"{absent} (more are )?about rows that are not in this run", " ".join(text.split()))
        assert "flask-sync is not in this run" not in text
    assert re.findall(r"^([\w-]+): ", claims.render_report(report), re.MULTILINE)[1:] == shown
    # Programs have them all.
    assert len(json.loads(EXPORTS["report.json"](report))["claims"]) == len(ALL)


def test_claims_of_rows_that_the_run_did_not_come_to_are_told_one_by_one(tmp_path: Path) -> None:
    verdict = judged(one(tmp_path, "throughput(sanic) > 1"), [a_cell("flask-sync")], "flask-sync", "sanic")
    assert not verdict.not_in_run
    assert "the run ended before it measured sanic" in claims.render_terminal([verdict])


def test_a_claim_with_another_reason_beside_a_row_that_is_not_in_the_run_is_told(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > throughput(go-2000)")
    assert judged(claim, [a_cell("sanic")]).not_in_run
    assert not judged(claim, [missing("sanic", "failed", "it died")]).not_in_run


def test_every_report_has_the_command_that_helps_the_inconclusive_claims() -> None:
    of_run = replace(table(measured({name: [900] for name in PUBLISHED.rows})), published_profile="paper")
    report = Report(of_run, claims.judge(ALL, of_run, DOCUMENT))
    inconclusive = [verdict.wanted for verdict in report.verdicts if verdict.word == "inconclusive"]
    assert all(inconclusive)
    wanted = [one for one in inconclusive if one and not one.as_published]
    assert 1 < len(wanted) < len(inconclusive)
    rows = ",".join(name for name in PUBLISHED.rows if any(name in one.rows for one in wanted if one))
    command = (
        f"./inv bench -i lab --suite web-frameworks --profile quick --only {rows} --duration 5s --threads 4 --repeats 6"
    )
    for text in (claims.render_report(report), render_terminal(report), EXPORTS["report.md"](report), page(report)):
        assert f"{len(wanted)} inconclusive claims need more repeats:" in text
        assert command in text
        assert f"{len(inconclusive) - len(wanted)} inconclusive claims need the article's duration and timeout:" in text
        assert "--profile paper" in text


def test_where_repeats_help_nothing_none_are_asked_for(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) == 8")
    of_run = table(measured({"sanic": [800, 810, 820, 830, 840, 850], "flask-sync": [100, 101, 102, 103, 104, 105]}))
    (verdict,) = claims.judge([claim], of_run, DOCUMENT)
    assert (verdict.word, verdict.wanted) == ("inconclusive", None)
    assert "more repeats" not in render_terminal(Report(of_run, (verdict,)))


def page(report: Report) -> str:
    return html.unescape(EXPORTS["report.html"](report))
