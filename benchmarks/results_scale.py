"""How results grow: the time to store, read, resume and report 1,000 and 10,000 cells, and that of a history.

The history is that of 100 and 1,000 runs of 15 rows.

A linear step takes 10 times as long for 10 times as many cells. Hosts are stand-ins that answer at once, and the disk's
flushes are left out, because they take the same time for each cell.

    python benchmarks/results_scale.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchrig import report
from benchrig.bench import resuming
from benchrig.report.history import history
from benchrig.results import store
from benchrig.results.model import Cell, Machine, Run, Settings
from benchrig.results.recorder import Recorder

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "tests" / "cases" / "results" / "v2"


def run_of(rows: int) -> Run:
    """Return the record of a run of so many rows that has begun."""
    machine = Machine("lab1", "lab", "CPU", 2, 1 << 33, "6.1", "Debian", "systemd-nspawn", {}, {}, {})
    return Run(
        name="",
        suite="web-frameworks",
        suite_title="Web frameworks",
        profile="quick",
        inventory="lab",
        rows=tuple(f"row-{number}" for number in range(rows)),
        settings=Settings(5.0, 1.0, 10.0, threads=4, repeats=1),
        published="",
        started_at=store.now(),
        machines=(machine,),
        servers=("lab1",),
    )


def measured(cells: int, reports: Path, model: Cell, rows: int = 20) -> tuple[Path, float]:
    """Store so many cells; return the run's folder and the CPU seconds that it took."""
    began = time.process_time()
    with Recorder(reports, run_of(rows)) as recorder:
        for number in range(cells):
            recorder.check()
            recorder.keep(replace(model, name=f"row-{number % rows}", repeat=1 + number // rows), {})
        assert recorder.folder
        return recorder.folder, time.process_time() - began


def resume(reports: Path) -> None:
    """Begin to resume the newest run."""
    begun = resuming.find(reports, "")
    with Recorder(reports, begun.run, begun.lock):
        pass


def timed(act: Callable[[], object]) -> float:
    """Return the CPU seconds that something takes."""
    began = time.process_time()
    act()
    return time.process_time() - began


def steps(cells: int, model: Cell) -> dict[str, float]:
    """Return the CPU seconds of each step with so many cells."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        made, append = measured(cells, reports, model)
        return {
            "append": append,
            "read": timed(lambda: store.read(made)),
            "resume": timed(lambda: resume(reports)),
            "report": timed(lambda: report.write_reports(str(made), ROOT)),
        }


def history_steps(runs: int, model: Cell, rows: int = 15) -> dict[str, float]:
    """Return the CPU seconds of the history with so many runs: the first one, which reads them all, and those after it."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        names = [f"row-{number}" for number in range(rows)]
        for number in range(1, runs + 1):
            made = store.create(reports, "web-frameworks", f"run-{number:05}")
            run = replace(run_of(rows), name=made.name, number=number, finished_at=store.now())
            store.write_run(made, run)
            store.append_line(made, b"".join(store.line_of(replace(model, name=name, repeat=1)) for name in names))
        return {
            "enter": timed(lambda: history(reports)),
            "history": timed(lambda: history(reports)),
            "one row": timed(lambda: history(reports, row="row-1")),
        }


def main() -> None:
    """Print a line for each step."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    os.fsync = lambda _: None  # type: ignore[assignment]
    model = store.read(MODEL)[1][0]
    few, many = steps(1_000, model), steps(10_000, model)
    few |= history_steps(100, model)
    many |= history_steps(1_000, model)
    for name, seconds in few.items():
        print(f"{name:7} {seconds:6.2f} s  {many[name]:6.2f} s  {many[name] / seconds:5.1f} times")


if __name__ == "__main__":
    main()
