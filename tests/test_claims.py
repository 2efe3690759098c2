"""Claims: read from their file, judged on a run beside the document's own figures, and shown on the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import yamlfile
from benchrig.errors import InputError
from benchrig.report import claims, published
from benchrig.report.claim_figures import FUNCTIONS, NoFigureError, find
from benchrig.report.claim_file import Claim
from benchrig.report.claim_language import Figure
from benchrig.report.table import Table, make, of_published
from benchrig.report.verdict import Verdict
from benchrig.results.model import Cell, DatabaseLoad, LoadErrors
from tests.cases.reports import PUBLISHED, ROOT, SERVER, a_cell, a_load, a_run, missing

DOCUMENT = of_published(PUBLISHED)
NAMES = ("quart-vs-flask", "web-frameworks")


def project(tmp_path: Path, text: str) -> Path:
    """Make a project with the first document's figures and a file of claims."""
    (tmp_path / "configs").mkdir(parents=True)
    (tmp_path / "configs" / "published").symlink_to(ROOT / "configs" / "published")
    (tmp_path / "configs" / "claims").mkdir()
    (tmp_path / "configs" / "claims" / "web-frameworks.yml").write_text(text, encoding="utf-8")
    return tmp_path


def one(tmp_path: Path, expression: str, cause: str = "") -> Claim:
    text = f"""\
other_rows: [flask-gevent-patched-first]
claims:
  it:
    says: It is so.
    place: Summary
    expression: {expression}
"""
    if cause:
        text += f"    causes:\n      - when: {cause}\n        says: the order of imports\n"
    found = claims.read("web-frameworks", project(tmp_path, text))
    assert found is not None
    return found[0]


def measured(rows: Mapping[str, Sequence[float]], **changes: object) -> list[Cell]:
    """Return the cells of rows with the throughput of each of their repeats; the law of Little holds for each."""
    return [
        a_cell(name, repeat, timed(rate), **changes) for name, rates in rows.items() for repeat, rate in enumerate(rates, 1)
    ]


def timed(rate: float, max_ms: float = 300.0, **errors: int) -> object:
    load = a_load(round(5 * rate), **errors)
    return replace(load, latency=replace(load.latency, mean_us=1e6 * 2000 / rate, max_us=1e3 * max_ms))


def table(cells: Sequence[Cell], *rows: str) -> Table:
    return make(a_run(*(rows or dict.fromkeys(cell.name for cell in cells))), cells, PUBLISHED)


def judged(claim: Claim, cells: Sequence[Cell], *rows: str) -> Verdict:
    (verdict,) = claims.judge([claim], table(cells, *rows), DOCUMENT)
    return verdict


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
    guide = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"| `{name}(" not in guide] == []


def test_without_a_file_there_are_no_claims(tmp_path: Path) -> None:
    assert claims.read("web-frameworks", tmp_path) is None


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
    assert (verdict.word, verdict.reason) == ("reproduced", "8.25 [8, 8.5] is at least 7")
    assert [(one.name, one.text) for one in verdict.measured] == [
        ("throughput(sanic) / throughput(flask-sync)", "8.25 [8, 8.5]"),
        ("throughput(sanic)", "825 [800, 850] requests/s"),
        ("throughput(flask-sync)", "100 [100, 100] requests/s"),
    ]
    assert [one.text for one in verdict.published] == ["10.09", "19,218 requests/s", "1,904 requests/s"]


def test_a_claim_that_holds_nowhere_in_the_interval_is_contradicted(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [500] * 6, "flask-sync": [100] * 6}))
    assert (verdict.word, verdict.reason) == ("contradicted", "5 [5, 5] is not at least 7")


def test_a_claim_that_holds_in_part_says_how_many_more_repeats_would_settle_it(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) >= 700")
    # The median is 720 and the interval begins at 680: half of its width would do, which takes 4 times the repeats.
    verdict = judged(claim, measured({"sanic": [680, 720, 720, 720, 720, 760], "go-2000": [9_000] * 6}))
    assert verdict.word == "inconclusive"
    assert "about 18 more repeats a row would settle it" in verdict.reason
    assert verdict.reason.endswith("--only sanic --duration 5s --threads 4 --repeats 24 --connections 2000")


def test_a_claim_that_no_patience_settles_says_so(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) >= 700")
    verdict = judged(claim, measured({"sanic": [600, 701, 701, 701, 701, 800]}))
    assert verdict.word == "inconclusive"
    assert "not even 200 repeats a row would settle it" in verdict.reason


def test_one_run_has_no_interval_so_it_only_says_what_it_would_mean(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [920], "flask-sync": [100]}))
    assert verdict.word == "inconclusive"
    assert verdict.reason.startswith(
        "the one run here says: 9.2 is at least 7, which would reproduce it; 5 more repeats a row give an interval: "
    )
    assert verdict.reason.endswith("--only sanic,flask-sync --duration 5s --threads 4 --repeats 6 --connections 2000")


def test_a_few_runs_say_what_their_medians_would_mean(tmp_path: Path) -> None:
    verdict = judged(one(tmp_path, "throughput(sanic) > 700"), measured({"sanic": [600, 690, 800]}))
    assert verdict.reason.startswith("the medians of 3 runs here say: throughput(sanic) 690 requests/s is not above 700,")
    assert "would contradict it; 3 more repeats a row" in verdict.reason


def test_what_is_false_without_an_interval_is_contradicted_by_one_run(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > 7 and has_timeouts(sanic) == no")
    verdict = judged(claim, [a_cell("sanic", load=timed(900, max_ms=3_400))])
    assert (verdict.word, verdict.reason) == ("contradicted", "has_timeouts(sanic) is yes (slowest reply 3,400 ms), not no")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (missing("sanic", "failed", "it does not answer\nTraceback"), "sanic failed: it does not answer"),
        (missing("sanic", "not_possible", "too few descriptors"), "sanic is not possible here: too few descriptors"),
        (a_cell("sanic", connections=50), "sanic ran with 50 connections, in the document with 2,000"),
        (
            a_cell("sanic", server=replace(SERVER, machine_steal_percent=7.0)),
            "sanic is invalid here: the hypervisor took 7 % of the CPU time (steal)",
        ),
    ],
)
def test_a_row_that_cannot_be_used_makes_a_claim_not_testable(tmp_path: Path, cell: Cell, reason: str) -> None:
    verdict = judged(one(tmp_path, "throughput(sanic) > 1"), [cell])
    assert (verdict.word, verdict.reason) == ("not testable here", reason)


def test_a_row_that_the_run_did_not_come_to_or_does_not_have_is_told_apart(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) > throughput(go-2000)")
    verdict = judged(claim, [a_cell("flask-sync")], "flask-sync", "sanic")
    assert verdict.reason == "the run did not come to sanic; go-2000 is not in this run"


def test_a_conclusion_that_no_figure_tests_gives_its_reason() -> None:
    found = claims.read("quart-vs-flask", ROOT) or ()
    verdict = next(one for one in claims.judge(found, DOCUMENT, DOCUMENT) if one.claim == "quart-alone")
    assert (verdict.word, verdict.expression) == ("not testable here", "")
    assert "no row runs Quart without asyncpg and uvloop" in verdict.reason


@pytest.mark.parametrize("left", ["{}", "max({}, 3)"])
def test_a_division_by_a_row_that_answered_nothing_is_not_testable(tmp_path: Path, left: str) -> None:
    claim = one(tmp_path, left.format("throughput(sanic) / throughput(flask-sync)") + " > 1")
    verdict = judged(claim, [a_cell("sanic"), a_cell("flask-sync", load=a_load(0))])
    assert verdict.word == "not testable here"
    assert verdict.reason.startswith("throughput(flask-sync) is 0")


@pytest.mark.parametrize("function", ["errors", "timeouts", "has_timeouts"])
def test_errors_that_a_document_does_not_tell_are_no_figure(function: str) -> None:
    document = of_published(published.read("quart-vs-flask", ROOT))
    with pytest.raises(NoFigureError, match=f"the document has no {function} of films-quart.film"):
        find(Figure(function, "films-quart.film"), document, None)


# Late replies


@pytest.mark.parametrize(
    ("timeout", "max_ms", "late", "word"),
    [
        (2.0, 1_999.0, 0, "no"),
        (2.0, 1_999.0, 3, "yes (3 timeouts)"),
        (10.0, 1_900.0, 0, "no (slowest reply 1,900 ms)"),
        (10.0, 2_100.0, 0, "yes (slowest reply 2,100 ms)"),
        (10.0, 9_999.0, 3, "yes (3 timeouts)"),
        (1.0, 900.0, 0, "no"),
    ],
)
def test_a_row_has_timeouts_when_replies_came_later_than_the_documents_timeout(
    tmp_path: Path, timeout: float, max_ms: float, late: int, word: str
) -> None:
    cell = a_cell("sanic", load=timed(900, max_ms, timeout=late), timeout_seconds=timeout)
    verdict = judged(one(tmp_path, "has_timeouts(sanic) == yes"), [cell])
    assert verdict.word == ("reproduced" if word.startswith("yes") else "contradicted")
    assert verdict.measured[0].text == word
    assert any("the timeout was 10 s here and 2 s in the document" in note for note in verdict.notes) is (timeout > 2)


@pytest.mark.parametrize(("duration", "noted"), [("5 s", True), ("60 s", False), ("300 s", True)])
def test_late_replies_of_a_load_that_lasted_another_time_are_noted(tmp_path: Path, duration: str, noted: bool) -> None:
    cell = a_cell("sanic", timeout_seconds=2.0)
    run = replace(a_run("sanic"), settings={"duration": duration})
    (verdict,) = claims.judge([one(tmp_path, "has_timeouts(sanic) == no")], make(run, [cell], PUBLISHED), DOCUMENT)
    assert verdict.word == "reproduced"
    assert any(note.startswith(f"the load lasted {duration} here and 60 s") for note in verdict.notes) is noted


def test_late_replies_of_a_shorter_timeout_say_nothing_of_the_documents(tmp_path: Path) -> None:
    cell = a_cell("sanic", load=timed(900, 999.0, timeout=3), timeout_seconds=1.0)
    assert judged(one(tmp_path, "has_timeouts(sanic) == no"), [cell]).word == "not testable here"


def test_a_late_reply_in_one_of_the_repeats_is_a_timeout(tmp_path: Path) -> None:
    cells = [a_cell("sanic", repeat, timed(900, timeout=int(repeat == 2)), timeout_seconds=2.0) for repeat in (1, 2, 3)]
    verdict = judged(one(tmp_path, "has_timeouts(sanic) == yes"), cells)
    assert (verdict.word, verdict.measured[0].text) == ("reproduced", "yes (in some repeats)")


@pytest.mark.parametrize(
    ("expression", "changes", "reason"),
    [
        (
            "timeouts(sanic) > 80",
            {"timeout_seconds": 10.0},
            "timeouts(sanic) counts replies later than 10 s here, later than 2 s in the document",
        ),
        (
            "timeouts(sanic) > 80",
            {"timeout_seconds": 2.0},
            "timeouts(sanic) is a count over 5 s here, over 60 s in the document",
        ),
        ("requests(sanic) > 80", {}, "requests(sanic) is a count over 5 s here, over 60 s in the document"),
    ],
)
def test_a_count_over_another_time_is_another_count(
    tmp_path: Path, expression: str, changes: Mapping[str, object], reason: str
) -> None:
    verdict = judged(one(tmp_path, expression), [a_cell("sanic", **changes)])
    assert (verdict.word, verdict.reason) == ("not testable here", reason)


# Notes and causes


def test_rows_of_different_connection_counts_are_noted_even_where_one_was_not_measured(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(go-20000) > 10 * throughput(flask-gunicorn)")
    verdict = judged(claim, [missing("go-20000", "not_possible", "descriptors", 20_000), a_cell("flask-gunicorn")])
    note = "compares rows of different connection counts: 20,000 of go-20000; 2,000 of flask-gunicorn"
    assert note in verdict.notes


def test_two_rows_at_the_ceiling_are_equal_for_that_cause(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(openresty-2000) ~= throughput(go-2000)")
    verdict = judged(claim, measured({"openresty-2000": [19_500] * 6, "go-2000": [19_600] * 6}))
    assert verdict.word == "reproduced"
    assert verdict.causes == (
        "openresty-2000 and go-2000 are at the ceiling: 2,000 connections / 0.1 s of waiting allow 20,000 requests/s, "
        "so the load makes them equal, not their speed",
    )


def test_rows_at_ceilings_of_their_own_are_not_equal_for_that_cause(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(openresty-2000) ~= throughput(go-2000)")
    cells = [*measured({"openresty-2000": [39_500] * 6}, sleep_seconds=0.05), *measured({"go-2000": [19_600] * 6})]
    assert judged(claim, cells).causes == ()


def test_one_row_at_the_ceiling_is_a_note(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(go-2000) > throughput(flask-sync)")
    verdict = judged(claim, measured({"go-2000": [19_600] * 6, "flask-sync": [100] * 6}))
    assert verdict.causes == ()
    assert any(note.startswith("at the ceiling, so it could do more: go-2000") for note in verdict.notes)


def test_clipped_latency_is_invalid_for_claims_on_latency_alone(tmp_path: Path) -> None:
    late = [a_cell("sanic", repeat, timed(900, 1_999.0, timeout=500), timeout_seconds=2.0) for repeat in range(1, 7)]
    assert judged(one(tmp_path / "a", "throughput(sanic) > 1"), late).word == "reproduced"
    verdict = judged(one(tmp_path / "b", "latency_mean(sanic) > 1"), late)
    assert verdict.word == "not testable here"
    assert verdict.reason.startswith("sanic is invalid here: latency is clipped at the timeout of 2 s")
    assert verdict.notes == ("has invalid figures (latency clipped): sanic",)


IMPORT_ORDER = "throughput(flask-gevent-patched-first) > 10 * throughput(flask-gevent-patched)"


@pytest.mark.parametrize(("first", "shown"), [([5_000] * 6, True), ([95] * 6, False), ([100, 90, 110, 200, 90, 500], False)])
def test_a_cause_is_told_where_the_results_show_it(tmp_path: Path, first: list[float], shown: bool) -> None:
    claim = one(tmp_path, "throughput(flask-gevent-patched) ~= throughput(flask-gevent)", IMPORT_ORDER)
    rows = {"flask-gevent": [10] * 6, "flask-gevent-patched": [10] * 6, "flask-gevent-patched-first": first}
    verdict = judged(claim, measured(rows))
    assert verdict.word == "reproduced"
    assert bool(verdict.causes) == shown
    if shown:
        assert verdict.causes[0].startswith(
            "the order of imports (throughput(flask-gevent-patched-first) 5,000 [5,000, 5,000] requests/s; "
        )


def test_a_cause_without_its_row_is_not_told(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(flask-gevent-patched) ~= throughput(flask-gevent)", IMPORT_ORDER)
    assert judged(claim, measured({"flask-gevent": [10] * 6, "flask-gevent-patched": [10] * 6})).causes == ()


def test_sanics_instability_is_its_listen_backlog() -> None:
    claim = next(claim for claim in claims.read("web-frameworks", ROOT) or () if claim.name == "sanic-unstable")
    full = a_cell("sanic", load=timed(900, 3_400.0), server=replace(SERVER, listen_overflows=412))
    verdict = judged(claim, [full])
    assert verdict.word == "reproduced"
    assert verdict.causes[0].startswith("the listen backlog")
    assert verdict.causes[0].endswith("(listen_overflows(sanic) 412)")
    assert judged(claim, [a_cell("sanic", load=timed(900, 3_400.0))]).causes == ()


def slowest(*replies_ms: float) -> list[Cell]:
    return [a_cell("sanic", repeat, timed(900, ms)) for repeat, ms in enumerate(replies_ms, 1)]


def test_a_latency_is_judged_by_its_interval_once_there_are_enough_repeats(tmp_path: Path) -> None:
    claim = one(tmp_path, "latency_max(sanic) < 310")
    assert judged(claim, slowest(*[300.0] * 5)).word == "inconclusive"
    assert judged(claim, slowest(*[300.0] * 6)).word == "reproduced"
    assert judged(claim, slowest(*[300.0] * 5, 320.0)).word == "inconclusive"
    assert judged(claim, slowest(*[320.0] * 6)).word == "contradicted"


def test_one_repeat_with_a_late_reply_is_enough_for_timeouts(tmp_path: Path) -> None:
    claim = one(tmp_path, "has_timeouts(sanic) == no")
    assert judged(claim, slowest(300.0, 2_500.0, 300.0)).word == "contradicted"


# The second document's causes


def films(rates: Mapping[str, float], sessions: Mapping[str, int], stored: Mapping[str, int]) -> Verdict:
    """Judge what is claimed of reviews on a run of one repeat of each of these rows."""
    figures = published.read("quart-vs-flask", ROOT)
    cells = [
        a_cell(
            f"{app}.review",
            load=timed(rate),
            connections=20,
            sleep_seconds=0.0,
            database=DatabaseLoad(stored.get(app, round(5 * rate)), sessions.get(app, 20), 0, 0),
        )
        for app, rate in rates.items()
    ]
    run = make(a_run(*(cell.name for cell in cells)), cells, figures)
    verdicts = claims.judge(claims.read("quart-vs-flask", ROOT) or (), run, of_published(figures))
    return next(verdict for verdict in verdicts if verdict.claim == "throughput-review")


def test_the_pool_the_missing_commit_and_its_price_are_told_with_their_figures() -> None:
    rates = {"films-flask-published": 110, "films-flask-pool": 1_300, "films-flask": 1_000, "films-quart": 1_400}
    verdict = films(rates, {"films-flask-published": 550}, {"films-flask-published": 0})
    pool, commit, price, both = verdict.causes
    assert pool.startswith("the pool: ")
    assert "throughput(films-flask-pool.review) / throughput(films-flask-published.review) 11.82;" in pool
    assert "sessions(films-flask-published.review) 550; sessions(films-flask-pool.review) 20)" in pool
    assert commit.startswith("the missing commit: ")
    assert "(stored(films-flask-published.review) 0; throughput(films-flask-published.review) 110 requests/s)" in commit
    assert price.startswith("what the missing commit spares")
    assert both.startswith("both flaws")
    assert "throughput(films-quart.review) / throughput(films-flask.review) 1.4;" in both


def test_where_nothing_is_wrong_no_cause_is_told() -> None:
    rates = {"films-flask-published": 1_300, "films-flask-pool": 1_300, "films-flask": 1_300, "films-quart": 2_700}
    assert films(rates, {}, {}).causes == ()


# The terminal


def test_the_terminal_shows_each_claim_with_its_place_and_counts_the_verdicts(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / throughput(flask-sync) >= 7")
    verdict = judged(claim, measured({"sanic": [800, 810, 820, 830, 840, 850], "flask-sync": [100] * 6}))
    assert claims.render_terminal([verdict]) == (
        "it: reproduced\n"
        "  It is so. (Summary)\n"
        "  claim      throughput(sanic) / throughput(flask-sync) >= 7\n"
        + f"{'published':>73}{'measured':>27}\n"
        + "             throughput(sanic) /\n"
        + f"{'             throughput(flask-sync)':<55}{'10.09':>18}{'8.25 [8, 8.5]':>27}\n"
        + f"{'             throughput(sanic)':<55}{'19,218 requests/s':>18}{'825 [800, 850] requests/s':>27}\n"
        + f"{'             throughput(flask-sync)':<55}{'1,904 requests/s':>18}{'100 [100, 100] requests/s':>27}\n"
        + "  reason     8.25 [8, 8.5] is at least 7\n"
        "\n"
        "[a, b] is the 95 % interval of a median\n"
        "\n"
        "1 claim: 1 reproduced"
    )


def test_a_formula_of_several_lines_is_not_repeated_before_its_value() -> None:
    document = of_published(published.read("quart-vs-flask", ROOT))
    first, *_ = claims.judge(claims.read("quart-vs-flask", ROOT) or (), document, document)
    assert re.search(r"^ {13}altogether +2\.971$", claims.render_terminal([first]), re.MULTILINE)


def test_figures_without_claims_say_so() -> None:
    assert "nothing is claimed" in claims.render_terminal(())


def test_all_claims_of_a_run_are_judged_whatever_it_has() -> None:
    cells = [*measured({"sanic": [900], "go-2000": [19_000]}), missing("go-20000", "failed", "it died", 20_000)]
    errors = replace(a_load(0), errors=LoadErrors(connect=2000))
    verdicts = claims.judge(
        claims.read("web-frameworks", ROOT) or (), table([*cells, a_cell("flask-sync", load=errors)]), DOCUMENT
    )
    assert len(verdicts) == 45
    assert all(verdict.reason for verdict in verdicts)
    assert max(map(len, claims.render_terminal(verdicts).splitlines())) <= 100
