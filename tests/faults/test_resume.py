"""A bench whose controller, machine or connection goes away is resumed: nothing is lost, and nothing measured twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchrig.inventory import Host
from tests.support.benching import line_with, power_off
from tests.support.clone import Clone
from tests.support.faults import fault

pytestmark = pytest.mark.lab

ROWS = ("flask-sync", "go-2000")
BENCH = ("--only", ",".join(ROWS), "--duration", "2s", "--connections", "12", "--repeats", "3")


def begin(clone: Clone, cells: int) -> tuple[subprocess.Popen[str], Path]:
    """Begin a bench of two rows and three repeats; return it and its folder once so many cells are measured."""
    process = subprocess.Popen(["./inv", "bench", *BENCH], cwd=clone.root, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for number in range(1, cells + 1):
        line_with(process.stderr, f"{number}/6")
    newest = max((clone.root / "reports").glob("2*/cells.jsonl"), key=lambda path: path.stat().st_mtime)
    # Into the middle of the next cell.
    time.sleep(1.5)
    return process, newest.parent


def cells(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "cells.jsonl").read_text().splitlines()]


def check_resumed(clone: Clone, folder: Path, before: int, *arguments: str) -> str:
    """Resume, and see that what was measured before is as it was, and the rest was measured once; return what was said."""
    measured = (folder / "cells.jsonl").read_bytes()
    assert measured.count(b"\n") == before
    left = clone.inv("bench", "--resume", "--dry-run").stdout
    assert f"{6 - before} cell" in left
    done = clone.inv("bench", "--resume", *arguments)
    assert done.code == 0, done.stderr
    assert (folder / "cells.jsonl").read_bytes().startswith(measured)
    found = [(cell["name"], cell["repeat"], cell["part"]) for cell in cells(folder)]
    # Each round is in an order of its own.
    assert [(repeat, part) for _, repeat, part in found] == [(1 + n // 2, 1 if n < before else 2) for n in range(6)]
    assert {(name, repeat) for name, repeat, _ in found} == {(name, n) for name in ROWS for n in (1, 2, 3)}
    assert json.loads((folder / "run.json").read_text())["finished_at"]
    assert (clone.root / "reports" / "latest").resolve() == folder
    return done.stdout + done.stderr


@fault(
    "Results and resuming",
    done="`kill -9` of the controller in the fourth cell of six (2 rows, 3 repeats), then `./inv bench --resume report`",
    promised="the three cells are kept byte by byte, the other three are measured once, and the report says which are which",
    seen="resumed 0.8 s after the command; footnotes `repeats 1 to 2 in part 1; repeat 3 in part 2`",
)
def test_a_killed_controller_is_resumed(deployed: Clone) -> None:
    process, folder = begin(deployed, 3)
    process.kill()
    process.communicate()
    said = check_resumed(deployed, folder, 3, "report")
    assert "measured in 2 parts, because it was interrupted" in said
    assert "repeats 1 to 2 in part 1; repeat 3 in part 2" in said
    assert "repeat 1 in part 1; repeats 2 to 3 in part 2" in said
    again = deployed.inv("bench", "--resume", folder.name)
    assert (again.code, again.stderr) == (0, f"{folder.name} is complete: nothing is left to measure\n")


@fault(
    "Results and resuming",
    done="the machine switched off under load, and the bench resumed",
    promised="the bench ends with 3 and says how to go on; `--resume` starts the machine and goes on",
    seen="`the connection was lost; it was measuring 'flask-sync'`, exit code 3; all six cells after the resume",
)
def test_a_machine_that_was_restarted_is_resumed(deployed: Clone, deployed_host: Host) -> None:
    process, folder = begin(deployed, 2)
    power_off(deployed, deployed_host)
    said = process.communicate(timeout=240)[1]
    assert process.returncode == 3, said
    assert re.search(r"2 of 6 cells measured; to see them: \./inv report \S+; to go on: \./inv bench --resume", said)
    check_resumed(deployed, folder, 2)


@fault(
    "Results and resuming",
    done="a kernel setting of the machine changed between the interruption and the resume",
    promised="the resume is refused with what differs, exit code 2; with `--despite-changes` it goes on, and every "
    "row is invalid",
    seen="`cannot be resumed: lab1: net.ipv4.tcp_fin_timeout was 15, is 30`",
)
def test_a_machine_that_was_changed_is_refused(deployed: Clone) -> None:
    process, folder = begin(deployed, 2)
    process.kill()
    process.communicate()
    assert deployed.inv("ssh", "--run", "sysctl -w net.ipv4.tcp_fin_timeout=30").code == 0
    try:
        refused = deployed.inv("bench", "--resume")
        assert refused.code == 2
        assert "cannot be resumed: lab1: net.ipv4.tcp_fin_timeout was 15, is 30" in refused.stderr
        assert len(cells(folder)) == 2
        said = check_resumed(deployed, folder, 2, "--despite-changes", "report")
        assert "resumed under other conditions: lab1: net.ipv4.tcp_fin_timeout was 15, is 30" in said
        assert said.count("invalid") >= 2
    finally:
        deployed.inv("ssh", "--run", "sysctl -w net.ipv4.tcp_fin_timeout=15")


@fault(
    "Results and resuming",
    done="a bench of four cells, `./inv bench report`, whose `reports/` (a tmpfs of 8 MB) becomes full in the third",
    promised="three cells are kept elsewhere, the table shows them, exit code 5; `--resume` measures the fourth",
    seen="the table of 3 cells marked INCOMPLETE, exit code 5; then the fourth cell beside them, exit code 0",
)
def test_a_full_disk_under_a_real_bench(deployed: Clone, tmp_path: Path) -> None:
    reports, state = deployed.root / "reports", {"XDG_STATE_HOME": str(tmp_path)}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", reports], check=True)
    try:
        argv = ["./inv", "bench", *BENCH[:-1], "2", "report"]
        environ = {**os.environ, **state}
        process = subprocess.Popen(
            argv, cwd=deployed.root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        while "2/4" not in (line := process.stderr.readline()):
            assert line
        # The next cell has found room by then, and is being measured.
        time.sleep(0.4)
        with suppress(OSError), (reports / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        table, said = process.communicate(timeout=120)
        assert process.returncode == 5, said
        assert "No space left on device; 3 measured cells are stored in" in said
        assert "INCOMPLETE run" in table
        done = deployed.inv("bench", "--resume", "report", **state)
        assert done.code == 0, done.stderr
        assert "INCOMPLETE" not in done.stdout
        (folder,) = (tmp_path / "benchrig" / "reports").glob("2*")
        assert len(cells(folder)) == 4
    finally:
        subprocess.run(["umount", "--lazy", reports], check=True)
