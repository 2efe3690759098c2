"""`report.html` in a real browser: a large screen, a phone, dark, printed, with and without its script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from benchrig.report.page import render
from tests.support.browsing import PHONE, SCREEN
from tests.support.pages import HOSTILE, a_whole_report

SUITES = ("web-frameworks", "quart-vs-flask")
OPTIONS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "phone, dark": {"viewport": PHONE, "color_scheme": "dark"},
}

Open = Callable[..., Page]

_OUTSIDE = """
() => [...document.querySelectorAll("svg.chart-svg")].filter(svg => svg.checkVisibility()).flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text, circle, line, path, rect, polygon")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2;
  }).map(one => `${svg.closest("figure")?.id}: ${one.outerHTML.slice(0, 120)}`);
})
"""

_OVERLAPPING = """
() => [...document.querySelectorAll("svg.chart-svg")].filter(svg => svg.checkVisibility()).flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")].map(one => [one.textContent, one.getBoundingClientRect()]);
  return texts.flatMap(([said, a], i) => texts.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5
  ).map(([other]) => `${svg.closest("figure")?.id}: ${said} / ${other}`));
})
"""


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("how", OPTIONS)
def test_axe_finds_nothing(suite: str, how: str, pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages[suite], **OPTIONS[how])
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]] == []


@pytest.mark.parametrize("suite", SUITES)
def test_the_first_screen_has_the_finding_the_chart_and_what_spoils_the_figures(
    suite: str, pages: dict[str, Path], opened: Open
) -> None:
    page = opened(pages[suite])
    for there in ("h1", "#summary", "figure svg.chart-svg >> visible=true >> nth=0"):
        box = page.locator(there).first.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= SCREEN["width"]
    chart = page.locator("figure svg.chart-svg >> visible=true").first.bounding_box()
    assert chart
    # Up to 16 rows fit whole.
    assert chart["y"] <= SCREEN["height"] / 2
    assert suite == "quart-vs-flask" or chart["y"] + chart["height"] <= SCREEN["height"]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("how", ["light", "phone"])
def test_charts_are_within_their_frames_and_no_text_covers_another(
    suite: str, how: str, pages: dict[str, Path], opened: Open
) -> None:
    page = opened(pages[suite], **OPTIONS[how])
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.locator("svg.chart-svg >> visible=true").count() > 5
    assert page.evaluate(_OUTSIDE) == []
    assert page.evaluate(_OVERLAPPING) == []


@pytest.mark.parametrize("how", OPTIONS)
def test_nothing_is_wider_than_the_screen(how: str, pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"], **OPTIONS[how])
    assert page.evaluate("document.documentElement.scrollWidth") <= OPTIONS[how].get("viewport", SCREEN)["width"]


def _column(page: Page, heading: str) -> list[str]:
    """Return the texts of a column in the order of the rows that are shown."""
    return page.evaluate(
        """heading => {
          const table = document.querySelector("table.rows");
          const column = [...table.tHead.rows[0].cells].findIndex(one => one.textContent.trim().startsWith(heading));
          const shown = [...table.tBodies[0].rows].filter(row => !row.hidden);
          return shown.map(row => row.cells[column].lastChild.textContent.trim());
        }""",
        heading,
    )


def _numbers(texts: list[str]) -> list[float]:
    return [float(text.replace(",", "")) for text in texts if re.fullmatch(r"[\d,.]+", text)]


def test_a_heading_sorts_up_down_and_back(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"])
    before = _numbers(_column(page, "requests/s"))
    assert len(before) > 5
    heading = page.locator("table.rows thead th", has_text="requests/s").first
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert _numbers(_column(page, "requests/s")) == sorted(before)
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert _numbers(_column(page, "requests/s")) == sorted(before, reverse=True)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert _numbers(_column(page, "requests/s")) == before


def test_a_filter_leaves_the_rows_with_its_words(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"])
    everything = len(_column(page, "row"))
    page.locator("#filter").fill("fastapi")
    shown = page.locator("table.rows tbody tr >> visible=true")
    assert 0 < shown.count() < everything
    assert all("fastapi" in text.lower() for text in shown.all_inner_texts())
    assert page.locator("#count").inner_text() == f"{shown.count()} of {everything} rows"
    page.locator("#filter").fill("no such row")
    assert page.locator("#count").inner_text() == f"0 of {everything} rows: no row fits the filter"
    page.locator("#filter").fill("")
    page.locator("#valid").check()
    assert not any("invalid" in text for text in shown.all_inner_texts())


def test_a_column_is_shown_and_hidden_and_stays_so_when_rows_are_sorted(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"])
    page.locator("details.columns summary").click()
    box = page.locator("details.columns label", has_text="p50").first
    heading = page.locator("table.rows thead th", has_text="p50").first
    was = heading.is_visible()
    box.click()
    assert heading.is_visible() is not was
    page.keyboard.press("Escape")
    assert page.locator("details.columns").get_attribute("open") is None
    page.locator("table.rows thead th button >> visible=true").first.click()
    assert heading.is_visible() is not was


def test_a_badge_says_its_reason_on_focus_and_escape_closes_it(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"])
    badge = page.locator("table.rows tbody button.b >> visible=true").first
    # From the button before it, as with the Tab key: the page scrolls to the badge, and the reason stays.
    page.locator("table.rows thead th button >> visible=true").last.focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if badge.evaluate("one => one === document.activeElement"):
            break
    page.wait_for_timeout(300)
    tip = page.locator("#tip")
    assert tip.is_visible()
    assert len(tip.inner_text()) > 20
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_links_of_the_page_lead_to_files_of_the_run(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"])
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map(one => one.getAttribute('href'))")
    outside = {link for link in links if not link.startswith("#")}
    assert {"report.csv", "report.json"} <= outside
    assert [link for link in outside if link.startswith("raw/") and link.endswith(".txt")]
    assert [link for link in outside if not (pages["web-frameworks"].parent / link).is_file()] == []
    places = {link[1:] for link in links if link.startswith("#")}
    assert [place for place in places if not page.evaluate("id => !!document.getElementById(id)", place)] == []


def test_without_its_script_the_page_shows_every_row(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"], java_script_enabled=False)
    assert page.locator("table.rows tbody tr >> visible=true").count() > 10
    assert not page.locator("#filter").is_visible()


def test_a_phone_shows_cards_and_no_table(pages: dict[str, Path], opened: Open) -> None:
    page = opened(pages["web-frameworks"], **OPTIONS["phone"])
    assert not page.locator("table.rows thead").is_visible()
    card = page.locator("table.rows tbody tr").first.bounding_box()
    assert card
    assert card["width"] > 300
    assert card["x"] + card["width"] <= PHONE["width"]


@pytest.mark.parametrize("suite", SUITES)
def test_on_paper_every_column_and_every_row_is_there(
    suite: str, pages: dict[str, Path], opened: Open, tmp_path: Path
) -> None:
    page = opened(pages[suite], color_scheme="dark")
    headings = page.locator("table.rows thead th").all_text_contents()
    rows = page.locator("table.rows tbody th").all_inner_texts()
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    size = subprocess.run(["pdfinfo", tmp_path / "page.pdf"], capture_output=True, text=True, check=True).stdout
    width, height = map(float, re.findall(r"Page size:\s+([\d.]+) x ([\d.]+)", size)[0])
    assert width > height
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    words = set(text.split())
    wanted = {word for texts in (headings, rows) for said in texts for word in said.replace("↕", "").split()}
    # A long name may be broken at a hyphen.
    assert [word for word in wanted if word not in words and not all(part in text for part in word.split("-"))] == []
    assert "contradicted" in text or "not testable" in text


def test_a_page_of_hostile_texts_runs_nothing(opened: Open, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(render(a_whole_report(HOSTILE)), encoding="utf-8")
    page = opened(file)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    page.locator("table.rows thead th button >> visible=true").first.click()
    page.locator("#filter").fill("<script>")
    assert page.locator("table.rows tbody tr >> visible=true").count() > 0


def test_a_page_in_chinese_says_so(chinese: Path, opened: Open) -> None:
    page = opened(chinese)
    assert page.locator("html").get_attribute("lang") == "zh"
    assert "请求/秒" in page.locator("table.rows thead").inner_text()
    assert page.evaluate(_OUTSIDE) == []
