"""Warnings about how the repeats of a row differ: they are told, and never make a row invalid or leave a repeat out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.report.table import make
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from benchrig.results.warnings import Warning
from tests.support.audits import RUN
from tests.support.caused_repeats import OF_REPEATS, SOUND
from tests.support.reports import a_cell, a_load, a_run


def cells(rates: Sequence[float]) -> list[Cell]:
    return [a_cell(repeat=n, load=replace(a_load(round(5 * rate)))) for n, rate in enumerate(rates, 1)]


def found(rates: Sequence[float]) -> list[Warning]:
    return list(audit.repeat_warnings(cells(rates), (), RUN))


def test_sound_repeats_have_no_warning() -> None:
    assert found(SOUND) == []


@pytest.mark.parametrize("code", OF_REPEATS, ids=lambda code: code.value)
def test_each_fault_of_repeats_has_its_warning_which_is_not_invalid(code: Code) -> None:
    (warning,) = found(OF_REPEATS[code])
    assert (warning.code, warning.invalid) == (code, False)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (
            OF_REPEATS[Code.REPEATS_DRIFT],
            "Throughput rose from repeat to repeat, by 7 % from the first of 10 to the last. "
            "The interval does not include such a drift.",
        ),
        (
            OF_REPEATS[Code.REPEATS_DRIFT][::-1],
            "Throughput fell from repeat to repeat, by 7 % from the first of 10 to the last. "
            "The interval does not include such a drift.",
        ),
        (
            OF_REPEATS[Code.TWO_STATES],
            "The repeats are in two states, which changed 7 times: 1,001 requests/s in 5 of 10, 1,100 requests/s in 5. "
            "The median is that of one of them, or between them.",
        ),
        (
            [*(value * 0.9 for value in SOUND[:7]), *SOUND[:6]],
            "Throughput changed between the repeats, after repeat 7, and stayed there: 899 requests/s in 7 of 13, "
            "1,000 requests/s in 6. The median is that of one of two states.",
        ),
        (
            OF_REPEATS[Code.OUTLIERS],
            "1 of 13 repeats far from the others (repeat 6): 800 requests/s, where the median is 998 requests/s. "
            "They are not left out.",
        ),
    ],
)
def test_what_is_said_has_the_numbers(rates: Sequence[float], said: str) -> None:
    assert [sentence(warning) for warning in found(rates)] == [said]


def test_a_row_with_an_outlier_keeps_all_its_repeats_and_is_not_invalid() -> None:
    rates = OF_REPEATS[Code.OUTLIERS]
    (row,) = make(a_run("go-2000"), cells(rates)).rows
    assert (row.repeats, row.invalid) == (len(rates), False)
    assert Code.OUTLIERS in [warning.code for warning in row.warnings]


def test_a_repeat_that_was_measured_again_later_has_its_place_in_time() -> None:
    late = [replace(cell, part=2) if cell.repeat == 1 else cell for cell in cells([1100.0, *SOUND])]
    run = replace(RUN, parts=())
    (warning,) = [one for one in audit.repeat_warnings(late, (), run) if one.code == Code.OUTLIERS]
    assert warning.values["which"] == "repeat 1"
