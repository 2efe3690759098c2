"""The list of runs: which are in it, in what order, and what it says of each."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.report import history, listing
from benchrig.report.export.json import text_of
from benchrig.results import labels, sessions, store
from benchrig.results.lock import RunLock
from benchrig.results.model.session import Session, Variant
from tests.support.history import stored, written
from tests.support.reports import a_cell, a_run
from tests.support.schema import mistakes


def names(reports: Path, suite: str = "") -> list[str]:
    return [run.name for run in listing.listing(reports, suite).runs]


def a_session(name: str, started_at: str, row: str = "go-2000") -> Session:
    side = Variant(suite="web-frameworks", row="go-2000", host="lab1", named="go-2000")
    settings = a_run().settings
    return Session(
        name, side, replace(side, row=row, named=row), "quick", "lab", settings, 1, "restart", 1, ("AB",), started_at
    )


def test_each_run_says_what_it_is(tmp_path: Path) -> None:
    stored(tmp_path, 1, [4000, 4010])
    labels.write(tmp_path / "2025-run-001", "the first")
    written(tmp_path, "begun", replace(a_run("go-2000", "sanic", finished=False), number=2), [a_cell("go-2000")])
    (tmp_path / "20240101-000000-x").mkdir()
    (tmp_path / "20240101-000000-x" / store.RUN).write_text("{")
    (tmp_path / "20240101-000000-x" / store.CELLS).write_text("x\n")
    damaged, first, begun = listing.listing(tmp_path).runs
    assert (first.name, first.state, first.label, first.rows, first.rows_planned) == (
        "2025-run-001", "complete", "the first", 1, 1
    )  # fmt: skip
    assert (first.suite, first.machines, first.started_at) == ("web-frameworks", ("lab1",), "2025-01-02T03:04:05Z")
    assert (begun.state, begun.rows, begun.rows_planned) == ("incomplete", 1, 2)
    assert (damaged.state, damaged.suite, damaged.rows) == ("damaged", "", 0)
    assert "run.json is damaged" in damaged.damage


def test_a_run_that_is_measured_is_shown_so_and_looking_does_not_disturb_it(tmp_path: Path) -> None:
    folder = written(tmp_path, "begun", a_run("go-2000", "sanic", finished=False), [a_cell("go-2000")])
    lock = RunLock(folder)
    assert [run.state for run in listing.listing(tmp_path).runs] == ["measuring"]
    assert "being measured" in listing.render(listing.listing(tmp_path))
    lock.release()
    assert [run.state for run in listing.listing(tmp_path).runs] == ["incomplete"]
    RunLock(folder).release()


def test_runs_are_in_the_order_of_their_numbers_and_the_newest_is_last(tmp_path: Path) -> None:
    stored(tmp_path, 2, 4000, started_at="2025-01-02T00:00:00Z")
    stored(tmp_path, 3, 4000, started_at="2020-01-01T00:00:00Z")
    stored(tmp_path, 1, 4000, started_at="2025-01-01T00:00:00Z")
    assert names(tmp_path) == ["2025-run-001", "2025-run-002", "2025-run-003"]
    assert store.newest(tmp_path).name == "2025-run-003"


def test_sessions_and_imported_runs_are_named_as_such(tmp_path: Path) -> None:
    stored(tmp_path, 1, 4000, started_at="2025-01-01T00:00:00Z")
    stored(tmp_path, 2, 4000, started_at="2025-01-03T00:00:00Z")
    imported = stored(tmp_path, 99, 4000, started_at="2024-01-03T00:00:00Z")
    (imported / store.IMPORTED).touch()
    session = tmp_path / "20250102-000000-ab-go-2000"
    session.mkdir()
    sessions.write(session, a_session(session.name, "2025-01-02T00:00:00Z"))
    found = listing.listing(tmp_path).runs
    assert [run.name for run in found] == ["2025-run-099", "2025-run-001", session.name, "2025-run-002"]
    assert [(run.kind, run.imported) for run in found] == [
        ("run", True), ("run", False), ("session", False), ("run", False)
    ]  # fmt: skip
    assert found[0].number == 0
    text = listing.render(listing.listing(tmp_path))
    assert "incomplete, A/B session" in text
    assert "complete, imported" in text
    (session / sessions.FILE).write_text("{")
    assert listing.listing(tmp_path).runs[2].state == "damaged"


def test_a_suite_without_runs_is_told_with_those_that_have_some(tmp_path: Path) -> None:
    stored(tmp_path, 1, 4000)
    stored(tmp_path, 2, 4000, suite="shop")
    assert names(tmp_path, "shop") == ["2025-run-002"]
    with pytest.raises(InputError, match=r"there is no run of suite 'shap'; known: shop, web-frameworks"):
        listing.listing(tmp_path, "shap")


def test_a_damaged_run_is_in_the_list_of_every_suite(tmp_path: Path) -> None:
    stored(tmp_path, 1, 4000)
    broken = stored(tmp_path, 2, 4000)
    (broken / store.RUN).write_text("{")
    assert set(names(tmp_path, "web-frameworks")) == {"2025-run-001", "2025-run-002"}


def test_many_damaged_runs_are_counted_below_the_list(tmp_path: Path) -> None:
    for number in range(1, 9):
        (stored(tmp_path, number, 4000) / store.RUN).write_text("{")
    text = listing.render(listing.listing(tmp_path))
    assert text.count("is damaged: ") == listing.MOST_TOLD
    assert "and 3 more damaged runs" in text


def test_the_list_fits_a_narrow_terminal(tmp_path: Path) -> None:
    labels.write(stored(tmp_path, 1, 4000), "更" * 200)
    lines = listing.render(listing.listing(tmp_path), 80).splitlines()
    assert "…" in lines[-1]
    assert "label" in lines[0]
    whole = listing.render(listing.listing(tmp_path))
    assert "更" * 200 in whole


def test_no_run_is_no_error(tmp_path: Path) -> None:
    assert listing.render(listing.listing(tmp_path)) == "there is no run yet: ./inv bench makes one"
    assert listing.listing(tmp_path).runs == ()


def test_the_document_fits_its_schema(tmp_path: Path) -> None:
    stored(tmp_path, 1, 4000)
    record = listing.listing(tmp_path)
    text = text_of(asdict(record))

    assert mistakes("runs", json.loads(text)) == []


def test_an_imported_run_is_not_the_newest_of_the_history(tmp_path: Path) -> None:
    stored(tmp_path, 5, 4000)
    imported = stored(tmp_path, 7, 4000)
    assert history.history(tmp_path).newest_run == "2025-run-007"
    (imported / store.IMPORTED).touch()
    assert history.history(tmp_path).newest_run == "2025-run-005"


def test_a_history_has_the_labels_of_its_runs(tmp_path: Path) -> None:
    for number in range(1, 4):
        stored(tmp_path, number, [4000, 4001])
    labels.write(tmp_path / "2025-run-002", "after the update")
    (row,) = history.history(tmp_path, row="flask-sync").rows
    assert [point.label for point in row.points] == ["", "after the update", ""]
