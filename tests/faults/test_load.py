"""Many machines for a long time: what the controller uses while it benches them does not grow, and no cell is missed."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clone import Clone, copy_project
from tests.support.faults import fault

MACHINES = 32
REPEATS = 12
"""Twelve cells of a second on each of 32 machines take about 15 minutes."""

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
"""Each machine needs six of them."""

LOOK_SECONDS = 5.0
MOST_SECONDS = 3000.0


@dataclass(frozen=True)
class Use:
    """What a process uses at a moment: resident memory in bytes, open descriptors, threads."""

    memory: int
    descriptors: int
    threads: int


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Clone]:
    """Yield a clone with an app that needs only Python, and a lab of machines that each load their own app."""
    clone = copy_project(tmp_path)
    hosts = "".join(f"        m{number:02}:\n" for number in range(1, MACHINES + 1))
    (tmp_path / "inventory/many.yml").write_text(
        "all:\n  vars:\n    benchrig_machine: lab\n    ansible_user: root\n  children:\n"
        f"    servers:\n      hosts:\n{hosts}    loadgens:\n      hosts:\n{hosts}"
    )
    assert clone.inv("new", "app", "plain").code == 0
    former = INOTIFY.read_text()
    INOTIFY.write_text(str(max(int(former), 1024)))
    yield clone
    clone.inv("destroy", "-i", "many", timeout=1200)
    INOTIFY.write_text(former)


def use_of(pid: int) -> Use:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(int(status["VmRSS"].split()[0]) * 1024, descriptors, int(status["Threads"]))


def uses_of(command: Sequence[str], folder: Path) -> tuple[int, list[Use]]:
    """Run a command, and return its exit code and what it used every few seconds."""
    with (folder / "soak.log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        deadline, uses = time.monotonic() + MOST_SECONDS, []
        while process.poll() is None and time.monotonic() < deadline:
            uses.append(use_of(process.pid))
            time.sleep(LOOK_SECONDS)
        process.terminate()
        return process.wait(60), uses


@fault(
    "Load and time",
    done="32 lab machines benched from one controller for 15 minutes",
    promised="memory, descriptors and threads stay flat; no cell is missed",
    seen="384 of 384 cells in 1,040 s; 59.1 MB, then 59.9 MB; 36 descriptors and 66 threads throughout",
)
@pytest.mark.lab
@pytest.mark.long
def test_32_machines_for_15_minutes(many: Clone) -> None:
    bench = ["./inv", "bench", "-i", "many", "--suite", "plain", "--connections", "4", "--threads", "1", "--duration", "1s"]
    first = many.run(bench, timeout=2400)
    assert first.code == 0, first.stderr[-3000:]
    started = time.monotonic()
    code, uses = uses_of([*bench, "--repeats", str(REPEATS)], many.root)
    seconds = time.monotonic() - started
    assert code == 0, (many.root / "soak.log").read_text()[-3000:]
    newest = max((many.root / "reports").glob("*-plain*"), key=lambda path: path.stat().st_mtime)
    cells = [json.loads(line) for line in (newest / "cells.jsonl").read_text().splitlines()]
    assert [cell["status"] for cell in cells] == ["measured"] * (MACHINES * REPEATS)
    early, late = uses[len(uses) // 4 : len(uses) // 2], uses[-len(uses) // 4 : -1]
    memory = [statistics.median(use.memory for use in part) / 1e6 for part in (early, late)]
    print(f"{len(cells)} cells in {seconds:.0f} s; MB early and late {memory}; at the end {uses[-2]}")
    assert memory[1] <= memory[0] * 1.05 + 2
    assert max(use.descriptors for use in late) <= max(use.descriptors for use in early) + 2
    assert max(use.threads for use in late) <= max(use.threads for use in early) + 2
