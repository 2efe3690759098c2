"""What the threads of a load generator got of the CPU: read from the kernel while real wrk runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from benchrig.agent.bench.load import LoadRunner
from benchrig.agent.bench.protocol import LoadOutput
from benchrig.bench import records
from benchrig.results.audit.generator import _saturated
from benchrig.results.codes import Code
from benchrig.results.model import Generator
from benchrig.results.warnings import Warning, number
from tests.support.known import known_server
from tests.support.reports import GENERATOR, a_cell, a_run

pytestmark = pytest.mark.skipif(not shutil.which("wrk") or os.geteuid() != 0, reason="needs wrk and root")

IDLE = ""

BURN_IN_ONE = """
local count = 0
function setup(thread)
  count = count + 1
  thread:set("number", count)
end
function response()
  if number == 1 then
    local x = 0
    for i = 1, 300000 do x = x + math.sin(i) end
  end
end
"""
"""One thread works for milliseconds at each reply, as one that checks a large body does."""

BURN = BURN_IN_ONE.replace("number == 1", "true")


def _load(script: str, *options: str, server: tuple[str, ...] = (), core: int | None = None) -> LoadOutput:
    """Run wrk for two seconds with a script against a server of known behaviour; with `core`, both on that one."""
    words = () if core is None else ("taskset", "-c", str(core))
    with tempfile.TemporaryDirectory() as folder, known_server(*server) as known:
        # The load generator's user must reach its script.
        Path(folder).chmod(0o755)
        if core is not None:
            os.sched_setaffinity(known.process.pid, {core})
        command = (*words, "wrk", *options, "-d2s", "-s", "{script}", f"http://127.0.0.1:{known.port}/")
        return LoadRunner(Path(folder)).run(command, script, 30.0)


def _warnings(output: LoadOutput, threads: int) -> list[Warning]:
    generator = Generator(
        GENERATOR.command, 0, output.wall_seconds, output.cpu_seconds, threads=records.load_threads(output.threads)
    )
    return list(_saturated(a_cell(generator=generator, threads=threads, cores=4), a_run()))


def test_a_thread_that_waits_for_replies_is_not_saturated() -> None:
    output = _load(IDLE, "-t2", "-c10", server=("--rate=500",))
    assert len(output.threads) == 3
    assert _warnings(output, 2) == []


def test_one_saturated_thread_of_several_is_enough() -> None:
    output = _load(BURN_IN_ONE, "-t3", "-c30", server=("--latency=constant:0.0005",))
    busiest, second = output.threads[:2]
    assert second.sleeps > 10 * max(busiest.sleeps, 1)
    (warning,) = _warnings(output, 3)
    assert warning.code is Code.GENERATOR_SATURATED
    assert warning.invalid
    assert (warning.values["saturated"], warning.values["threads"]) == (number(1), number(3))


def test_a_thread_that_shares_its_core_with_the_server_is_saturated_although_it_never_has_all_of_it() -> None:
    output = _load(BURN, "-t1", "-c20", server=("--burn=0.002",), core=min(os.sched_getaffinity(0)))
    (thread, *_) = output.threads
    assert thread.cpu_seconds < 0.9 * thread.seconds
    (warning,) = _warnings(output, 1)
    assert (warning.code, warning.values["case"]) == (Code.GENERATOR_SATURATED, "waiting")


def test_a_light_thread_on_the_core_of_a_busy_server_is_not_saturated() -> None:
    output = _load(IDLE, "-t1", "-c20", server=("--burn=0.0005",), core=min(os.sched_getaffinity(0)))
    assert _warnings(output, 1) == []
