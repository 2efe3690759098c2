"""Which rows and columns `./inv report` is asked for, and in which order."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from benchrig.errors import InputError
from benchrig.report import EXPORTS, Report, render_terminal
from benchrig.report.columns import COLUMNS
from benchrig.report.selection import NAMES, parse, select
from tests.support.reports import SERVER, a_cell, a_load, a_report, every_kind, missing

LOADS = {"go-2000": 100_000, "sanic": 50_000, "sanic-2": 60_000, "flask-sync": 9_000}


def four() -> Report:
    """Return a report of four rows, one of them with errors, one invalid, and of one that failed."""
    cells = [
        a_cell(name, load=a_load(count), system=name.title(), app=name.partition("-")[0]) for name, count in LOADS.items()
    ]
    cells[1] = replace(cells[1], load=a_load(50_000, read=7))
    cells[3] = replace(cells[3], server=replace(SERVER, machine_steal_percent=10.0))
    return a_report(*LOADS, "quart", cells=[*cells, missing("quart", "failed", "no answer", app="quart", system="Quart")])


def names(sort: str = "", filter: str = "", report: Report | None = None) -> list[str]:
    return [row.name for row in select(report or four(), parse(sort, (), filter)).table.rows]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("throughput", ["flask-sync", "sanic", "sanic-2", "go-2000", "quart"]),
        ("requests/s:desc", ["go-2000", "sanic-2", "sanic", "flask-sync", "quart"]),
        ("requests_per_second", ["flask-sync", "sanic", "sanic-2", "go-2000", "quart"]),
        ("system", ["flask-sync", "go-2000", "quart", "sanic", "sanic-2"]),
        ("errors:desc", ["sanic", "go-2000", "sanic-2", "flask-sync", "quart"]),
        ("p99", ["go-2000", "sanic", "sanic-2", "flask-sync", "quart"]),
        ("p99:desc", ["go-2000", "sanic", "sanic-2", "flask-sync", "quart"]),
    ],
)
def test_rows_are_sorted_by_a_column_and_those_without_a_value_are_last(sort: str, order: list[str]) -> None:
    assert names(sort=sort) == order


@pytest.mark.parametrize(
    ("filter", "left"),
    [
        ("sanic*", ["sanic", "sanic-2"]),
        ("sanic", ["sanic", "sanic-2"]),
        ("!sanic*", ["go-2000", "flask-sync", "quart"]),
        ("go-2000, Quart", ["go-2000", "quart"]),
        ("*,!*-2", ["go-2000", "sanic", "flask-sync", "quart"]),
        ("valid", ["go-2000", "sanic", "sanic-2"]),
        ("!valid", ["flask-sync", "quart"]),
        ("invalid", ["flask-sync"]),
        ("failed", ["quart"]),
        ("throughput > 10000", ["go-2000", "sanic-2"]),
        ("sanic*, throughput > 10000", ["sanic-2"]),
        ("throughput > 10000 and valid and errors == 0", ["go-2000", "sanic-2"]),
        ("1000 < throughput <= 12000", ["sanic", "sanic-2", "flask-sync"]),
        ("latency_p99 < 200 ms", ["go-2000", "sanic", "sanic-2", "flask-sync"]),
        ("latency_max < 2 * latency_p50", ["go-2000", "sanic", "sanic-2", "flask-sync"]),
        ("max(latency_p50, latency_p99) > 1 s, !quart", None),
        ("memory < 100 MiB and requests_per_second > 1", ["go-2000", "sanic", "sanic-2", "flask-sync"]),
        ("errors > 0", ["sanic"]),
        ("has_timeouts == yes", None),
        ("connections == 2000", ["go-2000", "sanic", "sanic-2", "flask-sync", "quart"]),
        ("throughput / errors > 1", ["sanic"]),
    ],
)
def test_a_filter_takes_patterns_states_and_conditions(filter: str, left: list[str] | None) -> None:
    if left is None:
        with pytest.raises(InputError, match="none of 5 rows is left"):
            names(filter=filter)
    else:
        assert names(filter=filter) == left


def test_a_filter_of_shares_takes_percent() -> None:
    assert names(filter="ratio < 50 %", report=every_kind()) == ["flask-sync"]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ("latency_p9 < 200 ms", "column 1: unknown function 'latency_p9'; did you mean"),
        ("latency_p99 < 200 mb", "unknown unit 'mb'"),
        ("latency_p99 < 3 MiB", "they cannot be compared"),
        ("latency_p99 <", "it ends too early"),
        ("latency_p99 = 3", "write == for equal"),
        (" , ", "is empty"),
        ("!", "lacks the name"),
        ("fask*", "no row, app, system, route or server matches 'fask*'"),
        ("sanik", "unknown row 'sanik'; did you mean sanic"),
        (",".join(["a"] * 101), "has more than 100 parts"),
        ("(" * 400 + "1 > 2", "is not allowed here"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(filter: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        names(filter=filter)
    assert said in str(caught.value)
    assert str(caught.value).startswith(("--filter '", "no row", "unknown row"))
    assert "\n" not in str(caught.value)


def test_conditions_are_read_before_there_is_a_run() -> None:
    with pytest.raises(InputError, match="unknown function"):
        parse("", (), "go*, nothing > 3")


def test_what_was_left_out_is_said_in_every_report_for_people() -> None:
    report = select(four(), parse("", (), "sanic*"))
    for text in (render_terminal(report), EXPORTS["report.md"](report), EXPORTS["report.html"](report)):
        assert "2 of 5 rows shown" in text
        assert "Flask-Sync" not in text.partition("not run")[0]
    assert "rows shown" not in render_terminal(four())


def test_columns_are_those_that_were_chosen_with_the_rows_name_and_its_warnings() -> None:
    report = select(four(), parse("", ("p99", "cpu", "conns"), ""))
    assert report.columns == ("name", "latency_p99_ms", "server_cpu_percent", "connections")
    heading = next(line for line in EXPORTS["report.md"](report).splitlines() if line.startswith("| row"))
    assert heading == "| row | p99 ms | server CPU % | conns | warnings |"
    for width in (None, 30):
        (line,) = [line for line in render_terminal(report, width).splitlines() if line.startswith("row ")]
        assert [word for word in line.split() if word != "ms"] == ["row", "p99", "server", "conns", "warnings"]
    (first, *_) = EXPORTS["report.csv"](report).splitlines()
    assert first.split(",")[4:] == [
        "name", "latency_p99_ms", "server_cpu_percent", "connections", "connections_there", "invalid",
    ]  # fmt: skip


def test_all_columns_are_those_with_a_value() -> None:
    report = select(four(), parse("", ("all",), ""))
    assert {"bytes", "latency_p99_9_ms", "name"} <= set(report.columns)
    assert not {"ratio", "stored", "host"} & set(report.columns)
    assert "data" in render_terminal(report, 80)


def test_every_column_has_fields_in_csv() -> None:
    (row, *_) = csv.DictReader(io.StringIO(EXPORTS["report.csv"](four())))
    assert [name for column in COLUMNS for name in column.fields or (column.key,) if name not in row] == []


@pytest.mark.parametrize(("sort", "columns"), [("latency_p98", ()), ("", ("system", "latency_p98"))])
def test_an_unknown_column_names_the_nearest(sort: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"--(sort|columns): unknown column 'latency_p98'; did you mean latency_p9"):
        parse(sort, columns, "")


def test_the_words_of_a_heading_are_a_columns_name() -> None:
    assert {"p99", "mean latency", "server CPU", "system", "conns", "throughput", "#"} <= NAMES.keys()
    assert NAMES["errors"].key == "errors"
