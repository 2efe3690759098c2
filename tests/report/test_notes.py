"""Notes under a table: each kind of remark once, with the rows it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchrig.report.footnotes import notes_of
from benchrig.report.table import Row, make
from benchrig.results.model import Remark
from tests.support.reports import a_cell, a_load, a_run


def row(name: str, *remarks: Remark) -> Row:
    return Row(name=name, system=name, connections=1, status="measured", reason="", repeats=1, figures=None, remarks=remarks)


def lines(rows: Sequence[Row]) -> tuple[str, ...]:
    (note,) = notes_of(rows)
    return note.lines


def test_many_texts_that_differ_in_their_numbers_alone_are_told_as_one_with_their_range() -> None:
    rows = [row(f"row{n}", Remark("disturbed", f"something else used {n} % of 2 cores")) for n in (9, 30, 12, 7)]
    assert lines([*rows, row("quiet")]) == ("row9, row30, row12, row7: something else used 7 to 30 % of 2 cores",)


def test_numbers_in_the_names_of_hosts_are_not_made_a_range() -> None:
    told = [f"something else used {n} % of the CPU time of load{host}" for host in (1, 2) for n in (9, 30, 12, 7)]
    rows = [row(f"row{number}", Remark("disturbed", text)) for number, text in enumerate(told)]
    assert lines(rows) == (
        "row0, row1, row2, row3: something else used 7 to 30 % of the CPU time of load1",
        "row4, row5, row6, row7: something else used 7 to 30 % of the CPU time of load2",
    )


def test_of_means_that_contradict_littles_law_the_range_of_their_factors_is_told() -> None:
    """Each row has its own throughput: the ranges of the two sides would say nothing of how far apart they are."""
    cells = [
        a_cell(
            f"row{n}", load=replace(a_load(n * 5_000), latency=replace(a_load().latency, mean_us=1e6 / n)), sleep_seconds=0
        )
        for n in (2, 3, 4, 5)
    ]
    notes = notes_of(make(a_run(*(cell.name for cell in cells)), cells).rows)
    (line,) = next(note.lines for note in notes if note.kind == "littles law")
    assert line == (
        "every row: mean latency 200 to 500 ms is too low for Little's law: 0.50 times what 2000 connections at "
        "2000 to 5000 requests/s mean"
    )


def test_few_texts_keep_their_numbers() -> None:
    rows = [row(f"row{n}", Remark("disturbed", f"something else used {n} %")) for n in (9, 30)]
    assert lines(rows) == ("row9: something else used 9 %", "row30: something else used 30 %")


def test_a_remark_on_all_rows_does_not_list_them() -> None:
    assert lines([row(name, Remark("no_idle_cpu", "no CPU was idle")) for name in "abcd"]) == ("every row: no CPU was idle",)
