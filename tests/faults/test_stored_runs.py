"""Runs that are stored already: half a line, a clock that is set back, two processes at one run, what is no file."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import resuming
from benchrig.errors import InputError
from benchrig.results import store
from benchrig.results.lock import RunLock
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.faults import fault
from tests.support.reports import a_cell, a_run


@fault(
    "Results and resuming",
    done="half a line at the end of `cells.jsonl`, as a power cut leaves it; then the run goes on",
    promised="the next cell does not become part of that line",
    seen="the half line was dropped by a resume, and stayed a line of its own otherwise",
)
def test_a_cell_is_never_glued_to_half_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, a_run("go-2000", finished=False))
    store.append(folder, a_cell())
    half = store.line_of(a_cell(repeat=2))[:200]
    with (folder / store.CELLS).open("ab") as file:
        file.write(half)
    with Recorder(tmp_path, a_run("go-2000"), RunLock(folder)) as recorder:
        recorder.keep(a_cell(repeat=2), {})
    assert [cell.repeat for cell in store.read(folder)[1]] == [1, 2]
    assert capsys.readouterr().err == ""
    with (folder / store.CELLS).open("ab") as file:
        file.write(half)
    store.append(folder, a_cell(repeat=3))
    assert [cell.repeat for cell in store.read(folder)[1]] == [1, 2, 3]
    assert "cells.jsonl:3 cannot be read and is left out" in capsys.readouterr().err


@fault(
    "Results and resuming",
    done="the controller's clock set back by a day between two runs (a stand-in for the clock)",
    promised="the newest run stays the one that was made last",
    seen="`latest` and `--resume` took the run made last, with number 2 and the earlier date",
)
def test_a_clock_that_is_set_back_does_not_reorder_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for date in ("2026-11-30T12:00:00Z", "2026-11-29T12:00:00Z"):
        monkeypatch.setattr(store, "now", lambda date=date: date)
        with Recorder(tmp_path, a_run("go-2000", finished=False)) as recorder:
            recorder.run = replace(recorder.run, started_at=date)
            recorder.keep(a_cell(), {})
            made.append(recorder.folder)
            recorder.finish()
    assert store.newest(tmp_path) == made[-1]
    assert [entry.number for entry in store.entries(tmp_path)] == [1, 2]


OTHER = """
import sys
from pathlib import Path
from benchrig.bench.resuming import find
begun = find(Path(sys.argv[1]), "")
print(len(begun.measured), flush=True)
input()
"""
"""A controller that has checked what it resumes, and has not measured yet."""


def interrupted(reports: Path) -> Path:
    """Make a run that was interrupted after its first cell."""
    with Recorder(reports, a_run("go-2000", finished=False)) as recorder:
        recorder.keep(a_cell(), {})
        assert recorder.folder
        return recorder.folder


@fault(
    "Results and resuming",
    done="a second `bench --resume` while another process has checked the run and not yet measured anything",
    promised="the second one is refused at once, and told which process has the run; no cell is measured twice",
    seen="`reports/… is being measured by process …`, with and without the run's name; afterwards, 1 cell fewer is left",
)
def test_a_run_that_another_process_resumes_is_refused_at_once(tmp_path: Path) -> None:
    folder = interrupted(tmp_path)
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout
        assert other.stdout.readline() == b"1\n"
        for name in ("", folder.name):
            with pytest.raises(InputError, match=f"{folder.name} is being measured by process {other.pid}$"):
                resuming.find(tmp_path, name)
        store.append(folder, a_cell(repeat=2))
        other.communicate(b"\n")
    assert [repeat for *_, repeat in resuming.find(tmp_path, "").measured] == [1, 2]


@fault(
    "Results and resuming",
    done="a FIFO as `run.json` of another run, and then as `cells.jsonl` of the run itself",
    promised="a bench stores its cells all the same; a resume is refused in a line",
    seen="1 cell stored, nothing waited; `cells.jsonl cannot be read: it is a FIFO`",
)
def test_a_fifo_among_the_runs_hangs_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    os.mkfifo(tmp_path / "other" / store.RUN)
    folder = interrupted(tmp_path)
    assert len(store.read(folder)[1]) == 1
    (folder / store.CELLS).unlink()
    os.mkfifo(folder / store.CELLS)
    with pytest.raises(InputError, match=r"cells\.jsonl cannot be read: it is a FIFO"):
        resuming.find(tmp_path, folder.name)
    with Recorder(tmp_path, a_run("go-2000"), RunLock(folder)) as recorder:
        assert not recorder.is_stored
