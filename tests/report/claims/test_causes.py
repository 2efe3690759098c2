"""What is told beside a verdict: notes on the figures, and causes that the results show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report import claims, published
from benchrig.report.sentences import reason as because
from benchrig.report.table import make, of_published
from benchrig.report.verdict import Verdict
from benchrig.results.model import DatabaseLoad
from tests.support.claims import judged, judged_as_published, measured, one, timed
from tests.support.reports import ROOT, SEEN, SERVER, a_cell, a_run, missing

# Notes and causes


def test_rows_of_different_connection_counts_are_noted_even_where_one_was_not_measured(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(go-20000) > 10 * throughput(flask-gunicorn)")
    verdict = judged(claim, [missing("go-20000", "not_possible", "descriptors", 20_000), a_cell("flask-gunicorn")])
    note = "The rows have different numbers of connections: 20,000 for go-20000; 2,000 for flask-gunicorn."
    assert note in verdict.notes


def test_two_rows_at_the_ceiling_are_equal_for_that_cause(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(openresty-2000) ~= throughput(go-2000)")
    verdict = judged(claim, measured({"openresty-2000": [19_500] * 6, "go-2000": [19_600] * 6}))
    assert verdict.word == "reproduced"
    assert verdict.causes == (
        "openresty-2000 and go-2000 are at the same ceiling: 2,000 connections with 0.1 s of waiting allow 20,000 "
        "requests/s. The load makes them equal, not their speed.",
    )


def test_rows_at_ceilings_of_their_own_are_not_equal_for_that_cause(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(openresty-2000) ~= throughput(go-2000)")
    cells = [*measured({"openresty-2000": [39_500] * 6}, sleep_seconds=0.05), *measured({"go-2000": [19_600] * 6})]
    assert judged(claim, cells).causes == ()


def test_one_row_at_the_ceiling_is_a_note(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(go-2000) > throughput(flask-sync)")
    verdict = judged(claim, measured({"go-2000": [19_600] * 6, "flask-sync": [100] * 6}))
    assert verdict.causes == ()
    assert any(note.startswith("At the ceiling, and may be able to do more: go-2000") for note in verdict.notes)


def test_clipped_latency_is_invalid_for_claims_on_latency_alone(tmp_path: Path) -> None:
    late = [a_cell("sanic", repeat, timed(900, 1_999.0, timeout=500), timeout_seconds=2.0) for repeat in range(1, 7)]
    assert judged(one(tmp_path / "a", "throughput(sanic) > 1"), late).word == "reproduced"
    verdict = judged(one(tmp_path / "b", "latency_mean(sanic) > 1"), late)
    assert verdict.word == "not testable here"
    assert because(verdict).startswith("sanic is invalid here: Latency is cut off at the timeout of 2 s.")
    # The reason says it already.
    assert verdict.notes == ()


def test_a_row_that_is_invalid_twice_for_a_warning_is_noted_once(tmp_path: Path) -> None:
    assert SEEN.client
    assert SEEN.server
    client, server = replace(SEEN.client, unanswered=300), replace(SEEN.server, unaccepted=200)
    cells = [a_cell("sanic", connections_seen=replace(SEEN, client=client, server=server)), a_cell("go-2000")]
    verdict = judged(one(tmp_path, "throughput(sanic) > throughput(go-2000)"), cells)
    assert verdict.word == "not testable here"
    assert "Invalid (dead connections): sanic." in verdict.notes


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
    verdict = judged_as_published(claim, [replace(full, load=timed(900, timeout=3))])
    assert verdict.word == "reproduced"
    assert verdict.causes[0].startswith("the listen backlog")
    assert verdict.causes[0].endswith("(listen_overflows(sanic) 412)")
    assert judged(claim, [a_cell("sanic", load=timed(900, 3_400.0))]).causes == ()


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
    assert price.startswith("the cost of the commit")
    assert both.startswith("both flaws")
    assert "throughput(films-quart.review) / throughput(films-flask.review) 1.4;" in both


def test_where_nothing_is_wrong_no_cause_is_told() -> None:
    rates = {"films-flask-published": 1_300, "films-flask-pool": 1_300, "films-flask": 1_300, "films-quart": 2_700}
    assert films(rates, {}, {}).causes == ()
