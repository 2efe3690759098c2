"""Comparisons and histories as pages: whole, without anything to fetch, and with every text as it is written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report import compare
from benchrig.report.history.lookup import History, history
from benchrig.report.page import comparison, past
from tests.support.comparing import OTHER_SPREAD, SPREAD, cells, run_of, times
from tests.support.history import stored
from tests.support.pages import HOSTILE, Page
from tests.support.reports import missing


def compared(name: str = "go-2000", **changes: object) -> str:
    a = {name: cells(name, SPREAD), "same": cells("same", SPREAD), "zoo": cells("zoo", SPREAD)}
    b = {name: cells(name, times(1.1)), "same": cells("same", OTHER_SPREAD), "zoo": [missing("zoo", "failed", "it died")]}
    third = {name: cells(name, times(0.5)), "same": cells("same", OTHER_SPREAD)}
    runs = [run_of(a, "before"), run_of(b, "after", **changes), run_of(third, "third")]
    return comparison.render(compare(runs, 0.01))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Return the history of a row that fell in its fifth run."""
    reports = tmp_path_factory.mktemp("reports")
    for number in range(1, 9):
        level = 40_000 if number < 5 else 30_000
        stored(reports, number, [level + 10 * number, level, level - 20], git_commit=f"{number:02}" * 20)
    (reports / "2025-run-005" / "label.txt").write_text("the slow one")
    return history(reports, row="flask-sync")


def pages(of: History) -> dict[str, str]:
    (one,) = of.rows
    return {
        "comparison": compared(),
        "history": past.render(of),
        "histories": past.render(replace(of, row="", rows=(one, replace(one, row="other")))),
    }


def test_pages_are_whole_and_nothing_is_fetched(found: History) -> None:
    for text in pages(found).values():
        page = Page(text)
        assert page.open == []
        assert text.startswith("<!doctype html>")
        assert page.tags.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "script"})
        attributes = {name for _, of in page.elements for name in of}
        assert attributes.isdisjoint({"src", "style", "srcset", "action"})
        assert not re.search(r"@import|url\(", text)
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        assert all(target.removeprefix("#") in ids for target in page.values("href"))
        assert set(" ".join(page.values("aria-labelledby")).split()) <= set(ids)
        assert len(text) < 400_000


def test_a_comparison_names_both_sides_the_finding_and_what_differs() -> None:
    text = Page(compared(git_commit="b" * 40)).text
    assert "B against A: of 3 rows in B, 1 is faster, no difference is shown in 1, 1 is not known" in text
    assert "C against A: of 2 rows in C, 1 is slower" in text
    for said in ("before", "after", "third", "the reference", "2025-01-02 03:04:05 UTC", "Example CPU"):
        assert said in text
    assert "Conditions that differ" in text
    assert "commit" in text
    assert "not known (not measured in B): zoo" in text
    assert "± and changes: 95 % intervals" in text


def test_a_history_has_its_runs_steps_and_conditions(found: History) -> None:
    text = Page(past.render(found)).text
    for said in (
        "History of flask-sync",
        "25 % slower since 2025-run-005",
        "step: 25 % slower",
        "the newest run",
        "connections",
    ):
        assert said in text
    assert all(point.run in text for point in found.rows[0].points)


def test_names_stay_text(found: History) -> None:
    (one,) = found.rows
    points = tuple(replace(point, run=HOSTILE + point.run, label=HOSTILE, commit=HOSTILE) for point in one.points)
    steps = tuple(replace(step, run=HOSTILE + step.run, commit=HOSTILE) for step in one.steps)
    levels = tuple(
        replace(level, first_run=HOSTILE + level.first_run, last_run=HOSTILE + level.last_run) for level in one.levels
    )
    odd = replace(one, row=HOSTILE, system=HOSTILE, conditions={HOSTILE: HOSTILE}, points=points, steps=steps, levels=levels)
    hostile = replace(found, suite=HOSTILE, newest_run=HOSTILE, rows=(odd,))
    several = replace(hostile, row="", rows=(odd, odd))
    for text in (compared(HOSTILE, git_commit=HOSTILE, suite_title=HOSTILE), past.render(hostile), past.render(several)):
        page = Page(text)
        assert page.open == []
        assert page.tags.isdisjoint({"img", "script"})
        assert HOSTILE in page.text


def test_a_history_of_one_run_is_a_page(tmp_path: Path) -> None:
    stored(tmp_path, 1, 4000)
    text = Page(past.render(history(tmp_path))).text
    assert "1 run of like conditions" in text
    assert "there is one run of like conditions" in text
