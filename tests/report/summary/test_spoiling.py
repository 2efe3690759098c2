"""What is said to spoil the figures, and in which order; what was measured, when and where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report import Report
from benchrig.report.summary import Kind, summary, words
from benchrig.report.table import make
from benchrig.results.codes import Code
from benchrig.results.model import ServerLoad
from tests.support.reports import SERVER, a_cell, a_load, a_report, a_run, every_kind, missing, on_machines, repeats_of

STOLEN: ServerLoad = replace(SERVER, machine_steal_percent=20.0)


def test_what_is_missing_and_what_is_invalid_comes_first() -> None:
    cells = [
        missing("flask", "failed", "it fell"),
        missing("go-20000", "not_possible", "the limit is 20,000"),
        a_cell("go-2000", server=STOLEN),
        a_cell("sanic", load=a_load(96_500)),
    ]
    table = make(replace(a_run("flask", "go-20000", "go-2000", "sanic", "late"), finished_at=""), cells)
    found = summary(Report(table)).spoilers
    kinds = [one.kind for one in found]
    assert kinds[:2] == [Kind.INCOMPLETE, Kind.FAILED]
    assert kinds.index(Kind.NOT_RUN) < kinds.index(Kind.NOT_POSSIBLE)
    invalid = [one.invalid for one in found if one.kind is Kind.WARNING]
    assert invalid == sorted(invalid, reverse=True)
    steal = next(one for one in found if one.code is Code.STEAL)
    assert (steal.rows, steal.numbers, steal.invalid) == (("go-2000",), (3,), True)
    assert "The hypervisor took 20 %" in words.spoiler_text(steal)


def test_warnings_are_counted_by_kind_with_their_rows() -> None:
    cells = [a_cell(name, server=STOLEN) for name in ("a", "b", "c")]
    found = summary(a_report("a", "b", "c", cells=cells)).spoilers
    steal = [one for one in found if one.code is Code.STEAL]
    assert [one.rows for one in steal] == [("a", "b", "c")]
    assert steal[0].every


def test_the_numbers_of_a_warning_are_those_of_all_rows_that_it_is_counted_for() -> None:
    cells = [a_cell(name, server=replace(SERVER, machine_steal_percent=steal)) for name, steal in (("a", 20.0), ("b", 41.0))]
    (steal,) = [one for one in summary(a_report("a", "b", cells=cells)).spoilers if one.code is Code.STEAL]
    assert "The hypervisor took 20 to 41 %" in words.spoiler_text(steal)


def test_a_warning_that_some_rows_have_is_not_of_every_row() -> None:
    found = summary(a_report("a", "b", cells=[a_cell("a", server=STOLEN), a_cell("b")])).spoilers
    assert [one.every for one in found if one.code is Code.STEAL] == [False]


def test_every_spoiler_has_a_title_and_a_sentence() -> None:
    for report in (every_kind(), a_report("go-2000"), Report(make(a_run("go-2000"), []))):
        for one in summary(report).spoilers:
            assert words.spoiler_title(one)
            assert words.spoiler_text(one)


def test_shared_machines_are_said() -> None:
    run = on_machines("lab", "lab1", "lab2")
    kinds = {one.kind for one in summary(Report(make(run, [a_cell(load_on_server=False)]))).spoilers}
    assert Kind.SHARED_COMPUTER in kinds
    assert Kind.SHARED_CPUS not in kinds
    alone = {one.kind for one in summary(a_report("go-2000")).spoilers}
    assert Kind.SHARED_CPUS in alone
    assert Kind.SHARED_COMPUTER not in alone


def test_machines_that_are_alike_share_a_line() -> None:
    run = on_machines("lab", "lab1", "lab2")
    assert words.where(summary(Report(make(run, [a_cell()])))) == (
        "lab1 and lab2: Example CPU @ 2.0 GHz, 2 cores, 8.0 GiB, Debian GNU/Linux 12 (bookworm), systemd-nspawn",
    )


def test_what_was_measured_is_said_with_its_day_and_how_long_it_took() -> None:
    told = summary(a_report("go-2000", "sanic"))
    assert words.day(told) == "2 January 2025"
    assert words.what(told) == (
        "profile quick",
        "2 rows",
        "1 repeat of 5 s",
        "began at 03:04 UTC",
        "took 2 min",
        "2025-01-02T03-04-05",
    )


def test_unequal_repeats_are_said_as_a_range() -> None:
    cells = [*repeats_of("go-2000", 96_000, 96_100, 96_200), *repeats_of("sanic", 96_000, 96_100)]
    assert "2 to 3 repeats of 5 s" in words.what(summary(a_report("go-2000", "sanic", cells=cells)))


@pytest.mark.parametrize(
    ("started", "finished"), [("", ""), ("yesterday", "x"), ("2025-01-02T03:04:05", "2025-01-02T03:04:06Z")]
)
def test_times_that_cannot_be_read_are_left_out(started: str, finished: str) -> None:
    told = summary(a_report("go-2000", started_at=started, finished_at=finished))
    assert told.took_seconds is None
    assert all("took" not in part for part in words.what(told))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_names_are_listed_and_many_are_counted(names: list[str], said: str) -> None:
    assert words.named(names) == said
