"""What a bench shows of itself: renewed each second, for others to watch, and never at the cost of the bench."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import board as boards
from benchrig.bench.board import Board
from benchrig.bench.cell import Measurement
from benchrig.bench.measuring import measure_all
from benchrig.bench.meter import Meter
from benchrig.bench.order import turns
from benchrig.bench.progress import Progress
from benchrig.errors import HostError
from benchrig.results import running, store
from benchrig.results.recorder import Recorder
from benchrig.results.running import FOLDER, Notice, Running
from tests.support.cell import PLAN, unasked
from tests.support.reports import a_cell, a_run
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "SECONDS", 0.02)


def left(root: Path) -> Running:
    """Return the state that a bench of this process left."""
    state = running.read(root / FOLDER / f"{os.getpid()}.json")
    assert state
    return state


def state_of(root: Path) -> Running:
    (state,) = running.running(root)
    return state


def test_a_bench_can_be_watched_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    with Board(tmp_path, "web-frameworks") as board:
        assert (state_of(tmp_path).step, state_of(tmp_path).cells) == ("preparing the hosts", 0)
        progress = Progress(PLAN, ["sanic", "go"], board=board)
        progress.begin("sanic")
        progress.say("starting")
        until(lambda: state_of(tmp_path).step == "starting")
        seen = state_of(tmp_path)
        assert (seen.title, seen.count, seen.seconds_left is not None) == ("sanic", "1/2", True)
        progress.finish(a_cell(), "20261130-120000-web")
        until(lambda: state_of(tmp_path).cells == 1)
        seen = state_of(tmp_path)
        assert (seen.run, seen.title, seen.step) == ("20261130-120000-web", "", "")
        assert [(one.number, one.title, one.count, one.status) for one in seen.finished] == [(1, "sanic", "1/2", "measured")]
        assert "requests/s" in seen.finished[0].text
        board.end("every row was measured", failed=False)
    assert running.running(tmp_path) == []
    assert (left(tmp_path).ended, left(tmp_path).failed, left(tmp_path).cells) == ("every row was measured", False, 1)


@pytest.mark.parametrize(
    ("error", "said"), [(KeyboardInterrupt(), "interrupted"), (HostError("lab1: it is gone"), "lab1: it is gone")]
)
def test_a_bench_that_ends_early_says_so(tmp_path: Path, error: BaseException, said: str) -> None:
    with pytest.raises(type(error)), Board(tmp_path, "web"):
        raise error
    assert (left(tmp_path).ended, left(tmp_path).failed) == (said, True)


def test_the_figures_of_the_load_that_runs_are_in_the_state(tmp_path: Path) -> None:
    with Board(tmp_path, "web") as board:
        progress = Progress(PLAN, ["sanic"], board=board)
        meter = progress.begin("sanic")
        progress.say("measuring 10 s")
        meter.rate, meter.notices = 19_193.44, (Notice("retransmits", 3),)
        until(lambda: state_of(tmp_path).rate)
        seen = state_of(tmp_path)
        assert (seen.rate, seen.notices) == (19_193.44, (Notice("retransmits", 3),))
        until(lambda: state_of(tmp_path).rates[-3:] == (19_193.4,) * 3)
        until(lambda: len(state_of(tmp_path).rates) == 60)
        until(lambda: None not in state_of(tmp_path).rates)
        assert len(state_of(tmp_path).rates) == 60


def test_no_more_than_the_last_hundred_cells_are_in_the_state(tmp_path: Path) -> None:
    with Board(tmp_path, "web") as board:
        progress = Progress(PLAN, ["x"] * 150, board=board)
        for _ in range(150):
            progress.begin("x")
            progress.finish(a_cell(), "run")
        until(lambda: state_of(tmp_path).cells == 150)
        assert [one.number for one in state_of(tmp_path).finished] == list(range(51, 151))


def test_an_earlier_repeat_of_a_row_calibrates_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meters: list[Meter] = []

    def measure(*given: object) -> Measurement:
        assert isinstance(given[-1], Meter)
        meters.append(given[-1])
        return Measurement(a_cell(repeat=len(meters)), "raw", "script", "it said this\n")

    monkeypatch.setattr("benchrig.bench.cell.measure", measure)
    monkeypatch.setattr("benchrig.bench.progress.per_reply_of", lambda _: 2.5)
    wanted = replace(PLAN, repeats=2)
    recorder = Recorder(tmp_path, a_run("sanic"))
    measure_all(turns(wanted, [unasked()]), wanted, recorder)
    assert [meter.per_reply for meter in meters] == [None, 2.5]
    assert recorder.folder
    cells = store.read(recorder.folder)[1]
    assert [cell.journal for cell in cells] == ["raw/sanic-1.journal.txt", "raw/sanic-2.journal.txt"]
    assert (recorder.folder / cells[0].journal).read_text() == "it said this\n"


def test_an_app_that_wrote_nothing_has_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchrig.bench.cell.measure", lambda *_: Measurement(a_cell(), "raw", "script"))
    recorder = Recorder(tmp_path, a_run("sanic"))
    measure_all(turns(PLAN, [unasked()]), PLAN, recorder)
    assert recorder.folder
    assert store.read(recorder.folder)[1][0].journal == ""
    assert not list((recorder.folder / "raw").glob("*journal*"))


def test_a_disk_that_is_full_does_not_harm_the_bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[int] = []

    def full(*_: object, **__: object) -> None:
        tried.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchrig.files.write", full)
    with Board(tmp_path, "web") as board:
        until(lambda: len(tried) > 5)
        board.end("done", failed=False)
    assert capsys.readouterr().err == (
        "warning: ./inv watch cannot follow this bench: .benchrig/running: No space left on device\n"
    )


def test_a_place_that_cannot_be_made_does_not_harm_the_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".benchrig").write_text("no folder")
    with Board(tmp_path, "web") as board:
        Progress(PLAN, ["sanic"], board=board).begin("sanic")
    assert capsys.readouterr().err.startswith("warning: ./inv watch cannot follow this bench: .benchrig/running: ")


def test_the_line_of_the_terminal_is_renewed_while_a_cell_is_measured_and_not_between_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("benchrig.console.status", shown.append)
    with Board(tmp_path, "web") as board:
        progress = Progress(PLAN, ["sanic"], board=board)
        meter = progress.begin("sanic")
        progress.say("measuring 10 s")
        meter.rate, meter.notices = 19_193.44, (Notice("listen_overflows", 2),)
        until(lambda: len(shown) > 3)
        assert shown[-1].startswith(
            "sanic  1/1  measuring 10 s  about 19,190 requests/s  listen backlog overflows: 2  about "
        )
        progress.finish(a_cell(), "run")
        count = len(shown)
        threading.Event().wait(0.1)
        assert len(shown) == count
