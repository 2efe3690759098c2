"""Links of a page: to files of its run and to nothing else, whatever the records say."""

from __future__ import annotations

import pytest

from benchrig.report.page.links import link


def test_a_link_is_relative_to_the_page() -> None:
    assert link("", "raw/go-2000-1.txt") == "raw/go-2000-1.txt"
    assert link("../runs/one", "raw/go-2000-1.txt") == "../runs/one/raw/go-2000-1.txt"
    assert link(None, "raw/go-2000-1.txt") == ""


def test_a_link_is_encoded() -> None:
    assert link("", 'raw/a b"<c>?d#e%.txt') == "raw/a%20b%22%3Cc%3E%3Fd%23e%25.txt"


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "//example.org/a", "../other/run.json", "raw/../../a", "raw//a", "..\\a", "./a"],
)
def test_a_path_that_leaves_the_run_has_no_link(path: str) -> None:
    assert link("", path) == ""


def test_a_path_cannot_be_a_script() -> None:
    assert link("", "javascript:alert(1).txt") == "javascript%3Aalert%281%29.txt"


@pytest.mark.parametrize("path", ["raw/evil.html", "raw/go.svg", "raw/go.SVG", "raw/go.xml", "raw/go", "raw/go.txt.js"])
def test_a_file_that_a_browser_might_run_has_no_address(path: str) -> None:
    assert link("", path) == ""
