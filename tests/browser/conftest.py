"""A real Chromium from Debian's package, and the page of each run of the gallery."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benchrig import language
from benchrig.report import write_reports
from benchrig.results.archive.unpacking import unpack
from tests.support import ROOT
from tests.support.browsing import SCREEN

GALLERY = ROOT / "docs" / "gallery"


@pytest.fixture(scope="module")
def started() -> Iterator[Playwright]:
    """Yield Playwright, which ends with the module: while it runs, no test of this worker can start an event loop."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(started: Playwright) -> Iterator[Browser]:
    """Yield a browser without a window."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose `reports/` has the runs of the gallery, with their reports written."""
    root = tmp_path_factory.mktemp("gallery")
    (root / "configs").symlink_to(ROOT / "configs")
    for archive in sorted(GALLERY.glob("*.tar.gz")):
        with archive.open("rb") as packed:
            write_reports(unpack(packed, root / "reports").folder, root)
    return root / "reports"


@pytest.fixture(scope="session")
def pages(reports: Path) -> dict[str, Path]:
    """Return the page of each run by its suite."""
    return {path.parent.name.split("-", 2)[2]: path for path in sorted(reports.glob("*/report.html"))}


@pytest.fixture(scope="session")
def chinese(reports: Path) -> Path:
    """Return a page in Chinese."""
    (folder, *_) = sorted(reports.glob("*-web-frameworks"))
    with language.use("zh"):
        write_reports(folder, reports.parent)
    shown = (folder / "report.html").rename(folder / "zh.html")
    write_reports(folder, reports.parent)
    return shown


@dataclass
class Opened:
    """A page in a browser, and what the browser said of it."""

    page: Page
    said: list[str] = field(default_factory=list)
    """Messages of the console, and errors of scripts."""
    requested: list[str] = field(default_factory=list)
    """Addresses of everything that was fetched but the page itself."""


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Any]:
    """Yield what opens a file with these options of a context, and see that nothing is fetched and nothing complains."""
    contexts = []

    def open_page(file: Path, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": SCREEN, **options})
        contexts.append(context)
        one = Opened(context.new_page())
        one.page.on("console", lambda message: one.said.append(message.text))
        one.page.on("pageerror", lambda error: one.said.append(str(error)))
        one.page.on("request", lambda request: one.requested.append(request.url))
        one.page.goto(file.as_uri())
        seen.append(one)
        return one.page

    seen: list[Opened] = []
    yield open_page
    for one in seen:
        assert one.said == []
        assert [url for url in one.requested if not url.startswith("file://")] == []
        assert len({url.partition("#")[0] for url in one.requested}) == 1
    for context in contexts:
        context.close()
