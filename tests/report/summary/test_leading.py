"""Who is said to be first, by how much, and whether that is said to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchrig.report import Report, load
from benchrig.report.selection import parse, select
from benchrig.report.summary import Finding, Standing, summary, words
from benchrig.report.table import make
from benchrig.results.model import Cell
from tests.support import ROOT
from tests.support.reports import a_report, a_run, missing, repeats_of

STEPS = (-300, -100, -40, 40, 100, 300)


MIDDLES = {"sanic": 60_000, "go": 98_000}


def row(name: str, middle: int, steps: Sequence[int] = STEPS, **changes: Any) -> list[Cell]:
    """Return a row's cells, of requests around the middle, without a wait that would bound them."""
    return repeats_of(name, *(middle + step for step in steps), **{"sleep_seconds": 0.0, **changes})


def finding(*rows: list[Cell], **changes: Any) -> Finding:
    return summary(of(*rows, **changes)).finding


def of(*rows: list[Cell], **changes: Any) -> Report:
    names = dict.fromkeys(cell.name for cells in rows for cell in cells)
    run = replace(a_run(*names), **changes)
    longest = max(len(cells) for cells in rows)
    run = replace(run, settings=replace(run.settings, repeats=longest))
    return Report(make(run, [cell for cells in rows for cell in cells]))


def labels(found: Finding) -> list[str]:
    return [row.label for row in found.rows]


def test_a_row_that_is_shown_to_be_faster_is_first_with_interval_and_p() -> None:
    found = finding(row("go", 98_000), row("sanic", 92_000), row("quart", 90_000))
    assert found.standing is Standing.SHOWN
    assert labels(found) == ["go", "sanic", "quart"]
    assert words.headline(found) == "go is first with 19,600 requests/s, 6.5 % more than sanic."
    (line,) = words.evidence(found)
    assert line.startswith("The repeats show it: 95 % interval +6.2 % to +6.8 %, p < 0.001")


def test_twice_as_much_and_more_is_said_in_times() -> None:
    found = finding(row("go", 98_000), row("flask", 40_000))
    assert "2.45 times as many as flask" in words.headline(found)
    assert "times as many" in words.evidence(found)[0]


def test_what_the_repeats_do_not_tell_apart_has_no_first() -> None:
    found = finding(row("go", 98_000), row("sanic", 97_900), row("flask", 60_000))
    assert found.standing is Standing.NOT_SHOWN
    assert [one.label for one in found.tied] == ["sanic"]
    said = words.headline(found)
    assert said.startswith("It is not shown who is first: go answers the most")
    assert "sanic" in said
    assert "flask" not in said
    assert words.evidence(found)[0].startswith("Against sanic: 95 % interval −")


def test_many_that_are_not_told_apart_are_counted() -> None:
    found = finding(*(row(f"row-{number}", 98_000 + number) for number in range(8)))
    assert "row-7 answers the most" in words.headline(found)
    assert "and 4 more" in words.headline(found)


@pytest.mark.parametrize("repeats", [1, 2])
def test_too_few_repeats_show_nothing_and_what_would_is_said(repeats: int) -> None:
    found = finding(row("go", 98_000, STEPS[:repeats]), row("sanic", 60_000, STEPS[:repeats]))
    assert found.standing is Standing.TOO_FEW_REPEATS
    assert found.difference is None
    assert "That is not shown to be more than chance." in words.headline(found)
    (line,) = words.evidence(found)
    assert "6 repeats do" in line


def test_rows_at_the_ceiling_are_not_called_first() -> None:
    found = finding(
        row("go", 98_000, sleep_seconds=0.1),
        row("sanic", 97_900, sleep_seconds=0.1),
        row("flask", 40_000, sleep_seconds=0.1),
    )
    assert found.standing is Standing.AT_CEILING
    assert [one.label for one in found.held] == ["go", "sanic"]
    assert words.headline(found).startswith("None is first: go and sanic answer all that their connections allow, 20,000")
    assert "The fastest below it is flask with 8,000 requests/s." in words.evidence(found)


def test_one_row_at_the_ceiling_is_not_called_first_either() -> None:
    found = finding(row("go", 98_000, sleep_seconds=0.1), row("flask", 40_000, sleep_seconds=0.1))
    assert found.standing is Standing.AT_CEILING
    assert "it is not called first" in words.headline(found)


def test_a_second_at_its_ceiling_is_named_as_held_back() -> None:
    found = finding(row("plain", 98_400), row("go", 95_800, sleep_seconds=0.1))
    assert found.standing is Standing.SHOWN
    assert "go is at its ceiling, and may be able to do more." in words.evidence(found)


def test_an_invalid_row_is_not_first_and_is_named() -> None:
    wrong = row("wrong", 150_000)
    broken = [*wrong[:-1], missing("wrong", "failed", "it fell", repeat=6)]
    found = finding(row("go", 98_000), row("sanic", 60_000), broken)
    assert found.first
    assert found.first.label == "go"
    assert [one.label for one in found.above] == ["wrong"]
    assert "Not counted, though with more requests/s, because invalid: wrong." in words.evidence(found)


def test_a_row_of_too_few_repeats_is_not_first_among_ranked_ones() -> None:
    found = finding(row("go", 98_000), row("sanic", 60_000), row("late", 99_000, STEPS[:2]))
    assert found.standing is Standing.SHOWN
    assert found.first
    assert found.first.label == "go"
    assert [one.label for one in found.above] == ["late"]


def test_a_row_alone_has_nobody_to_be_faster_than() -> None:
    found = finding(row("go", 98_000))
    assert found.standing is Standing.ALONE
    assert "no other row can be compared" in words.headline(found)


def test_without_a_valid_row_nothing_is_first() -> None:
    found = finding([missing("go", "failed", "it fell")])
    assert found.standing is Standing.NOTHING
    assert words.headline(found) == "No row has a valid figure, so none is first."
    assert words.evidence(found) == ()


def test_where_all_rows_are_invalid_the_most_of_them_is_told_as_that() -> None:
    broken = [[*row(name, middle)[:-1], missing(name, "failed", "it fell", repeat=6)] for name, middle in MIDDLES.items()]
    found = finding(*broken)
    assert found.standing is Standing.NOTHING
    assert words.evidence(found) == ("Of the invalid rows, go has the most requests/s: 19,590.",)


def test_values_of_zero_have_no_ratio() -> None:
    found = finding(row("go", 98_000), row("dead", 0, (0,) * 6))
    assert "0 times" not in words.headline(found)
    assert words.evidence(found) is not None


def test_the_largest_group_of_the_same_conditions_is_told_of_and_the_others_are_named() -> None:
    told = summary(
        of(
            row("many", 98_000, connections=20_000),
            row("go", 98_000),
            row("sanic", 60_000),
            row("quart", 50_000),
            row("film", 40_000, route="GET /film/"),
            row("film2", 30_000, route="GET /film/"),
        )
    )
    assert labels(told.finding) == ["go", "sanic", "quart"]
    assert told.groups == 3
    assert words.about_group(told, told.finding) == "3 rows with 2,000 connections"
    first, second = words.others(told)
    assert first.startswith("2 rows with 2,000 connections, GET /film/: film is first")
    assert second == "Not compared, because no other valid row had the same load: many."


def test_of_many_groups_the_rest_is_counted() -> None:
    told = summary(of(*(row(f"go-{number}", 98_000, connections=2000 + number) for number in range(7))))
    assert len(told.findings) == 4
    assert words.others(told)[-1] == "3 more loads are in the table."


def test_one_group_needs_no_name() -> None:
    told = summary(of(row("go", 98_000), row("sanic", 60_000)))
    assert words.about_group(told, told.finding) == ""
    assert words.others(told) == ()


def test_each_server_has_its_own_first_row() -> None:
    rows = [
        row(name, middle, host=host) for host in ("web1", "web2") for name, middle in (("go", 98_000), ("sanic", 60_000))
    ]
    told = summary(of(*rows, servers=("web1", "web2")))
    assert [found.host for found in told.findings] == ["web1", "web2"]
    assert words.headline(told.finding).startswith("go on web1 is first")
    assert words.about_group(told, told.finding) == "2 rows with 2,000 connections, on web1"


def test_a_published_set_shows_no_difference() -> None:
    told = summary(load("web-frameworks", ROOT))
    assert told.finding.standing is Standing.PUBLISHED
    assert "That is not shown" in words.headline(told.finding)
    assert words.evidence(told.finding) == (
        "An article gives each figure once, so its differences are not shown to be more than chance.",
    )
    assert words.day(told) == ""
    assert words.where(told) != ()


def test_a_difference_that_many_pairs_make_by_chance_is_not_shown() -> None:
    """By itself the pair differs; among so many pairs, one does by chance."""
    rows = [row(f"row-{number}", 97_750) for number in range(8)]
    found = finding(row("go", 98_000), *rows)
    assert found.standing is Standing.NOT_SHOWN
    assert found.difference
    if found.difference.p < 0.05:
        assert any("pairs of rows were compared" in line for line in words.evidence(found))


def test_no_rows_at_all_are_no_fault() -> None:
    told = summary(Report(make(a_run("go-2000"), [])))
    assert told.finding.standing is Standing.NOTHING
    assert [one.kind.value for one in told.spoilers] == ["incomplete", "not_run"]


def test_the_difference_is_that_of_the_cells() -> None:
    found = finding(row("go", 98_000), row("sanic", 92_000))
    assert found.difference
    assert found.difference.low < 98_000 / 92_000 < found.difference.high
    assert found.difference.repeats == (6, 6)


def test_a_group_of_invalid_rows_alone_is_told_with_their_number() -> None:
    broken = [[*row(name, middle)[:-1], missing(name, "failed", "it fell", repeat=6)] for name, middle in MIDDLES.items()]
    told = summary(of(*broken, [missing("film", "failed", "it fell")]))
    assert words.about_group(replace(told, groups=2), told.finding) == "2 rows with 2,000 connections"


def test_of_chosen_rows_the_first_is_told_from_them_alone() -> None:
    cells = [
        cell
        for name, many in (("a", 50_000), ("b", 40_000), ("c", 30_000))
        for cell in repeats_of(name, *range(many, many + 600, 100))
    ]
    report = a_report("a", "b", "c", cells=cells)
    chosen = select(report, parse("", (), "!a"))
    (finding,) = summary(chosen).findings
    assert [row.name for row in finding.rows] == ["b", "c"]
    assert finding.standing is Standing.SHOWN
