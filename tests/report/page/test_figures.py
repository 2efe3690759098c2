"""The table of a page: each number with its badges and its raw text, each row with its files, and columns to choose."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from benchrig.report import Report, load
from benchrig.report.page import render
from benchrig.report.page.figures import css_text
from tests.support.html import Element, tree
from tests.support.reports import GENERATOR, NGINX, ROOT, a_cell, a_load, a_report, every_kind, missing, repeats_of

HOSTILE = """</style><script>alert(1)</script>"'&amp;<img src=x onerror=alert(1)>"""


def _table(report: Report, folder: str | None = "") -> Element:
    return tree(render(report, folder)).one("table", "rows")


def _rows(report: Report, folder: str | None = "") -> dict[str, Element]:
    """Return the table's rows by their names."""
    (body,) = _table(report, folder).all("tbody")
    return {row.all("th")[0].text: row for row in body.all("tr")}


def _cell(report: Report, row: str, heading: str, folder: str | None = "") -> Element:
    table = _table(report, folder)
    place = next(n for n, one in enumerate(table.one("thead").all("th")) if one.text.startswith(heading))
    found = _rows(report, folder)[row]
    return [child for child in found.children if isinstance(child, Element)][place]


def test_a_number_has_a_badge_of_the_warnings_that_spoil_it() -> None:
    report = every_kind()
    (row,) = [row for row in report.table.rows if row.name == "flask-sync"]
    assert row.invalid
    page = tree(render(report))
    for spoils, heading in (("latency", "p99"), ("rate", "requests/s")):
        expected = {one.code.label for one in row.warnings if spoils in one.spoils}
        badges = _cell(report, "flask-sync", heading).all("button", "b")
        assert bool(badges) == bool(expected)
        named = {
            item.one("strong").text.split(" ", 1)[1]
            for badge in badges
            for item in page.one("div", "panel", id=badge.attributes["popovertarget"]).all("li")
            if item.attributes["data-n"] in re.findall(r"\d+", badge.text)
        }
        assert named == expected


def test_an_invalid_badge_differs_by_its_class_and_its_word() -> None:
    table = _table(every_kind())
    for badge in table.all("button", "b"):
        assert ("x" in badge.classes) == badge.text.startswith("invalid")
        assert badge.text.startswith(("invalid", "doubtful"))


def test_a_badge_has_the_numbers_of_footnotes() -> None:
    page = tree(render(every_kind()))
    numbers = {str(number) for number in range(1, 1 + len(page.one("ol", "warnings").children))}
    for badge in page.one("table", "rows").all("button", "b"):
        assert set(re.findall(r"\d+", badge.text)) <= numbers


def test_the_legend_has_the_badges_that_the_table_has() -> None:
    legend = tree(render(every_kind())).one("ul", "legend")
    assert [one.classes for one in legend.all("span", "b")][-1] == {"b", "x"}
    assert "no value" in legend.text
    without = tree(render(a_report("go-2000"))).one("ul", "legend")
    assert {"b", "x"} not in [one.classes for one in without.all("span", "b")]


def test_the_throughput_leads_to_its_raw_text_and_the_row_to_all_of_its_files() -> None:
    called = replace(GENERATOR, command=("wrk", "-t4", "-s", "raw/go 2000-2000.lua", "http://127.0.0.1:8080/health"))
    cells = [a_cell("go-2000", repeat, generator=called, journal=f"raw/go-2000-{repeat}.journal.txt") for repeat in (1, 2)]
    report = a_report("go-2000", cells=cells)
    (link,) = _cell(report, "go-2000", "requests/s", "../run").all("a")
    assert link.attributes["href"] == "../run/raw/go-2000-1.txt"
    panel = _rows(report)["go-2000"].one("div", "panel")
    links = {one.attributes["href"]: one.text for one in panel.all("a")}
    assert links == {
        "raw/go-2000-1.txt": "1",
        "raw/go-2000-2.txt": "2",
        "raw/go%202000-2000.lua": "go 2000-2000.lua",
        "raw/go-2000-1.journal.txt": "1",
        "raw/go-2000-2.journal.txt": "2",
    }
    assert panel.one("pre").text == "wrk -t4 -s 'raw/go 2000-2000.lua' http://127.0.0.1:8080/health"
    assert panel.one("button", "copy").attributes["hidden"] == ""


def test_a_page_without_a_folder_has_no_links_to_files() -> None:
    page = tree(render(every_kind(), None))
    assert not [one for one in page.all("a") if not one.attributes["href"].startswith("#")]
    with_files = tree(render(every_kind())).one("p", "downloads")
    assert [one.attributes["href"] for one in with_files.all("a")] == ["report.csv", "report.json", "report.md"]


def test_a_published_set_has_no_links_to_files() -> None:
    page = tree(render(load("web-frameworks", ROOT)))
    assert not [one for one in page.all("a") if not one.attributes["href"].startswith("#")]


def test_a_path_out_of_the_run_is_no_link() -> None:
    report = a_report("go-2000", cells=[a_cell("go-2000", raw="javascript:alert(1)//../../x")])
    page = tree(render(report))
    assert not page.one("table", "rows").all("a")


def test_every_column_can_be_chosen_but_the_name_and_the_shown_ones_fit() -> None:
    page = tree(render(every_kind()))
    headings = [one.text for one in page.one("table", "rows").one("thead").all("th")]
    boxes = page.one("details", "columns").all("input")
    assert [one.attributes["id"] for one in boxes] == [f"col-{n}" for n in range(2, len(headings) + 1)]
    shown = [headings[int(one.attributes["id"].removeprefix("col-")) - 1] for one in boxes if "checked" in one.attributes]
    assert {"requests/s", "warnings"} <= set(shown)
    assert 5 < len(shown) < 16 < len(headings)
    style = page.one("style").text
    assert all(
        f"#col-{n}:not(:checked)) .rows tr>:nth-child({n}){{display:none}}" in style for n in range(2, len(headings) + 1)
    )


def test_a_cell_is_sorted_by_the_value_behind_its_text() -> None:
    report = a_report("go-2000", cells=repeats_of("go-2000", 96_001))
    cell = _cell(report, "go-2000", "requests/s")
    assert (cell.text, cell.attributes["data-v"]) == ("19,200", "19200.2")
    rank = _cell(every_kind(), "sanic", "requests/s")
    assert "data-v" not in rank.attributes


def test_a_row_that_is_not_to_be_trusted_says_so_in_its_class_and_in_words() -> None:
    rows = _rows(every_kind())
    states = {name: row.attributes.get("class", "") for name, row in rows.items()}
    assert states == {
        "flask-sync": "invalid",
        "go-2000": "",
        "go-20000": "untested",
        "sanic": "failed",
        "openresty-2000": "",
    }
    words = {name: row.one("button", "more").text.split(" ")[0] for name, row in rows.items()}
    assert (words["flask-sync"], words["sanic"], words["go-20000"]) == ("invalid", "failed", "not")
    assert "ImportError" in rows["sanic"].one("p", "why").text


def test_names_cannot_break_out_of_the_table_or_of_its_style() -> None:
    cells = [a_cell(HOSTILE, system=HOSTILE, route=HOSTILE, host=HOSTILE), missing("sanic", "failed", HOSTILE)]
    page = tree(render(a_report(HOSTILE, "sanic", cells=cells)))
    assert not page.all("img")
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert HOSTILE in [one.text for one in page.one("table", "rows").all("th")]


def test_headings_of_a_document_stand_in_the_style_as_escapes() -> None:
    assert css_text('a"}</style>中') == r'"a\22 \7d \3c \2f style\3e \4e2d "'


def test_thousands_of_rows_take_little_time() -> None:
    cells = [a_cell(f"row-{n}", system=NGINX, load=a_load(900, read=2, timeout=40)) for n in range(2_000)]
    report = a_report(*(cell.name for cell in cells), cells=cells)
    begun = time.process_time()
    text = render(report)
    assert time.process_time() - begun < 5
    assert text.count("<tr id=") == 2_000


def test_columns_that_the_user_chose_are_all_shown_and_the_first_one_heads_its_row() -> None:
    report = replace(every_kind(), columns=("system", "latency_mean_ms", "latency_p99_9_ms"))
    page = tree(render(report))
    boxes = page.one("details", "columns").all("input")
    assert ["checked" in one.attributes for one in boxes] == [True] * 3
    assert page.one("table", "rows").one("tbody").all("th")[0].text == "Flask 3.0.3 | sync"


def test_a_badge_stands_beside_a_value_and_beside_a_rank_that_is_missing() -> None:
    cells = repeats_of("go-2000", *(98_000 + n for n in range(6))) + repeats_of("sanic", *(50_000 + n for n in range(6)))
    report = a_report("go-2000", "sanic", cells=cells)
    (row,) = [row for row in report.table.rows if row.name == "go-2000"]
    assert row.at_ceiling
    assert _cell(report, "go-2000", "#").all("button", "b")
    dashes = [cell for cell in _table(every_kind()).all("td") if cell.text.endswith("–") and "word" not in cell.classes]
    assert dashes
    assert not [cell for cell in dashes if cell.all("button", "b")]


def test_a_table_without_rows_is_a_page_too() -> None:
    report = every_kind()
    page = tree(render(replace(report, table=replace(report.table, rows=()))))
    assert page.one("table", "rows").one("tbody").all("tr") == []
