"""How results grow: the time to store, read, resume and report 1,000 and 10,000 cells, and that of a history and a list.

The history and the list are those of 100 and 1,000 runs of 15 rows.

A linear step takes 10 times as long for 10 times as many cells. Hosts are stand-ins that answer at once, and the disk's
flushes are left out, because they take the same time for each cell.

Then, for 10,000 cells as many rows: the time of `./inv report`, the size of its page, and the time that Chromium takes to
show and to sort it, where Chromium and playwright are installed.

    python benchmarks/results_scale.py [--pages]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchrig import report
from benchrig.bench import resuming
from benchrig.report import listing
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
            "list": timed(lambda: listing.render(listing.listing(reports))),
        }


def many_rows(rows: int, repeats: int, model: Cell, reports: Path) -> Path:
    """Store a run of so many rows whose throughputs differ; return its folder."""
    source = random.Random(1)
    run = replace(run_of(rows), settings=Settings(5.0, 1.0, 10.0, threads=4, repeats=repeats))
    made = store.create(reports, "web-frameworks", f"rows-{rows}")
    lines = []
    for number in range(rows):
        middle = source.uniform(0.5, 1.0)
        for repeat in range(1, repeats + 1):
            assert model.load
            load = replace(model.load, requests=round(model.load.requests * middle * source.gauss(1, 0.01)))
            lines.append(store.line_of(replace(model, name=f"row-{number}", repeat=repeat, load=load)))
    store.write_run(made, replace(run, name=made.name, finished_at=store.now()))
    store.append_line(made, b"".join(lines))
    return made


def in_browser(page: Path) -> str:
    """Return the time that Chromium takes to show a page and to sort its table; empty where it is not installed."""
    if not (program := shutil.which("chromium")):
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        began = time.monotonic()
        tab.goto(page.as_uri(), wait_until="load", timeout=120_000)
        shown = tab.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(() => r(performance.now()))))")
        loaded = time.monotonic() - began
        sort = tab.locator("th button").nth(2)
        sorted_in = tab.evaluate(SORT) if sort.count() else 0.0
        browser.close()
    return f"shown after {loaded:.1f} s ({shown / 1000:.1f} s by its own clock), sorted in {sorted_in / 1000:.1f} s"


SORT = """() => new Promise(done => {
  const began = performance.now();
  document.querySelectorAll("th button")[2].click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
})"""
"""Sorts by a column and returns after how many milliseconds the next picture is there."""


def pages(model: Cell) -> None:
    """Print a line for each of two runs of 10,000 cells: how long its report takes, and its page in a browser."""
    for rows, repeats in ((1_667, 6), (10_000, 1)):
        with tempfile.TemporaryDirectory() as folder:
            made = many_rows(rows, repeats, model, Path(folder))
            seconds = timed(lambda made=made: report.write_reports(str(made), ROOT))  # type: ignore[misc]
            page = made / "report.html"
            size = page.stat().st_size / 1e6
            print(f"{rows:,} rows, {repeats} repeats: report {seconds:.2f} s, page {size:.1f} MB, {in_browser(page)}")


def main() -> None:
    """Print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", action="store_true", help="only the pages of 10,000 cells")
    only_pages = parser.parse_args().pages
    os.fsync = lambda _: None  # type: ignore[assignment]
    model = store.read(MODEL)[1][0]
    pages(model)
    if only_pages:
        return
    few, many = steps(1_000, model), steps(10_000, model)
    few |= history_steps(100, model)
    many |= history_steps(1_000, model)
    for name, seconds in few.items():
        print(f"{name:7} {seconds:6.2f} s  {many[name]:6.2f} s  {many[name] / seconds:5.1f} times")


if __name__ == "__main__":
    main()
