"""The main job as a user runs it: `./inv provision bench report` in a clean clone, and what must hold after it."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from benchrig.units import REQUESTS_PER_SECOND
from tests.support.clone import Clone, Done

pytestmark = pytest.mark.lab

DOCUMENT_ROWS = [
    "flask-no-sleep",
    "flask-sync",
    "flask-async",
    "flask-gevent",
    "flask-gevent-patched",
    "flask-gunicorn",
    "go-2000",
    "go-20000",
    "fastapi-sync",
    "fastapi-async",
    "fastapi-workers",
    "fastapi-gunicorn",
    "sanic",
    "openresty-2000",
    "openresty-25000",
]


def latest(clone: Clone) -> Path:
    return (clone.root / "reports" / "latest").resolve()


def folders(clone: Clone) -> set[Path]:
    return {path for path in (clone.root / "reports").iterdir() if path.is_dir() and not path.is_symlink()}


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads((folder / "report.json").read_text())["rows"]}


@pytest.fixture(scope="module")
def folder(clone: Clone, main_job: Done) -> Path:
    """Return the folder of the run that the main job made."""
    assert main_job.code == 0
    return clone.root / "reports" / re.search(r"^run (\S+):", main_job.stdout, re.MULTILINE)[1]  # type: ignore[index]


def test_main_job_fills_every_row_of_the_document(main_job: Done, folder: Path) -> None:
    assert main_job.code == 0, main_job.stderr
    found = rows(folder)
    assert [name for name in found if name != "flask-gevent-patched-first"] == DOCUMENT_ROWS
    assert {name for name, row in found.items() if row["status"] == "failed"} == set()
    assert all(row["requests_per_second"] > 0 for row in found.values() if row["status"] == "measured")


def test_row_is_not_possible_only_where_a_limit_of_this_machine_says_so(folder: Path) -> None:
    for row in rows(folder).values():
        if row["status"] == "not_possible":
            assert row["connections"] >= 20000
            assert re.search(r"need \d+ (file descriptors|local ports)", row["reason"])


def test_every_figure_is_the_one_that_wrk_printed(folder: Path) -> None:
    measured = [row for row in rows(folder).values() if row["status"] == "measured"]
    assert len(measured) >= 14
    for row in measured:
        raw = (folder / "raw" / f"{row['name']}-1.txt").read_text()
        assert int(re.search(r"(\d+) requests in", raw)[1]) == row["requests"]  # type: ignore[index]
        printed = float(re.search(r"Requests/sec:\s+([\d.]+)", raw)[1])  # type: ignore[index]
        assert row["requests_per_second"] == pytest.approx(printed, rel=0.001)
        assert f"-c{row['connections']} " in raw


def test_terminal_csv_and_markdown_show_the_same_figures(main_job: Done, folder: Path) -> None:
    table = list(csv.DictReader((folder / "report.csv").open()))
    markdown = (folder / "report.md").read_text()
    for row in table:
        if row["status"] == "measured":
            shown = REQUESTS_PER_SECOND.text(float(row["requests_per_second"]))
            assert shown in main_job.stdout
            assert shown in markdown


def test_results_go_to_stdout_and_progress_to_stderr_without_colour(main_job: Done) -> None:
    assert "Requests/s" in main_job.stdout or "requests/s" in main_job.stdout
    assert "ok=" not in main_job.stdout
    assert re.search(r"lab1 +: ok=\d+ +changed=\d+ +unreachable=0 +failed=0", main_job.stderr)
    assert "\x1b[" not in main_job.stdout + main_job.stderr


def test_run_records_the_machine_and_what_ran(folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    (machine,) = run["machines"]
    assert machine["cores"] > 0
    assert machine["sysctls"]["net.core.somaxconn"] == "65535"
    cells = [json.loads(line) for line in (folder / "cells.jsonl").read_text().strip().split("\n")]
    ran = {cell["name"]: cell["versions"] for cell in cells if cell["status"] == "measured"}
    assert ran["fastapi-async"]["event loop"].startswith("uvloop")
    assert ran["flask-sync"]["flask"] == "3.0.3"
    assert ran["go-2000"]["Go"].startswith("1.22")


def test_patched_first_beats_patched_after_the_import(folder: Path) -> None:
    """What the document takes for a patch without effect is the order of two lines."""
    found = rows(folder)
    late, first = (found[name]["requests_per_second"] for name in ("flask-gevent-patched", "flask-gevent-patched-first"))
    assert first > 20 * late


def test_second_provision_changes_nothing_in_one_exec_and_says_so(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    done = clone.inv("provision")
    assert done.code == 0, done.stderr
    assert re.search(r"lab1 +: ok=\d+ +changed=0 +unreachable=0 +failed=0", done.stderr)
    assert "nothing changed" in done.stderr
    assert "1 SSH exec" in done.stderr


def test_setting_this_machine_does_not_let_be_made_is_reported_by_name(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    done = clone.inv("provision", "--tags", "tuning")
    assert "net.core.netdev_max_backlog should be 16384, but this machine has no such setting" in done.stderr


def test_app_that_dies_fails_its_cell_with_its_journal_and_the_rest_goes_on(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    broken = clone.root / "apps" / "flask-sync" / "app.py"
    source = broken.read_text()
    try:
        broken.write_text("raise SystemExit('no such luck')\n")
        done = clone.inv("bench", "--only", "flask-sync,go-2000", "--duration", "1s", "report")
    finally:
        broken.write_text(source)
    found = rows(latest(clone))
    assert done.code == 1
    assert (found["flask-sync"]["status"], found["go-2000"]["status"]) == ("failed", "measured")
    assert "no such luck" in (latest(clone) / "raw" / "flask-sync-1.txt").read_text()
    assert "1 of 2 rows failed: flask-sync" in done.stderr


def running(clone: Clone) -> str:
    """Return what of a bench still runs on the machine."""
    return clone.inv("ssh", "--run", "pgrep -a '^wrk$'; systemctl list-units --no-legend 'benchrig-*'").stdout.strip()


def test_interrupted_bench_stops_app_and_load_and_keeps_what_was_measured(clone: Clone, main_job: Done) -> None:
    """What happens when the controller is killed with -9 is in tests/faults."""
    assert main_job.code == 0
    before, known = latest(clone), folders(clone)
    argv = ["./inv", "bench", "--only", "go-2000,sanic", "--duration", "3s"]
    process = subprocess.Popen(argv, cwd=clone.root, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        made = folders(clone) - known
        if any((folder / "cells.jsonl").exists() for folder in made) and "wrk" in running(clone):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    for _ in range(50):
        if not running(clone):
            break
        time.sleep(0.1)
    assert running(clone) == ""
    assert latest(clone) == before
    (interrupted,) = made
    done = clone.inv("report", interrupted.name)
    assert done.code == 0
    assert rows(interrupted)["go-2000"]["status"] == "measured"
    assert json.loads((interrupted / "report.json").read_text())["incomplete"] is True
