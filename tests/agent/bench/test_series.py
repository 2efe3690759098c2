"""The series of a load: it begins with the first connection, has every count once, and never grows beyond its bound."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from benchrig.agent import spec
from benchrig.agent.bench import processes, protocol
from benchrig.agent.bench.series import IDLE_SECONDS, INTERVAL_SECONDS, KernelCounter, Reading, SeriesRecorder, Watch
from benchrig.bench import answers, records
from benchrig.results.model import Series


def reading(number: int, opened: int = 1) -> Reading:
    return Reading(0.1 * number, 100 * number, opened, 0.05 * number, 1000 + number, 1, 0)


def recorded(count: int) -> SeriesRecorder:
    """Return a recorder that was read for so many tenths of a second, as often as it asked."""
    recorder = SeriesRecorder(reading(0, opened=0))
    number = 0
    while number < count:
        number = min(count, number + round(recorder.interval_seconds / INTERVAL_SECONDS))
        recorder.take(reading(number))
    return recorder


def test_a_series_begins_with_the_last_reading_before_a_connection() -> None:
    recorder = SeriesRecorder(reading(0, opened=5))
    assert recorder.wait_seconds == IDLE_SECONDS
    for number in (1, 2):
        recorder.take(reading(number, opened=5))
    assert recorder.series() == protocol.Series()
    recorder.take(reading(3, opened=8))
    recorder.take(reading(4, opened=8))
    assert recorder.wait_seconds == INTERVAL_SECONDS
    assert recorder.series() == protocol.Series((0.1, 0.2), (100, 100), (3, 0), (0.05, 0.05), (1003, 1004))


def test_what_was_counted_so_far_is_that_since_the_load_began() -> None:
    recorder = SeriesRecorder(reading(0, opened=5))
    recorder.take(reading(1, opened=5))
    assert recorder.so_far == (0.0, 0, 0)
    recorder.take(reading(2, opened=8))
    recorder.take(reading(5, opened=9))
    assert recorder.so_far == (0.4, 400, 4)
    assert recorded(3_000).so_far == (pytest.approx(300.0), 300_000, 1)


@pytest.mark.parametrize(("count", "times"), [(1, 1), (639, 1), (640, 2), (641, 2), (1_500, 4), (6_000, 16)])
def test_a_long_series_is_thinned_and_loses_no_count(count: int, times: int) -> None:
    recorder = recorded(count)
    series = recorder.series()
    assert len(series.end_seconds) < protocol.MOST_SAMPLES
    assert len({len(values) for values in vars(series).values()}) == 1
    assert sum(series.segments) == 100 * count
    assert sum(series.app_cpu_seconds) == pytest.approx(0.05 * count)
    assert (series.end_seconds[-1], series.memory_bytes[-1]) == (pytest.approx(0.1 * count), 1000 + count)
    assert list(series.end_seconds) == sorted(set(series.end_seconds))
    assert recorder.interval_seconds == INTERVAL_SECONDS * times


def test_the_kernel_counts_data_and_connections_and_nothing_else() -> None:
    segments = KernelCounter("/proc/net/netstat", b"TcpExt", b"TCPOrigDataSent")
    opened = KernelCounter("/proc/net/snmp", b"Tcp", b"PassiveOpens")
    before = segments.read(), opened.read()
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        for _ in range(200):
            client.sendall(b"x")
    seen = segments.read() - before[0], opened.read() - before[1]
    segments.close()
    opened.close()
    # Other programs on this machine may send, too.
    assert 1 <= seen[0] < 10_000
    assert 1 <= seen[1] < 1_000


def test_what_is_read_of_processes_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CGROUP_ROOTS", (tmp_path,))
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n4194304\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    watch = Watch(processes.UnitProcesses("/"))
    seen = watch.read()
    watch.close()
    assert (seen.processes, seen.app_cpu_seconds) == (1, 1.5)
    assert 1 << 20 < seen.memory_bytes < 1 << 32


def test_a_series_arrives_whole_and_a_longer_one_is_cut() -> None:
    sent = recorded(639).series()
    answer = dict.fromkeys(("seconds", "cpu_percent", "memory_peak_bytes", "processes", "load_average"), 1)
    answer |= {f"machine_{name}_percent": 1 for name in ("idle", "steal", "interrupt")}
    answer |= dict.fromkeys(("listen_overflows", "listen_drops", "retransmits", "time_wait_peak", "samples"), 1)
    fields = {name: list(values) for name, values in vars(sent).items()}
    whole = {**answer, "sampler_cpu_seconds": 0.1, "series": fields}
    read = answers.read(protocol.StopSampling(), whole)
    assert read.series == sent
    assert vars(records.stored(Series, read.series)) == vars(sent)
    lying = {**whole, "series": {**fields, "segments": list(range(10**5))}}
    assert len(answers.read(protocol.StopSampling(), lying).series.segments) == protocol.MOST_SAMPLES


@pytest.mark.parametrize("value", ["1", True, None, 2**70])
def test_a_list_of_numbers_is_checked_one_by_one_where_one_is_none(value: object) -> None:
    data = {"segments": [1, 2, value]}
    if value == "1":
        assert spec.build(protocol.Series, data).segments == (1, 2, 1)
        return
    with pytest.raises(spec.SpecError):
        spec.build(protocol.Series, data)


def test_what_is_held_is_read_at_each_fifth_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that comes a little early or late must not put it off to the sixth."""
    monkeypatch.setattr(processes, "CGROUP_ROOTS", (tmp_path,))
    watch = Watch(processes.UnitProcesses("/"))
    reads: list[int] = []
    ticks = [INTERVAL_SECONDS * i + (0.004 if i % 3 else -0.004) for i in range(51)]
    monkeypatch.setattr(watch, "_resident", lambda: (reads.append(len(reads)), (0, 0))[1])
    for number, at in enumerate(ticks):
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda at=at: 100 + at)
            watch.read()
        assert len(reads) == number // 5 + 1
    watch.close()
