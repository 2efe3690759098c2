"""`report.html`: one file that needs nothing but a browser, and that no text can break out of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

from benchrig.report import EXPORTS, Report, load
from benchrig.report.verdict import Reason, Why
from tests.support.reports import ROOT, VERDICTS, a_cell, a_report, every_kind, missing

HOSTILE = """<script>alert(1)</script>"'&amp;<img src=x onerror=alert(1)>{{ 7 * 7 }}"""

render = EXPORTS["report.html"]


class Page(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and the texts it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


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
    assert attributes.isdisjoint({"src", "href", "style"})
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


def test_a_verdict_has_a_colour_and_says_its_word() -> None:
    page = Page(render(Report(every_kind().table, VERDICTS)))
    articles = [str(found["class"]) for tag, found in page.elements if tag == "article"]
    assert articles == ["claim good", "claim bad", "claim bad", "claim untested", "claim doubtful"]
    shown = [text.strip() for text in page.texts]
    assert [shown.count(verdict.word) for verdict in VERDICTS] == [1, 2, 2, 1, 1]
    assert "the listen backlog" in shown


def test_a_row_that_is_not_to_be_trusted_is_coloured_and_says_so() -> None:
    report = every_kind()
    page = Page(render(report))
    figures = next(place for place, (_, found) in enumerate(page.elements) if found.get("class") == "scroll figures")
    rows = [found.get("class") for tag, found in page.elements[figures:] if tag == "tr"][1:6]
    assert rows == ["doubtful", None, "untested", "bad", None]
    shown = [text.strip() for text in page.texts]
    for word in ("invalid", "not possible", "failed"):
        assert any(text.startswith(f"{word} ") for text in shown)


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
    around = [elements[index - 1][1].get("class") for index, (tag, _) in enumerate(elements) if tag == "table"]
    assert around
    assert set(around) <= {"scroll", "scroll figures", "scroll settings"}


def test_a_published_set_has_its_page_too() -> None:
    text = "".join(Page(render(load("web-frameworks", ROOT))).texts)
    assert "published figures web-frameworks" in text
    assert "Flask-同步方式" in text
