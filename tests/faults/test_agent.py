"""An agent that is killed, hangs or talks nonsense, and Ctrl-C meanwhile: the bench ends with a reason, and nothing is left.

An agent that talks nonsense is a real one whose relay was rewritten in the clone: the host runs what the controller sends.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from benchrig.inventory import Host
from tests.support.benching import RELAY, Bench, bench_under_load, left, link_down, run, signal_agent
from tests.support.clone import Clone
from tests.support.faults import fault
from tests.support.waiting import until

pytestmark = pytest.mark.lab

SECTION = "Agents, cells and Ctrl-C"
NOTHING = ""
MEASURED = """import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)"""
"""Runs a command and writes its peak of resident memory, in KB. Linux counts that of the process which starts it as well:
this one is small, pytest is not."""

HEARD_SECONDS = 2.0
"""A second, and what the test itself and a busy machine need."""


@fault(
    SECTION,
    done="the agent killed with -9 under load",
    promised="the bench ends with the reason; app, load generator, port and temporary files are gone",
    seen="0.2 s: `the agent ended: Main process exited, code=killed, status=9/KILL`; nothing was left",
)
def test_agent_is_killed(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        signal_agent(deployed_host, "KILL")
        ended = bench.wait(20)
    assert ended.code == 3
    assert "error: lab1: the agent ended: Main process exited, code=killed, status=9/KILL; it was measuring" in ended.stderr
    until(lambda: left(deployed_host) == NOTHING)


@fault(
    SECTION,
    done="the agent stopped (kill -STOP) under load",
    promised="it is told from a slow one by its missing signs of life; the bench ends, and systemd ends the agent",
    seen="28 s: `the agent ended: Watchdog timeout (limit 30s)`; nothing was left",
)
def test_agent_hangs(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        signal_agent(deployed_host, "STOP")
        ended = bench.wait(45)
    assert ended.code == 3
    assert "the agent ended: Watchdog timeout" in ended.stderr or "the agent shows no sign of life" in ended.stderr
    until(lambda: left(deployed_host) == NOTHING, 20)


@fault(
    SECTION,
    done="the relay that SSH started killed with -9 under load",
    promised="the controller connects to the same agent again, and the cell is measured once",
    seen="`connection lost; reconnecting`, `connected again`; one cell, measured; exit code 0",
)
def test_relay_is_killed(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        assert run(deployed_host, f"pkill -KILL -nf '{RELAY}'")[0] == 0
        ended = bench.wait(60)
    assert ended.code == 0, ended.stderr
    assert "lab1: connection lost; reconnecting\nlab1: connected again\n" in ended.stderr
    assert [cell.status for cell in bench.cells()] == ["measured"]


@fault(
    SECTION,
    done="Ctrl-C under load",
    promised="the bench ends within a second, and leaves nothing",
    seen="0.2 s, exit code 130, nothing left",
)
def test_ctrl_c(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        bench.interrupt()
        ended = bench.wait(20)
    assert (ended.code, left(deployed_host)) == (130, NOTHING)
    assert ended.seconds < HEARD_SECONDS


@fault(
    SECTION,
    done="Ctrl-C while the agent hangs (kill -STOP)",
    promised="the bench ends within a second and says so; systemd ends the agent and what it started",
    seen="1.0 s, exit code 130; nothing left 30 s later",
)
def test_ctrl_c_while_the_agent_hangs(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        signal_agent(deployed_host, "STOP")
        bench.interrupt()
        ended = bench.wait(20)
    assert ended.code == 130
    assert ended.seconds < HEARD_SECONDS
    assert "lab1: cannot be told to end; its agent stops app and load generator by itself" in ended.stderr
    until(lambda: left(deployed_host) == NOTHING, 45)


@fault(
    SECTION,
    done="Ctrl-C, and Ctrl-C again, with every packet to the host dropped",
    promised="the bench ends within a second and says that the host could not be told; the next bench takes the host over",
    seen="1.0 s, exit code 130; at once after the second one; the next bench measured",
)
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_the_link_is_down(deployed: Clone, deployed_host: Host, times: int) -> None:
    with bench_under_load(deployed, deployed_host) as bench, link_down(deployed):
        time.sleep(2)
        for _ in range(times):
            bench.interrupt()
            time.sleep(0.2)
        ended = bench.wait(20)
    # The second one ends it by the signal itself.
    assert ended.code == (130 if times == 1 else -signal.SIGINT)
    assert ended.seconds < HEARD_SECONDS
    assert Bench(deployed, seconds=1).wait(60).code == 0
    assert left(deployed_host) == NOTHING


@fault(
    SECTION,
    done="the controller killed with -9 under load; then a new bench",
    promised="the agent waits for its controller; a newcomer waits for 5 s, ends it, and has the host for itself",
    seen="agent, app and load still there; the next bench waited for 3 s and measured its cell; nothing was left",
)
def test_controller_is_killed(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        bench.kill()
        assert "wrk" in left(deployed_host)
    ended = Bench(deployed, seconds=1).wait(60)
    assert ended.code == 0, ended.stderr
    assert left(deployed_host) == NOTHING


@pytest.mark.long
@fault(
    SECTION,
    done="the controller killed with -9 under load, and no new bench",
    promised="the agent lives for the time of a cell and a minute, then stops all by itself",
    seen="nothing was left about 160 s after the kill; a cell with a load of 8 s may take 69 s",
)
def test_nobody_comes_back(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        bench.kill()
    time.sleep(60)
    assert "benchrigd" in left(deployed_host)
    until(lambda: left(deployed_host) == NOTHING, 200)


TALKS = {
    "a line without end": (
        "while True: os.write(1, b'x' * 65536)",
        "it sent a line of more than 32 MB",
    ),
    "an answer of 50 MB": (
        """os.write(1, b'{"operation": "Hello"}\\n'); os.read(0, 65536)
    for _ in range(800): os.write(1, b'x' * 65536)
    os.write(1, b'\\n'); time.sleep(60)""",
        "it sent a line of more than 32 MB",
    ),
    "stderr without end": (
        "while True: os.write(2, b'x' * 65536)",
        "no answer for 20 s",
    ),
    "nonsense": (
        "os.write(1, b'[1, 2, {}]\\n'); time.sleep(60)",
        "the agent answers nonsense: value: expected a mapping, found a list",
    ),
    "nothing": (
        "time.sleep(60)",
        "no answer for 20 s",
    ),
}


@fault(
    SECTION,
    done="an agent that writes a line without end, answers 50 MB, floods stderr, talks nonsense, or says nothing",
    promised="a line that names the host and the reason, exit code 3, bounded memory, in bounded time",
    seen="0.5 to 22 s; the controller's resident memory stayed below 300 MB",
)
@pytest.mark.parametrize("what", TALKS)
def test_agent_talks_nonsense(deployed: Clone, tmp_path: Path, what: str) -> None:
    relay = deployed.root / "benchrig/agent/bench/front.py"
    before = relay.read_text()
    code, said = TALKS[what]
    relay.write_text(f"import os, time\n\n\ndef main() -> int:\n    {code}\n    return 0\n")
    try:
        began = time.monotonic()
        arguments = ("bench", "--only", "go-2000", "--duration", "1s", "--connections", "40")
        done = deployed.run([sys.executable, "-c", MEASURED, str(tmp_path / "peak"), "./inv", *arguments], timeout=100)
        took = time.monotonic() - began
    finally:
        relay.write_text(before)
    assert done.code == 3, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert took < 40
    assert int((tmp_path / "peak").read_text()) < 300_000
