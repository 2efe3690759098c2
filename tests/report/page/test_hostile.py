"""No text of a run, a suite, a document or a host becomes an element, an attribute or an address of the page."""

from __future__ import annotations

import re

import pytest

from benchrig.report import EXPORTS, Report
from benchrig.report.table import make, of_published
from tests.support.pages import HOSTILE, Page, a_whole_report, hostile
from tests.support.reports import PUBLISHED, a_cell, a_run

render = EXPORTS["report.html"]

HARMLESS = re.sub("[^a-z0-9 ]", "x", HOSTILE)
"""As long, and of the same words."""

DRAWN = {"svg", "g", "line", "rect", "circle", "path", "polygon", "polyline", "text", "tspan"}
"""Elements of charts. How many there are depends on the width of labels."""


def kinds(page: Page) -> list[tuple[str, list[str]]]:
    """Return the elements of a page outside of drawings, each with the names of its attributes."""
    return [(tag, sorted(found)) for tag, found in page.elements if tag not in DRAWN]


@pytest.fixture(scope="module")
def pages() -> tuple[Page, Page]:
    """The same report with hostile and with harmless texts."""
    one, other = (Page(render(a_whole_report(text))) for text in (HOSTILE, HARMLESS))
    return one, other


def test_hostile_texts_make_the_same_elements_as_harmless_ones(pages: tuple[Page, Page]) -> None:
    one, other = pages
    assert kinds(one) == kinds(other)
    assert one.tags == other.tags
    assert {name for _, found in one.elements for name in found} == {name for _, found in other.elements for name in found}
    assert one.open == []


def test_hostile_texts_are_shown_as_they_are(pages: tuple[Page, Page]) -> None:
    assert pages[0].text.count(HOSTILE) > 100
    assert [tag for tag, _ in pages[0].elements].count("script") == 1


def test_an_address_leads_into_the_page_or_to_a_file_of_the_run(pages: tuple[Page, Page]) -> None:
    addresses = [*pages[0].values("href"), *pages[0].values("src"), *pages[0].values("action")]
    assert addresses
    for address in addresses:
        assert re.fullmatch(r"#[A-Za-z0-9-]+|[A-Za-z0-9_.~%/-]+", address)
        assert not address.startswith("/")
        assert ".." not in address.split("/")


def test_ids_are_of_letters_digits_and_hyphens_and_each_is_there_once(pages: tuple[Page, Page]) -> None:
    ids = pages[0].values("id")
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", one) for one in ids)


def test_every_anchor_is_there(pages: tuple[Page, Page]) -> None:
    page = pages[1]
    ids = set(page.values("id"))
    assert {address[1:] for address in page.values("href") if address.startswith("#")} <= ids
    for name in ("aria-labelledby", "aria-controls", "aria-describedby"):
        assert {one for value in page.values(name) for one in value.split()} <= ids


@pytest.mark.parametrize(
    "raw", ["javascript:alert(1)", "//example.org/x", "/etc/passwd", "../../secret", "http://example.org"]
)
def test_a_path_that_leads_elsewhere_is_no_address(raw: str) -> None:
    run = a_run("go-2000")
    page = Page(render(Report(make(run, [a_cell(raw=raw)]))))
    assert not any(":" in one or one.startswith("/") or ".." in one.split("/") for one in page.values("href"))


def test_hostile_published_figures_have_a_page_without_elements_of_theirs() -> None:
    one, other = (Page(render(Report(of_published(hostile(PUBLISHED, text))))) for text in (HOSTILE, HARMLESS))
    assert kinds(one) == kinds(other)
    assert one.tags == other.tags
