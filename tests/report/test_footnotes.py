"""Footnotes under a table: each warning once, with its rows, and with ranges of values where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchrig.report.footnotes import footnotes, reference
from benchrig.report.table import Row, make
from benchrig.results.codes import Code
from benchrig.results.model import DatabaseLoad
from benchrig.results.warnings import Unit, Warning, number
from tests.support.reports import a_cell, a_latency, a_load, a_run


def row(name: str, *warnings: Warning) -> Row:
    return Row(name=name, system=name, connections=1, status="measured", reason="", repeats=1, warnings=warnings)


def disturbed(percent: float, machine: str = "lab1") -> Warning:
    values = {"share": number(percent, Unit.PERCENT), "machines": (machine,), "ours": ("the app",)}
    return Warning(Code.DISTURBED, machine, values)


def lines(rows: Sequence[Row]) -> tuple[str, ...]:
    (footnote,) = footnotes(rows)
    return footnote.lines


def test_a_warning_of_many_rows_is_one_line_with_the_range_of_its_values() -> None:
    rows = [row(f"row{n}", disturbed(n)) for n in (9, 30, 12, 7)]
    expected = "row9, row30, row12, row7: Something other than the app used 7 to 30 % of the CPU time of lab1."
    assert lines([*rows, row("quiet")]) == (expected,)


def test_warnings_about_different_machines_stay_apart() -> None:
    told = [disturbed(n, f"load{host}") for host in (1, 2) for n in (9, 30, 12, 7)]
    rows = [row(f"row{number}", warning) for number, warning in enumerate(told)]
    assert lines(rows) == (
        "row0, row1, row2, row3: Something other than the app used 7 to 30 % of the CPU time of load1.",
        "row4, row5, row6, row7: Something other than the app used 7 to 30 % of the CPU time of load2.",
    )


def test_ranges_of_numbers_with_thousands_separators_have_two_ends_each() -> None:
    counts = {"a": (4_200, 50_000), "b": (1, 83_900), "c": (83_500, 83_600), "d": (500, 900)}
    cells = [
        a_cell(name, load=a_load(requests), sleep_seconds=0.0, database=DatabaseLoad(stored, 20, 0, 0))
        for name, (stored, requests) in counts.items()
    ]
    found = footnotes(make(a_run(*counts), cells).rows)
    (line,) = next(footnote.lines for footnote in found if footnote.kind == "not stored")
    assert line == "every row: The database stored 1 to 83,500 of 900 to 83,900 rows that replies confirmed."


def test_of_means_that_contradict_littles_law_the_range_of_their_factors_is_told() -> None:
    factors = {2: 2.0, 3: 3.0, 4: 4.0, 5: 104.0}
    cells = [
        a_cell(
            f"row{n}",
            load=replace(a_load(n * 5_000), latency=a_latency(2e3 / n / factor, 2e3), measured=None),
            sleep_seconds=0,
        )
        for n, factor in factors.items()
    ]
    found = footnotes(make(a_run(*(cell.name for cell in cells)), cells).rows)
    (line,) = next(footnote.lines for footnote in found if footnote.kind == "Little's law")
    assert line == (
        "every row: Mean latency is understated: Little's law predicts 2 to 104 times as much. "
        "Slow or unanswered connections are missing from it."
    )


def test_few_rows_keep_their_own_values() -> None:
    rows = [row(f"row{n}", disturbed(n)) for n in (9, 30)]
    assert lines(rows) == (
        "row9: Something other than the app used 9 % of the CPU time of lab1.",
        "row30: Something other than the app used 30 % of the CPU time of lab1.",
    )


def test_a_warning_about_all_rows_does_not_list_them() -> None:
    (line,) = lines([row(name, Warning(Code.NO_IDLE_CPU)) for name in "abcd"])
    assert line.startswith("every row: No CPU was idle")


def test_a_row_refers_to_its_footnotes_by_number_and_says_its_status() -> None:
    invalid = row("a", disturbed(30), replace(disturbed(9), code=Code.STEAL, invalid=True))
    failed = replace(row("b"), status="failed", reason="the app died")
    notes = footnotes([invalid, failed, row("c")])
    assert [note.kind for note in notes] == ["disturbed", "steal", "failed"]
    assert [reference(one, notes) for one in (invalid, failed, row("c"))] == ["invalid 1,2", "failed 3", ""]
