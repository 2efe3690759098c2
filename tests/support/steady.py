"""A server of a known course under real wrk, with the agent's own sampler on it.

As a program, it measures one: `python -m tests.support.steady FOLDER COURSE RATE SECONDS CONNECTIONS` prints the cell.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

from benchrig.agent.bench import processes, sampler
from benchrig.bench import records
from benchrig.bench.generators.wrk.output import read_printed
from benchrig.results import formats
from benchrig.results.model import Cell
from tests.support import ROOT
from tests.support.reports import a_cell, a_load

PACED = Path(__file__).parent / "servers" / "paced.py"

ALONE = ("nice", "-n", "-15", "unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""In a network of its own, because the counters are a machine's and other tests send, too; and ahead of their CPU use."""


def measured(folder: Path, course: str, rate: float, seconds: int = 5, connections: int = 20) -> Cell:
    """Return the cell of a load on a server of this course; `folder` takes what stands for its control group."""
    asked = [str(folder), course, str(rate), str(seconds), str(connections)]
    command = [*ALONE, sys.executable, "-m", __name__, *asked]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False, timeout=seconds + 60)
    assert not done.returncode, done.stderr.decode()
    return formats.read_cell(formats.parse(done.stdout)).record


def measure(folder: Path, course: str, rate: float, seconds: int, connections: int) -> Cell:
    """Return the cell of such a load, on this network."""
    argv = [sys.executable, str(PACED), course, str(rate)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            (folder / "cgroup.procs").write_text(f"{server.pid}\n")
            with mock.patch.object(processes, "CGROUP_ROOTS", (folder,)):
                watched = sampler.Sampler("/")
            watched.start()
            url = f"http://127.0.0.1:{port}/"
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", url]
            text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
            seen = watched.stop()
        finally:
            server.kill()
    printed = read_printed(text)
    latency = replace(a_load().latency, mean_us=printed.latency_mean_us, percentiles_us=printed.percentiles_us)
    duration_us = round(1e6 * printed.requests / printed.requests_per_second)
    return a_cell(
        connections=connections,
        duration_seconds=float(seconds),
        sleep_seconds=0.1 if course == "waves" else 0.0,
        load=replace(a_load(printed.requests), duration_us=duration_us, latency=latency),
        server=records.server_load(seen),
    )


if __name__ == "__main__":
    where, which, *numbers = sys.argv[1:]
    print(formats.text_of(measure(Path(where), which, float(numbers[0]), int(numbers[1]), int(numbers[2]))))
