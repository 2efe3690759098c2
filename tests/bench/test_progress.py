"""The line of a finished cell: its figures, and its warnings at once."""

from __future__ import annotations

import pytest

from benchrig.bench.progress import Progress, warned
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning
from tests.support.cell import PLAN
from tests.support.reports import a_cell


def test_a_disturbed_row_does_not_look_normal(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(PLAN, ["go-2000"])
    progress.begin("go-2000")
    progress.finish(a_cell(), "run", [Warning(Code.NO_IDLE_CPU), Warning(Code.DISTURBED, invalid=True)])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("go-2000  1/1 ")
    assert line.endswith("errors 0  INVALID: disturbed  warnings: no idle CPU")


def test_a_warning_of_several_cases_is_named_once_and_a_sound_row_has_none() -> None:
    assert warned([Warning(Code.CONNECTION_ERRORS), Warning(Code.CONNECTION_ERRORS)]) == "  warnings: connection errors"
    assert warned([]) == ""
