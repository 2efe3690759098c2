"""The pages of a comparison and of histories in a real Chromium: axe finds nothing, and all of it is within the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from benchrig.report import compare
from benchrig.report.history.lookup import history
from benchrig.report.page import comparison, past
from tests.support.comparing import OTHER_SPREAD, SPREAD, cells, run_of, times
from tests.support.history import stored
from tests.support.pages import HOSTILE
from tests.support.reports import missing

Open = Callable[..., Page]

OPTIONS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1400, "height": 900}},
    "dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a page of each kind; one of their rows has a hostile name."""
    folder = tmp_path_factory.mktemp("pages")
    names = ("go-2000", "sanic", "same", HOSTILE)
    a = {name: cells(name, SPREAD) for name in names}
    b = {"go-2000": cells("go-2000", times(1.1)), "sanic": cells("sanic", times(0.8)), "same": cells("same", OTHER_SPREAD)}
    runs = [run_of(a, "before"), run_of({**b, HOSTILE: [missing(HOSTILE, "failed", HOSTILE)]}, "after")]
    (folder / "comparison.html").write_text(comparison.render(compare(runs, 0.02)))
    for number in range(1, 15):
        level = 40_000 if number < 7 else 30_000
        stored(folder / "reports", number, [level + 100 * (number % 3), level, level - 50], git_commit=f"{number:02}" * 20)
    found = history(folder / "reports", row="flask-sync")
    (folder / "history.html").write_text(past.render(found))
    (one,) = found.rows
    several = tuple(replace(one, row=name) for name in (*names, "flask"))
    (folder / "histories.html").write_text(past.render(replace(found, row="", rows=several)))
    return folder


@pytest.mark.parametrize("kind", ["comparison", "history", "histories"])
@pytest.mark.parametrize("how", OPTIONS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(kind: str, how: str, made: Path, opened: Open) -> None:
    page = opened(made / f"{kind}.html", **OPTIONS[how])
    chart = page.locator("figure svg.chart-svg >> visible=true").first.bounding_box()
    assert chart
    assert chart["y"] + chart["height"] <= OPTIONS[how]["viewport"]["height"]
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= OPTIONS[how]["viewport"]["width"]
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]] == []
