"""The page of a running bench in a real browser: it renews itself, loads nothing from elsewhere, and can be read by all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchrig.results.running import Finished, Notice
from benchrig.watch.server import Served
from benchrig.watch.view import view
from tests.support.running import STATE

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")

BAD = '<img src=x onerror="document.title=\'taken\'">&</script><script>document.title="taken"</script>'
RATES = (None, 15_000.0, 18_000.0, None, None, 19_193.4, 17_000.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Yield a browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Seen:
    """A page that shows a bench, with what the browser said and asked for meanwhile."""

    def __init__(self, browser: Any, served: Served, **options: Any) -> None:
        self.served = served
        self.page = browser.new_page(**options)
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.goto(served.address)
        self.page.wait_for_selector("#finished li")

    def violations(self) -> list[str]:
        """Return the rules of accessibility that the page breaks."""
        from axe_playwright_python.sync_playwright import Axe

        return [found["id"] for found in Axe().run(self.page).response["violations"]]


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as page:
        page.show(view(replace(STATE, rates=RATES)))
        yield page


def test_the_page_shows_the_bench_and_renews_itself_until_it_has_ended(browser: Any, served: Served) -> None:
    seen = Seen(browser, served)
    page = seen.page
    assert page.inner_text("#now") == "go-2000  2/4  measuring 10 s"
    assert page.inner_text("#rate") == "about 19,190 requests/s"
    assert page.locator("#course polyline").count() == 2
    assert page.locator("#course line").count() == 1, "the second repeat has no mark where it begins"
    assert page.inner_text("#most") == "19,190 requests/s"
    assert page.inner_text("#seconds").split("\n") == ["60 s ago, from 0 requests/s", "now"]
    colours = [
        page.evaluate(f"getComputedStyle(document.querySelector('#finished {kind}')).color")
        for kind in (".invalid", ".warnings:not(.invalid)")
    ]
    assert colours == ["rgb(179, 38, 30)", "rgb(135, 83, 0)"]
    assert not page.is_visible("#report")
    assert page.inner_text("#notices") == "listen backlog overflows: 12"
    go = Finished("go-2000", "2/4", "failed", "failed: it died", number=2)
    more = replace(
        STATE, title="films", count="3/4", finished=(*STATE.finished, go), cells=2, notices=(Notice("retransmits", 7),)
    )
    served.show(view(more))
    page.wait_for_selector("#finished li:nth-child(2)")
    assert page.inner_text("#finished li >> nth=0") == "go-2000  2/4  failed: it died"
    assert page.inner_text("#notices") == "retransmits: 7"
    served.show(view(replace(more, ended="1 of 4 rows failed: go-2000", failed=True)))
    page.wait_for_selector("#ended:visible")
    assert page.inner_text("#ended") == "The bench has ended: 1 of 4 rows failed: go-2000."
    assert not page.is_visible("#running")
    assert page.inner_text("#report") == f"Its results: ./inv report {STATE.run}"
    assert page.locator("#finished li").count() == 2
    assert seen.violations() == []
    assert seen.said == []
    assert seen.asked == {served.address, f"{served.address}state"}
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_it_is_accessible_and_nothing_is_cut(browser: Any, served: Served, scheme: str, width: int) -> None:
    long = Finished("a-row-of-a-very-long-name" * 8, "3/4", "measured", "1 requests/s", number=2)
    served.show(view(replace(STATE, run="r" * 200, finished=(*STATE.finished, long), rates=RATES)))
    seen = Seen(browser, served, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.violations() == []
    seen.page.close()


def test_names_from_suites_and_hosts_stay_text(browser: Any, served: Served) -> None:
    bad = Finished(BAD, BAD, "failed", BAD, (BAD,), (BAD,), 1)
    served.show(view(replace(STATE, suite=BAD, run=BAD, title=BAD, step=BAD, finished=(bad,), ended=BAD)))
    seen = Seen(browser, served)
    seen.page.wait_for_selector("#ended:visible")
    assert "taken" not in seen.page.title().partition(":")[0]
    assert seen.page.title().startswith("Ended: <img")
    assert seen.page.locator("img").count() == 0
    assert seen.page.locator("script").count() == 1
    assert seen.said == []
    seen.page.close()


def test_what_was_shown_stays_when_the_watch_is_over(browser: Any) -> None:
    with Served() as served:
        served.show(view(STATE))
        seen = Seen(browser, served)
    seen.page.wait_for_selector("#ended:visible", timeout=15_000)
    assert "./inv watch has ended" in seen.page.inner_text("#ended")
    assert seen.page.locator("#finished li").count() == 1
    seen.page.close()
