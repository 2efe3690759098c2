"""Latency as measured, by the real wrk against a server that logs its own; stalls, silence, and the end of a run."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType

import pytest

from benchrig.bench.generators.base import Shape
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.generators.wrk.output import MARKER, PERCENTILES, read_load
from benchrig.bench.traffic import Script, Traffic
from benchrig.report.metrics.latency import LATENCY
from benchrig.report.sentences import sentence
from benchrig.results.codes import Code
from benchrig.results.histogram import decode, merged
from benchrig.results.model import Load
from tests.support.audits import a_sound_cell, found
from tests.support.servers.timed import timed
from tests.support.wrk import route, user_script

OVERHEAD_US = 20_000
"""What loopback and a busy machine may add to the time that the server logs: an eighth of what the correction adds here."""

STEADY_US = 50_000
"""A server that was never late by more did not stall."""

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def run(
    folder: Path,
    port: int,
    shape: Shape,
    changes: Mapping[str, str] = MappingProxyType({}),
    script: Script | None = None,
) -> str:
    """Return what the real wrk prints, with changes made to our script, and with a user's script."""
    text = WRK.script(Traffic((route(),), script=script), {"film": ("ok",)})
    for there, instead in changes.items():
        assert there in text
        text = text.replace(there, instead)
    ours = folder / "script.lua"
    ours.write_text(text)
    command = [word.replace("{script}", str(ours)) for word in WRK.command(shape, f"http://127.0.0.1:{port}/")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def exponential() -> Callable[[], float]:
    random = Random(7)
    return lambda: random.expovariate(1 / 0.2)


def bimodal() -> Callable[[], float]:
    random = Random(7)
    return lambda: random.choice((0.05, 0.4))


def rarely_slow() -> Callable[[], float]:
    """Slow replies that hold up nobody else: 4 in 1,000, evenly spread, so that each run has some."""
    count = 0

    def wait() -> float:
        nonlocal count
        count += 1
        return 3.0 if count % 250 == 20 else 0.1

    return wait


@dataclass(frozen=True)
class Loaded:
    """What wrk says of a load, and the server's own log of it."""

    load: Load
    services: Sequence[float]
    overhead_us: float

    def service(self, percent: float) -> float:
        """Return the service time in microseconds that `percent` of the requests are below."""
        rank = math.floor(min(max(percent, 0), 100) / 100 * len(self.services))
        return self.services[min(rank, len(self.services) - 1)]

    def assert_close(self, latency_us: float, percent: float, resolution: float = 0.0) -> None:
        """See that a latency is the logged time and what the way adds. wrk reads not all replies, so ranks differ."""
        around = 100 * 12 / len(self.services)
        low, high = self.service(percent - around), self.service(percent + around) + self.overhead_us
        assert (1 - resolution) * low <= latency_us + 1 <= (1 + resolution) * high, f"p{percent:g}"


def loaded(folder: Path, wait: Callable[[], Callable[[], float]], duration: float) -> Loaded:
    """Put a load on a server, once more where the machine was so busy that the server's log says little."""
    for _ in range(2):
        with timed(wait()) as server:
            load = read_load(run(folder, server.port, Shape(2, 60, duration, 10.0)))
        if server.lag_us < OVERHEAD_US:
            break
    return Loaded(load, sorted(server.services_us), OVERHEAD_US + 2 * server.lag_us)


WAITS = {"exponential": (exponential, 3.0), "bimodal": (bimodal, 3.0), "rarely slow": (rarely_slow, 6.0)}


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Loaded]:
    return {name: loaded(tmp_path_factory.mktemp("load"), *of) for name, of in WAITS.items()}


@pytest.mark.parametrize("name", WAITS)
def test_every_percentile_is_what_the_server_logged(name: str, loads: Mapping[str, Loaded]) -> None:
    found = loads[name]
    measured, services = found.load.measured, found.services
    assert measured is not None
    assert abs(len(services) - found.load.requests) <= 60
    for percent in PERCENTILES:
        found.assert_close(measured.percentiles_us[percent], float(percent))
    found.assert_close(measured.max_us, 100)
    mean = sum(services) / len(services)
    assert 0.99 * mean <= measured.mean_us <= 1.01 * mean + found.overhead_us
    histogram = decode(found.load.histogram)
    assert histogram.count == found.load.requests
    for percent in PERCENTILES:
        assert histogram.percentile(float(percent)) == pytest.approx(measured.percentiles_us[percent], rel=1 / 128)


def test_slow_replies_that_hold_up_nobody_are_not_in_p99_as_they_are_in_wrks(loads: Mapping[str, Loaded]) -> None:
    load = loads["rarely slow"].load
    assert load.measured is not None
    assert load.latency.percentiles_us["99"] > 2 * load.measured.percentiles_us["99"]
    assert load.latency.max_us == load.measured.max_us > 3_000_000


def test_percentiles_of_several_runs_are_those_of_all_their_requests(loads: Mapping[str, Loaded]) -> None:
    runs = [loads["exponential"], loads["bimodal"]]
    together = merged(decode(one.load.histogram) for one in runs)
    every = Loaded(
        runs[0].load, sorted(value for one in runs for value in one.services), max(one.overhead_us for one in runs)
    )
    assert together.count == sum(one.load.requests for one in runs)
    for percent in PERCENTILES:
        every.assert_close(together.percentile(float(percent)), float(percent), resolution=1 / 128)


def test_the_correction_is_undone_to_the_last_reply(tmp_path: Path) -> None:
    """wrk's own algorithm, applied to what was measured, gives the figures that wrk printed."""
    with timed(exponential()) as server:
        # Bins of a microsecond, to have every value.
        text = run(tmp_path, server.port, Shape(2, 20, 2.0, 10.0), {"exponent - 8": "0"})
    found = json.loads(text.rpartition(MARKER)[2])
    steps, counts = found["bins"][::2], found["bins"][1::2]
    values = dict(zip(itertools.accumulate(steps), counts, strict=True))
    interval = found["duration_us"] // (found["requests"] // 20)
    corrected = Counter(values)
    for value, count in values.items():
        for added in range(value - interval, interval, -interval):
            corrected[added] += count
    total = corrected.total()
    assert total > sum(counts) == found["requests"]
    assert sum(value * count for value, count in corrected.items()) / total == pytest.approx(found["latency"]["mean_us"])
    ordered = sorted(corrected.elements())
    for name in PERCENTILES:
        assert ordered[min(math.floor(float(name) / 100 * total), total - 1)] == found["latency"]["percentiles_us"][name]


def test_with_fewer_requests_than_connections_nothing_is_corrected(tmp_path: Path) -> None:
    with timed(itertools.chain(itertools.repeat(0.3, 15), itertools.repeat(-1.0)).__next__) as server:
        load = read_load(run(tmp_path, server.port, Shape(2, 20, 1.0, 10.0)))
    assert load.requests == 15
    assert load.measured == load.latency


def warned(load: Load, shape: Shape) -> Mapping[Code, str]:
    """Return the sentences of a cell with this load, as far as they are about its latencies and its silence."""
    cell = a_sound_cell(
        load=load,
        connections=shape.connections,
        duration_seconds=shape.duration_seconds,
        timeout_seconds=shape.timeout_seconds,
        sleep_seconds=0.0,
    )
    codes = {Code.CUT_BY_END, Code.STALLED, Code.SILENT}
    return {code: sentence(warning) for code, warning in found(cell).items() if code in codes}


def settled(
    folder: Path, shape: Shape, wait: Callable[[], Callable[[], float]], stops: Callable[[], float] = lambda: 0.0
) -> tuple[Load, bool]:
    """Put a load on a server, up to three times where a busy machine made it late; return it, and whether it was in time."""
    for _ in range(3):
        with timed(wait(), stops) as server:
            load = read_load(run(folder, server.port, shape))
        if steady := server.lag_us < STEADY_US:
            break
    return load, steady


def seldom_slow() -> Callable[[], float]:
    """So few slow replies that most connections have none under way: the server neither stalls nor falls silent."""
    return itertools.cycle((0.02,) * 20 + (2.0,) + (0.02,) * 400).__next__


def test_a_run_that_ends_before_slow_replies_do_says_so(tmp_path: Path) -> None:
    shape = Shape(2, 20, 3.0, 10.0)
    load, steady = settled(tmp_path, shape, seldom_slow)
    told = warned(load, shape)
    assert "none can be counted as late by the timeout of 10 s" in told[Code.CUT_BY_END]
    assert told.keys() == {Code.CUT_BY_END} or not steady


def test_a_server_that_stops_for_half_a_second_at_a_time_stalls(tmp_path: Path) -> None:
    shape = Shape(2, 20, 4.0, 3.0)
    load, steady = settled(tmp_path, shape, lambda: lambda: 0.02, itertools.cycle((0.0,) * 100 + (0.5,)).__next__)
    if not steady:
        pytest.skip("the machine is so busy that a server on it stalls by itself")
    # It answered in a little more than half of the time; a sample in which it began again counts as a slow one.
    assert load.stall_factor is not None
    assert 1.2 < load.stall_factor < 2
    assert warned(load, shape).keys() == {Code.STALLED}


def test_a_server_that_no_longer_answers_is_told_with_the_time_since_its_last_reply(tmp_path: Path) -> None:
    shape = Shape(2, 20, 3.0, 2.0)
    ends: list[float] = []

    def wait() -> float:
        ends.append(time.monotonic()) if not ends else None
        return 0.01 if time.monotonic() - ends[0] < 1.5 else -1.0

    with timed(wait) as server:
        load = read_load(run(tmp_path, server.port, shape))
    assert load.silent_us == pytest.approx(1_500_000, abs=400_000)
    assert "No reply came on any connection for 1." in warned(load, shape)[Code.SILENT]


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1])
def test_a_steady_server_is_told_nothing(seconds: float, tmp_path: Path) -> None:
    shape = Shape(2, 20, 2.0, 1.0)
    load, steady = settled(tmp_path, shape, lambda: lambda: seconds)
    assert sum(load.thread_requests) == load.requests
    if not steady:
        pytest.skip("the machine is so busy that no server on it is steady")
    assert warned(load, shape) == {}


@pytest.mark.parametrize("damage", ["error('no')", "ffi = nil"])
def test_where_wrk_cannot_be_looked_into_there_is_no_measured_latency(damage: str, tmp_path: Path) -> None:
    with timed(lambda: 0.01) as server:
        load = read_load(run(tmp_path, server.port, Shape(1, 4, 1.0, 2.0), {'local ffi = require("ffi")': damage}))
    assert load.requests > 0
    assert (load.measured, load.histogram, load.stall_factor, load.silent_us) == (None, "", None, None)


@pytest.mark.parametrize(
    ("there", "becomes"),
    [
        ("uint64_t count, limit,", "uint64_t limit, count,"),
        ("min, max, data", "max, min, data"),
        ("data[]", "other, data[]"),
    ],
)
def test_a_histogram_of_another_structure_is_left_out(there: str, becomes: str, tmp_path: Path) -> None:
    with timed(lambda: 0.01) as server:
        load = read_load(run(tmp_path, server.port, Shape(1, 4, 1.0, 2.0), {there: becomes}))
    assert load.requests == sum(load.thread_requests) > 0
    assert (load.measured, load.histogram) == (None, "")


def test_counts_of_another_structure_are_left_out(tmp_path: Path) -> None:
    with timed(lambda: 0.01) as server:
        load = read_load(
            run(tmp_path, server.port, Shape(1, 4, 1.0, 2.0), {"connections, complete": "complete, connections"})
        )
    assert load.requests > 0
    assert (load.thread_requests, load.measured) == ((), None)


def test_a_users_script_has_wrks_own_figures_and_its_own_declarations(tmp_path: Path) -> None:
    """Its `done` comes before ours takes the correction out, and both may declare the same function of C."""
    text = """
        local ffi = require("ffi")
        ffi.cdef[[int gettimeofday(void *now, void *zone);]]
        function done(summary, latency) print(string.format("theirs: %.3f", latency.mean)) end
    """
    with timed(itertools.cycle((0.02,) * 19 + (0.5,)).__next__) as server:
        output = run(tmp_path, server.port, Shape(2, 20, 2.0, 10.0), script=user_script(text))
    load = read_load(output)
    assert load.measured is not None
    assert f"theirs: {load.latency.mean_us:.3f}" in output
    assert load.latency.mean_us > load.measured.mean_us


def test_a_users_done_that_takes_long_is_no_silence(tmp_path: Path) -> None:
    text = "function done() local began = os.clock() while os.clock() - began < 2 do end end"
    shape = Shape(2, 20, 1.0, 2.0)
    with timed(lambda: 0.02) as server:
        load = read_load(run(tmp_path, server.port, shape, script=user_script(text)))
    assert load.silent_us is not None
    assert load.silent_us < 500_000
    assert Code.SILENT not in warned(load, shape)


@pytest.mark.parametrize("depth", [3, 10])
def test_pipelined_requests_have_one_latency_for_each_batch(depth: int, tmp_path: Path) -> None:
    text = f'function request() return string.rep(wrk.format("GET", "/"), {depth}) end'
    shape = Shape(2, 20, 1.0, 10.0)
    with timed(lambda: 0.01) as server:
        server.reply *= depth
        load = read_load(run(tmp_path, server.port, shape, script=user_script(text)))
    assert load.measured is not None
    assert load.depth == depth
    assert decode(load.histogram).count == load.requests // depth
    assert load.measured.mean_us >= 10_000
    # wrk corrects as if each reply had been waited for, and adds latencies below the fastest.
    assert load.latency.mean_us < load.latency.min_us
    cell = a_sound_cell(load=load, connections=shape.connections, duration_seconds=1.0, sleep_seconds=0.0)
    assert Code.LATENCY_IMPOSSIBLE not in found(cell)
    values = {metric.name: metric.read(cell) for metric in LATENCY}
    assert {name for name, value in values.items() if value is None} == {
        name for name in values if name.startswith("latency_corrected")
    }
