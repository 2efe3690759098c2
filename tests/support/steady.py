"""A server of a known course under real wrk, with the agent's own sampler on it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

from benchrig.agent.bench import processes, sampler
from benchrig.bench import records
from benchrig.bench.generators.wrk.output import read_printed
from benchrig.results.model import Cell
from tests.support.reports import a_cell, a_load

PACED = Path(__file__).parent / "servers" / "paced.py"


def measured(folder: Path, course: str, rate: float, seconds: int = 6, connections: int = 20) -> Cell:
    """Return the cell of a load on a server of this course; `folder` takes what stands for its control group."""
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
