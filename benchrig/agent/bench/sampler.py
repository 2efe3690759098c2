"""Watches an app's processes, the machine and the kernel's counters while the load runs.

What the kernel adds up by itself is read twice, before and after; what has a peak or a course is read in between. The
sampler counts its own CPU time, because it runs on the machine that is measured.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from . import cgroups, environment
from .memory import OomKills
from .processes import TICKS, UnitProcesses
from .protocol import CpuTimes, News, Sent, ServerLoad
from .series import KernelCounter, SeriesRecorder, Watch

NEWS_SECONDS = 1.0
"""Between two tellings of what was counted so far."""


@dataclass(frozen=True)
class Counters:
    """What the kernel adds up: seconds of CPU, and events since boot."""

    machine: CpuTimes
    app_cpu: float
    listen_overflows: int
    listen_drops: int
    retransmits: int


def _table(path: str, group: str) -> dict[str, int]:
    """Read one group of /proc/net/snmp or netstat: a line of names, then a line of values."""
    lines = [line.split() for line in Path(path).read_text().splitlines() if line.startswith(f"{group}:")]
    return {name: int(value) for name, value in zip(lines[0][1:], lines[1][1:], strict=False)}


def read_cpu_times(pids: Iterable[int | str] = ("self",)) -> CpuTimes:
    """Read what the CPUs of this machine have done since it started; in a container, those of the whole computer.

    How long programs were held up by quotas is read of the control groups of `pids`.
    """
    return replace(
        _machine_times(),
        waited={name: seconds for name, (_, seconds) in environment.pressure().items()},
        throttled=cgroups.throttled(pids),
    )


def _machine_times() -> CpuTimes:
    """Read what the CPUs have done, and nothing of who waited for them."""
    with Path("/proc/stat").open() as stat:
        cpu = [int(word) / TICKS for word in stat.readline().split()[1:9]]
    return CpuTimes(time.monotonic(), sum(cpu), idle=cpu[3] + cpu[4], steal=cpu[7], interrupts=cpu[5] + cpu[6])


def read_counters(processes: UnitProcesses) -> Counters:
    """Read everything that is added up."""
    extended = _table("/proc/net/netstat", "TcpExt")
    return Counters(
        machine=read_cpu_times(("self", *processes.pids()[:1])),
        app_cpu=processes.cpu_seconds(),
        listen_overflows=extended["ListenOverflows"],
        listen_drops=extended["ListenDrops"],
        retransmits=_table("/proc/net/snmp", "Tcp")["RetransSegs"],
    )


def read_sent() -> Sent:
    """Read what this machine has sent, and how often somebody connected to it."""
    return Sent(
        _table("/proc/net/netstat", "TcpExt")["TCPOrigDataSent"],
        _table("/proc/net/snmp", "Tcp")["PassiveOpens"],
    )


class Sampler:
    """Samples in a thread of its own from `start` to `stop`."""

    news: News | None = None
    """What was counted so far, each second another value; None in the first one."""

    def __init__(self, control_group: str) -> None:
        self._processes = UnitProcesses(control_group)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._watch = Watch(self._processes)
        first = self._watch.read()
        self.sent = Sent(first.segments, first.opened)
        """What the machine had sent before."""
        self._series = SeriesRecorder(first)
        self._overflows = KernelCounter("/proc/net/netstat", b"TcpExt", b"ListenOverflows")
        self._retransmits = KernelCounter("/proc/net/snmp", b"Tcp", b"RetransSegs")
        self._memory = 0
        self._count = 0
        self._time_wait = 0
        self._samples = 0
        self._cpu = 0.0

    def start(self) -> None:
        """Read the counters and begin."""
        began = time.thread_time()
        self._started = self._processes.started()
        self._oom_kills = OomKills(self._started)
        self._before = read_counters(self._processes)
        self._cpu = time.thread_time() - began
        self._thread.start()

    def stop(self) -> ServerLoad:
        """End, and return what was seen since `start`."""
        began = time.thread_time()
        after = read_counters(self._processes)
        started = self._processes.started()
        ended = sum(started.get(pid) != at for pid, at in self._started.items())
        self._ended.set()
        self._thread.join()
        self._series.take(self._watch.read())
        for file in (self._watch, self._overflows, self._retransmits):
            file.close()
        with Path("/proc/loadavg").open() as loadavg:
            load_average = float(loadavg.read().split()[0])
        before = self._before
        oom_kills, on_machine = self._oom_kills.count()
        machine = after.machine.since(before.machine)
        return ServerLoad(
            seconds=machine.seconds,
            cpu_percent=round(100 * (after.app_cpu - before.app_cpu) / (after.machine.at - before.machine.at), 1),
            memory_peak_bytes=self._memory,
            processes=self._count,
            load_average=load_average,
            machine_idle_percent=machine.idle_percent,
            machine_steal_percent=machine.steal_percent,
            machine_interrupt_percent=machine.interrupt_percent,
            listen_overflows=after.listen_overflows - before.listen_overflows,
            listen_drops=after.listen_drops - before.listen_drops,
            retransmits=after.retransmits - before.retransmits,
            time_wait_peak=self._time_wait,
            samples=self._samples,
            ended=ended,
            replaced=min(ended, len(started.items() - self._started.items())),
            oom_kills=oom_kills,
            oom_on_machine=on_machine,
            memory_limit_bytes=self._oom_kills.limit_bytes(),
            series=self._series.series(),
            sampler_cpu_seconds=round(self._cpu + time.thread_time() - began, 5),
            pressure=machine.pressure,
            throttled=machine.throttled,
        )

    def _run(self) -> None:
        began = time.thread_time()
        due = time.monotonic()
        next_news = due + NEWS_SECONDS
        while True:
            reading = self._watch.read()
            self._series.take(reading)
            self._memory, self._count = max(self._memory, reading.memory_bytes), max(self._count, reading.processes)
            self._time_wait = max(self._time_wait, reading.time_wait)
            self._samples += 1
            if reading.at >= next_news:
                # Whatever goes wrong with it, the measurement goes on.
                with contextlib.suppress(OSError, ValueError, LookupError):
                    self.news = self._news()
                next_news = reading.at + NEWS_SECONDS
            # From a fixed time on: the time that a reading takes does not make the intervals longer.
            due = max(due + self._series.wait_seconds, reading.at + self._series.wait_seconds / 2)
            if self._ended.wait(due - time.monotonic()):
                break
        self._cpu += time.thread_time() - began

    def _news(self) -> News:
        machine = _machine_times().since(self._before.machine)
        return News(
            *self._series.so_far,
            listen_overflows=self._overflows.read() - self._before.listen_overflows,
            retransmits=self._retransmits.read() - self._before.retransmits,
            idle_percent=machine.idle_percent,
            steal_percent=machine.steal_percent,
        )
