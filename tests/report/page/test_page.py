"""`report.html`: one file that needs nothing but a browser, and that no text can break out of."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from benchrig import language
from benchrig.report import EXPORTS, Report, load
from benchrig.report.verdict import Reason, Why
from tests.support.pages import HOSTILE, Page
from tests.support.reports import ROOT, VERDICTS, a_cell, a_report, every_kind, missing, repeats_of

render = EXPORTS["report.html"]


def test_the_page_is_whole_and_shows_every_row() -> None:
    report = every_kind()
    page = Page(render(report))
    assert page.open == []
    shown = [text.strip() for text in page.texts]
    assert all(row.name in shown for row in report.table.rows)
    assert "96,000" in shown
    assert "19,643.94" in shown


def test_nothing_is_fetched() -> None:
    page = Page(render(Report(every_kind().table, VERDICTS)))
    assert page.tags.isdisjoint({"link", "img", "iframe", "object", "embed", "base"})
    attributes = {name for _, found in page.elements for name in found}
    assert attributes.isdisjoint({"src", "style", "srcset", "action", "formaction"})
    assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"@import|url\(", render(every_kind()))


def test_texts_of_suites_hosts_and_documents_are_shown_as_they_are_written() -> None:
    verdicts = tuple(
        replace(verdict, says=HOSTILE, place=HOSTILE, reason=Reason(Why.RELATIONS, (HOSTILE,)), causes=(HOSTILE,))
        for verdict in VERDICTS
    )
    cells = [
        a_cell("go-2000", system=HOSTILE, route=HOSTILE, versions={HOSTILE: HOSTILE}),
        missing("sanic", "failed", f"{HOSTILE}\n{HOSTILE}"),
    ]
    table = a_report("go-2000", "sanic", cells=cells, suite_title=HOSTILE, profile=HOSTILE).table
    page = Page(render(Report(table, verdicts)))
    assert "img" not in page.tags
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert sum(HOSTILE in text for text in page.texts) > 20


def test_the_page_says_how_to_repeat_the_run_and_what_ran() -> None:
    text = "".join(Page(render(every_kind())).texts)
    assert "./inv bench -i lab --suite web-frameworks" in text
    assert "go 1.22.12" in text
    assert "Example CPU @ 2.0 GHz" in text


def test_wide_tables_scroll_in_their_own_box_and_both_colour_schemes_are_there() -> None:
    text = render(every_kind())
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    elements = Page(text).elements
    paper = next((place for place, (_, found) in enumerate(elements) if found.get("class") == "further"), len(elements))
    shown = [
        *elements[:paper],
        *elements[next(place for place in range(paper, len(elements)) if elements[place][0] == "ul") :],
    ]
    around = [shown[index - 1][1].get("class") for index, (tag, _) in enumerate(shown) if tag == "table"]
    assert around
    assert set(around) <= {"scroll", "scroll figures", "scroll settings"}


def test_a_published_set_has_its_page_too() -> None:
    text = "".join(Page(render(load("web-frameworks", ROOT))).texts)
    assert "published figures web-frameworks" in text
    assert "Flask-同步方式" in text


def test_the_headings_are_in_order_and_only_one_is_the_first() -> None:
    page = Page(render(Report(every_kind().table, VERDICTS)))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_page_has_its_landmarks_and_its_language() -> None:
    page = Page(render(every_kind()))
    found = dict(page.elements)
    assert found["html"]["lang"] == "en"
    assert [[tag for tag, _ in page.elements].count(name) for name in ("header", "nav", "main", "h1")] == [1, 1, 1, 1]
    with language.use("zh"):
        assert dict(Page(render(every_kind())).elements)["html"]["lang"] == "zh"


def test_the_first_screen_has_the_day_the_place_the_finding_a_chart_and_what_spoils_it() -> None:
    page = Page(render(every_kind()))
    places = {str(found.get("id")): place for place, (_, found) in enumerate(page.elements) if found.get("id")}
    order = [places[name] for name in ("summary", "finding", "throughput", "spoils", "figures", "warnings", "details")]
    assert order == sorted(order)
    before, _, _ = page.text.partition("Environment and details")
    assert "2 January 2025" in before
    assert "Example CPU @ 2.0 GHz, 2 cores" in before


def test_what_spoils_a_row_leads_to_the_row_and_to_the_warning() -> None:
    page = Page(render(every_kind()))
    assert {"#row-4", "#row-3"} <= set(page.values("href"))
    assert any(one.startswith("#warning-") for one in page.values("href"))


def test_sixteen_rows_of_six_repeats_take_at_most_400_kilobytes() -> None:
    names = [f"a-row-{number}" for number in range(16)]
    cells = [
        cell for place, name in enumerate(names) for cell in repeats_of(name, *(96_000 + 50 * place + n for n in range(6)))
    ]
    table = a_report(*names, cells=cells).table
    assert len(render(Report(table, VERDICTS * 10)).encode()) <= 400_000


def test_more_rows_than_a_browser_can_show_are_left_to_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchrig.report.page.MOST_ROWS", 3)
    shown = Page(render(every_kind()))
    assert [one for one in shown.values("id") if one.startswith("row-")] == ["row-1", "row-2", "row-3"]
    assert "The table has the first 3 of 5 rows; report.csv and report.json have all of them." in shown.text
    assert {one[1:] for one in shown.values("href") if one.startswith("#")} <= set(shown.values("id"))


def test_the_rules_of_the_page_are_those_of_its_files() -> None:
    """An escaped quote within them would end the rule that it is in, and all that depends on it."""
    text = render(every_kind())
    style = text[text.index("<style>") : text.index("</style>")]
    assert "&#" not in style
    assert (ROOT / "benchrig/report/page/page.css").read_text(encoding="utf-8") in style
