"""What wrk prints, and what a script for it is made from."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchrig.bench.generators.base import Shape
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.traffic import Route, Script, Traffic
from benchrig.results.model import Load

EXACT = (
    '{"requests": 3427, "duration_us": 3100272, "bytes": 596814, '
    '"errors": {"connect": 0, "read": 3, "write": 0, "timeout": 7, "status": 0}, '
    '"latency": {"min_us": 17666.0, "max_us": 1777194.0, "mean_us": 155241.051, "stdev_us": 114465.001, '
    '"percentiles_us": {"50": 127185.0, "75": 166846.0, "90": 218186.0, "99": 569825.0, "99.9": 1671446.0}}, '
    '"replies_checked": 3427, "replies_wrong": 0, "wrong_example": ""}'
)

INSIGHT = (
    '"thread_requests": [857, 857, 857, 856], "thread_requests_per_second": 293.561, "silent_us": 12044, '
    '"measured": {"min_us": 17666, "max_us": 1777194, "mean_us": 125031.251, "stdev_us": 101322.5, '
    '"percentiles_us": {"50": 126011, "75": 164846, "90": 214186, "99": 519825, "99.9": 1571446}}, '
    '"bins": [17664, 1000, 108288, 1200, 37888, 600, 50176, 550, 304128, 65, 1046528, 4, 204800, 1], '
)
"""What our script tells of wrk's own memory, made up to go with EXACT."""

INSIGHTFUL = EXACT.replace('"replies_checked"', f'{INSIGHT}"replies_checked"')


TEXT = """\
Running 3s test @ http://127.0.0.1:8080/health
  4 threads and 2000 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   155.24ms  114.47ms   1.78s    91.45%
    Req/Sec   293.56    175.90     1.35k    77.78%
  Latency Distribution
     50%  127.18ms
     75%  166.85ms
     90%  218.19ms
     99%  569.83ms
  3427 requests in 3.10s, 582.83KB read
  Socket errors: connect 0, read 3, write 0, timeout 7
Requests/sec:   1105.39
Transfer/sec:    187.99KB
"""


def route(name: str = "film", path: str = "", **values: Any) -> Route:
    blank: dict[str, Any] = {
        "method": "GET",
        "headers": {},
        "bodies": (),
        "status": 200,
        "body": None,
        "replies": (),
        "contains": "",
        "json": None,
        "stores": "",
        "capture": {},
    }
    return Route(name=name, path=path or f"/{name}", **{**blank, **values})


def user_script(text: str) -> Script:
    return Script(Path("configs/suites/mine.lua"), text)


def run_wrk(
    traffic: Traffic,
    port: int,
    answers: Mapping[str, tuple[str, ...]] | None = None,
    *,
    threads: int = 1,
    connections: int = 4,
) -> Load:
    """Run the real wrk for a second against a server on loopback."""
    if not shutil.which("wrk"):
        pytest.skip("needs wrk")
    command = WRK.command(Shape(threads, connections, 1.0, None), f"http://127.0.0.1:{port}{traffic.routes[0].path}")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK.script(traffic, answers or {}))
        script.flush()
        argv = [word.replace("{script}", script.name) for word in command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return WRK.read_load(done.stdout)
