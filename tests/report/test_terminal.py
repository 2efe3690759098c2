"""The report on a terminal: its columns, its width, its languages, its notes."""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import pty
import struct
import termios
from dataclasses import replace
from pathlib import Path

import pytest
from wcwidth import wcswidth

from benchrig import language
from benchrig.drawing import ASCII
from benchrig.report import Report, render_terminal, terminal, width_of
from benchrig.report import load as load_report
from benchrig.report.table import make
from benchrig.results.model import DatabaseLoad
from benchrig.units import BYTES, MILLISECONDS
from tests.support.reports import (
    PUBLISHED,
    ROOT,
    SERVER,
    VERDICTS,
    a_cell,
    a_load,
    a_report,
    a_run,
    every_kind,
    missing,
    repeats_of,
)

RATES = {"go-2000": 90_000, "sanic": 70_000}


def test_several_repeats_show_how_far_they_are_from_their_median() -> None:
    loads = [a_load(90_000), a_load(100_000), a_load(105_000), a_load(100_000), a_load(98_000), a_load(101_000)]
    cells = [a_cell(repeat=repeat, load=load) for repeat, load in enumerate(loads, 1)]
    two, few, enough = (render_terminal(Report(make(a_run("go-2000"), cells[:n]))) for n in (2, 3, 6))
    heads = [next(line for line in text.splitlines() if "requests/s" in line) for text in (two, few, enough)]
    assert ["min/max" in head for head in heads] == [True, False, False]
    assert ["95%" in head for head in heads] == [False, True, True]
    assert "-5.3/+5.3" in two
    assert "-19/+19*" in few
    assert "-7.1/+3.6" in enough


def test_the_terminal_shows_the_documents_columns() -> None:
    text = render_terminal(every_kind())
    line = next(line for line in text.splitlines() if line.startswith("Go 1.22.12 ") and "96,000" in line)
    assert line.split()[2:13] == [
        "2,000", "96,000", "19,200", "101.6", "121.6", "101.0", "108.0", "0", "62", "19,643.94", "0.98",
    ]  # fmt: skip
    assert "lab1: Example CPU @ 2.0 GHz, 2 cores, 8.0 GiB, Debian GNU/Linux 12 (bookworm), kernel 6.1.0-26-amd64" in text
    assert "\x1b" not in text


def widest(text: str) -> int:
    """Return the width of the widest line. A command to be copied is not wrapped and does not count."""
    return max(wcswidth(line) for line in text.splitlines() if not line.startswith("    ./inv "))


@pytest.mark.parametrize(("repeats", "lang"), [(1, "en"), (3, "en"), (6, "en"), (1, "zh")])
def test_the_terminals_text_fits_160_characters(repeats: int, lang: str) -> None:
    load = a_load(999_999, read=50_000, timeout=20_000)
    systems = {"flask-gevent-patched": "Flask + gevent, monkey-patched first", "sanic": "Sanic"}
    cells = [a_cell(name, n, load, system=system) for name, system in systems.items() for n in range(repeats)]
    with language.use(lang):
        text = render_terminal(Report(make(a_run(*systems), cells, PUBLISHED)))
    assert "20,305" in text
    assert max(wcswidth(line) for line in text.splitlines()) <= 160


def test_the_chinese_headings_are_the_documents_and_stand_above_their_columns() -> None:
    with language.use("zh"):
        lines = render_terminal(every_kind()).splitlines()
    heading = next(index for index, line in enumerate(lines) if line.startswith("项目"))
    for word in ("项目", "总请求量", "每秒请求量", "平均响应时间", "最大响应时间", "备注"):
        assert word in lines[heading]
    rule = next(line for line in lines[heading:] if line.startswith("---"))
    ends = [index for index, (here, after) in enumerate(itertools.pairwise(rule)) if here == "-" and after == " "]
    before = lines[heading][: lines[heading].index("最大响应时间") + len("最大响应时间")]
    assert wcswidth(before) - 1 in ends


def test_each_warning_is_one_footnote_that_names_its_rows() -> None:
    load = a_load(read=2, write=3)
    cells = [a_cell("go-2000", load=load), a_cell("sanic", load=load), a_cell("flask-sync", load=a_load(90_000, read=9))]
    text = render_terminal(Report(make(a_run("go-2000", "sanic", "flask-sync"), cells)))
    assert "    go-2000, sanic: 2 connections broke while reading.\n" in text
    assert "    go-2000, sanic: 3 connections broke while writing.\n" in text
    assert "    flask-sync: 9 connections broke while reading.\n" in text
    assert text.count("] connection errors\n") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.56, "560µs"),
        (0.9996, "1.00ms"),
        (65.47, "65.47ms"),
        (999.99, "999.99ms"),
        (999.999, "1.00s"),
        (1990.0, "1.99s"),
        (None, "–"),
    ],
)
def test_a_published_latency_is_written_in_the_unit_that_suits_it(value: float | None, text: str) -> None:
    assert MILLISECONDS.exact(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (40_000_000, "38.1 MiB"), (2**40, "1 TiB"), (None, "–")]
)
def test_an_amount_of_data_is_written_with_three_digits(value: float | None, text: str) -> None:
    assert BYTES.text(value) == text


def test_a_narrow_terminal_goes_without_the_least_important_columns_and_says_which() -> None:
    report = every_kind()
    text = render_terminal(report, width=100)
    assert widest(text) <= 100
    assert "Hidden columns (terminal too narrow): total requests, max latency" in text
    assert f"    ./inv report {report.table.name} | less -S\n" in text
    (heading,) = [line for line in text.splitlines() if line.startswith("system ")]
    assert "requests/s" in heading
    assert heading.endswith("warnings")
    assert "Hidden" not in render_terminal(report)
    assert "Hidden" not in render_terminal(report, width=160)


def heading_of(text: str) -> str:
    """Return the words of a table's heading, line by line."""
    lines = text.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("system "))
    end = next(i for i, line in enumerate(lines) if line.startswith("---"))
    return " ".join(" ".join(lines[begin:end]).split())


@pytest.mark.parametrize("errors", [0, 3])
def test_at_80_columns_a_column_of_zeros_gives_way_before_p99_and_mean(errors: int) -> None:
    names = ("go-2000", "flask-sync", "sanic", "fastapi-4")
    cells = [
        a_cell(name, repeat, a_load(90_000 + 900 * n + 70 * repeat, read=errors), system=name)
        for n, name in enumerate(names)
        for repeat in range(1, 7)
    ]
    text = render_terminal(Report(make(a_run(*names), cells, PUBLISHED)), width=80)
    assert widest(text) <= 80
    shown = heading_of(text)
    for column in ("p99", "mean", "95%", "#", "warnings"):
        assert column in shown
    assert ("errors" in shown) == bool(errors)
    assert ("0 in every row: errors" in text) == (not errors)
    assert "0 in every row" not in render_terminal(Report(make(a_run(*names), cells, PUBLISHED)))


def test_a_column_without_a_value_gives_way_first_and_is_named_as_that() -> None:
    cells = [
        a_cell(name, connections=17, system=f"A system with a name that is long, {name}") for name in ("go-2000", "sanic")
    ]
    text = render_terminal(Report(make(a_run("go-2000", "sanic"), cells, PUBLISHED)), width=80)
    assert "no value in any row: published requests/s, ratio" in text
    assert "mean" in heading_of(text)


def table_lines(text: str) -> list[str]:
    """Return the lines of a table below its heading."""
    lines = text.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("---")) + 1
    return lines[begin : lines.index("", begin)]


def bars_of(text: str, sign: str) -> list[int]:
    return [line.count(sign) for line in table_lines(text)]


def test_a_wide_terminal_has_a_bar_of_throughput_and_an_invalid_rows_is_drawn_otherwise() -> None:
    disturbed = replace(SERVER, machine_steal_percent=10.0)
    cells = [
        a_cell("go-2000", load=a_load(100_000)),
        a_cell("sanic", load=a_load(50_000), system="Sanic"),
        a_cell("flask-sync", load=a_load(25_000), server=disturbed, system="Flask"),
        missing("quart", "failed", "it does not answer", system="Quart"),
    ]
    report = a_report("go-2000", "sanic", "flask-sync", "quart", cells=cells)
    text = terminal.page(report, 160).text
    whole, half, *others = bars_of(text, "█")
    assert 8 <= whole <= 24
    assert abs(half - whole / 2) <= 1
    assert others == [0, 0]
    assert bars_of(text, "░") == [0, 0, round(whole / 4), 0]
    plain = terminal.page(report, 160, ASCII).text
    assert bars_of(plain, "#")[:2] == [whole, round(whole / 2)]
    assert bars_of(plain, ".")[2] > bars_of(text, ".")[2]
    assert widest(text) <= 160
    for width in (None, 60):
        assert "█" not in terminal.page(report, width).text


def styled(report: Report, width: int | None = None) -> list[tuple[str, str]]:
    made = terminal.page(report, width)
    assert [span.start for span in made.spans] == sorted(span.start for span in made.spans)
    return [(made.text[span.start : span.end], span.style) for span in made.spans]


@pytest.mark.parametrize("width", [None, 80, 200])
def test_colours_repeat_what_the_words_of_a_row_say(width: int | None) -> None:
    report = every_kind()
    found = styled(report, width)
    assert [style for text, style in found if "requests/s" in text][:1] == ["heading"]
    assert next(style for text, style in found if text.startswith("failed")) == "bad"
    assert next(style for text, style in found if text.startswith("not possible")) == "faint"
    assert ("Go 1.22.12", "faint") in found
    cells = [a_cell("sanic", system="Sanic 中文名字", load=a_load(90_000, read=2)), a_cell("go-2000")]
    assert [text for text, style in styled(a_report("sanic", "go-2000", cells=cells), width) if style == "bad"] == ["2"]
    cells = [a_cell(server=replace(SERVER, machine_steal_percent=10.0))]
    changed = [text for text, style in styled(a_report("go-2000", cells=cells), width) if style == "changed"]
    assert changed[0] == "Go 1.22.12"
    assert changed[-1].startswith("invalid")


def test_the_first_by_rank_is_marked() -> None:
    cells = [*repeats_of("go-2000", *range(99_000, 99_006)), *repeats_of("sanic", *range(89_000, 89_006))]
    good = [text for text, style in styled(a_report("go-2000", "sanic", cells=cells)) if style == "good"]
    assert good == ["19,800.5", "1"]


def test_the_narrowest_terminal_still_has_system_throughput_and_warnings() -> None:
    text = render_terminal(every_kind(), width=20)
    (heading,) = [line for line in text.splitlines() if line.startswith("system ")]
    assert heading.split() == ["system", "conns", "requests/s", "warnings"]
    text = render_terminal(a_report("go-2000"), width=20)
    (heading,) = [line for line in text.splitlines() if line.startswith("system ")]
    assert heading.split() == ["system", "requests/s", "warnings"]


SHOP = {"system": "Shop", "route": "GET /items/lamp", "connections": 20}


@pytest.mark.parametrize("width", [None, 80, 20])
def test_rows_that_would_read_the_same_have_their_names_beside_them(width: int | None) -> None:
    text = render_terminal(a_report(cells=[a_cell("lamp", **SHOP), a_cell("thinking", **SHOP)]), width=width)
    lines = [line.split()[:2] for line in text.splitlines() if line.startswith(("system ", "Shop "))]
    assert lines == [["system", "row"], ["Shop", "lamp"], ["Shop", "thinking"]]


def test_rows_that_differ_in_what_is_shown_go_without_their_names() -> None:
    others = ({"system": "Other"}, {"route": "GET /"}, {"connections": 200})
    cells = [a_cell("lamp", **SHOP), *(a_cell(f"row{n}", **{**SHOP, **other}) for n, other in enumerate(others))]
    text = render_terminal(a_report(cells=cells))
    (heading,) = [line for line in text.splitlines() if line.startswith("system ")]
    assert heading.split()[:3] == ["system", "route", "conns"]


@pytest.mark.parametrize(("other", "shown"), [({"connections": 20_000}, True), ({"system": "Sanic"}, False)])
def test_a_narrow_terminal_keeps_the_connections_where_rows_differ_in_them_alone(
    other: dict[str, object], shown: bool
) -> None:
    text = render_terminal(a_report(cells=[a_cell("go-2000"), a_cell("other", **other)]), width=42)
    (heading,) = [line for line in text.splitlines() if line.startswith("system ")]
    assert ("conns" in heading.split()) == shown
    assert widest(text) <= 42


def test_what_is_no_terminal_has_no_width() -> None:
    with Path("/dev/null").open() as stream:
        assert width_of(stream) is None
    assert width_of(io.StringIO()) is None


def test_the_width_of_a_terminal_is_the_one_it_has() -> None:
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 97, 0, 0))
        with os.fdopen(os.dup(theirs), "w") as stream:
            assert width_of(stream) == 97
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_route_is_shown_where_rows_differ_in_it() -> None:
    cells = [a_cell("flask.film", route="GET /films/995/"), a_cell("flask.films", route="GET /films/")]
    both = render_terminal(a_report("flask.film", "flask.films", cells=cells))
    one = render_terminal(a_report("flask.film", cells=cells[:1]))
    assert "route" in both
    assert "GET /films/995/" in both
    assert "route" not in one


def test_the_rows_stored_are_shown_where_a_row_stores_any() -> None:
    stored = a_cell("flask.review", database=DatabaseLoad(stored=96_000, sessions=20, commits=96_000, rollbacks=0))
    assert "stored" not in render_terminal(a_report("go-2000"))
    line = next(line for line in render_terminal(a_report("flask.review", cells=[stored])).splitlines() if " 62 " in line)
    assert line.split().count("96,000") == 2


def test_the_last_line_counts_the_claims() -> None:
    last = render_terminal(Report(every_kind().table, VERDICTS)).splitlines()[-1]
    assert (
        last
        == "claims: 1 reproduced, 2 contradicted, 1 not testable here, 1 inconclusive (./inv claims 2025-01-02T03-04-05)"
    )
    assert "claims:" not in render_terminal(every_kind())


def test_a_published_set_says_its_document_instead_of_a_machine_of_ours() -> None:
    report = load_report("web-frameworks", ROOT)
    text = render_terminal(report)
    assert text.startswith("published figures web-frameworks: ")
    for part in (report.table.source.source.machine, "wrk -s bm.lua", "Flask 3.0.3"):  # type: ignore[union-attr]
        assert text.count(part) == 1
    assert "server" not in text.partition("[1]")[0].splitlines()[6]
    with language.use("zh"):
        assert "平均响应时间" in render_terminal(report)


def test_who_is_first_stands_above_the_table_unless_rows_were_left_out() -> None:
    cells = [
        a_cell(name, repeat=repeat, load=a_load(rate + repeat), sleep_seconds=0)
        for name, rate in RATES.items()
        for repeat in range(1, 7)
    ]
    table = make(a_run(*RATES), cells)
    said = "go-2000 is first with "
    above, _, below = render_terminal(Report(table), 200).partition("\n-----")
    assert said in " ".join(above.split())
    assert said not in " ".join(below.split())
    assert said not in render_terminal(Report(replace(table, left_out=1)), 200)
