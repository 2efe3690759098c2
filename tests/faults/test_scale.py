"""Thousands of cells and hours of measuring: time grows with the number of cells, and memory and descriptors stay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import resuming
from benchrig.bench.app import read_apps
from benchrig.bench.cell import Measurement
from benchrig.bench.measuring import measure_all
from benchrig.bench.order import turns
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.report import write_reports
from benchrig.results import store
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.cell import unasked
from tests.support.faults import fault
from tests.support.reports import a_cell, a_run

ROWS = [f"row-{number}" for number in range(20)]


@pytest.fixture(autouse=True)
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the disk's flushes: each takes a time of its own, and there is one for each cell."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def resume(reports: Path) -> None:
    """Begin to resume the newest run."""
    begun = resuming.find(reports, "")
    with Recorder(reports, begun.run, begun.lock):
        pass


def steps(cells: int, reports: Path) -> dict[str, float]:
    """Return the CPU seconds that each step takes with so many cells."""
    found = {}

    def timed(name: str, act: Callable[[], object]) -> None:
        began = time.process_time()
        act()
        found[name] = time.process_time() - began

    with Recorder(reports, replace(a_run(*ROWS, finished=False), published="")) as recorder:

        def measure() -> None:
            for number in range(cells):
                recorder.check()
                recorder.keep(a_cell(ROWS[number % 20], repeat=1 + number // 20), {})

        timed("append", measure)
        folder = recorder.folder
    assert folder
    timed("read", lambda: store.read(folder))
    timed("resume", lambda: resume(reports))
    timed("report", lambda: write_reports(str(folder), ROOT))
    return found


@fault(
    "Load and time",
    done="500 and 5,000 cells stored, read, resumed and reported",
    promised="ten times as many cells take each step at most 20 times as long",
    seen="6.5 to 12.7 times; 5,000 cells took 0.7 s to store, 0.8 s to read, 0.9 s to resume, 1.1 s to report",
)
def test_ten_times_as_many_cells_take_ten_times_as_long(tmp_path: Path) -> None:
    few, many = steps(500, tmp_path / "few"), steps(5_000, tmp_path / "many")
    print({name: f"{many[name]:.2f} s, {many[name] / seconds:.1f} times" for name, seconds in few.items()})
    for name, seconds in few.items():
        # A step that grew by the square would take 100 times as long.
        assert many[name] < 20 * seconds, (name, seconds, many[name])


def memory() -> int:
    """Return the memory of this process in kB."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


@fault(
    "Load and time",
    done="a bench of 8 hours: 2,880 cells of 10 s each, on stand-ins for hosts and with a clock that jumps",
    promised="no cell is missed; from repeat 100 to 1,440, memory grows by less than 10 MB, and no descriptor is added",
    seen="2,880 cells; memory grew by 3.8 MB, most of it the cells' lines (1.7 kB each); 9 descriptors",
)
def test_a_bench_of_hours_keeps_its_memory_and_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.monotonic()]
    seen = []

    def measure(_topology: object, _plan: Plan, row: Row, repeat: int, say: Callable[[str], None], _: object) -> Measurement:
        say("measure")
        now[0] += 10
        if repeat in (100, 1440):
            seen.append((memory(), len(list(Path("/proc/self/fd").iterdir()))))
        return Measurement(a_cell(row.name, repeat=repeat), "raw " * 300, "")

    monkeypatch.setattr("benchrig.bench.cell.measure", measure)
    monkeypatch.setattr("benchrig.bench.progress.time.monotonic", lambda: now[0])
    wanted = plan(ROOT, read_apps(ROOT), BenchRequest(only=("go",), repeats=1440))
    with Recorder(tmp_path, a_run("go-2000", "go-20000")) as recorder:
        assert len(measure_all(turns(wanted, [unasked()]), wanted, recorder)) == 2880
        assert len(store.read(recorder.finish())[1]) == 2880
    (first, descriptors), *_, (last, descriptors_last) = seen
    assert descriptors == descriptors_last
    print(f"memory grew by {last - first} kB, from {first} to {last} kB; {descriptors_last} descriptors")
    assert last - first < 10_000
