"""Watches an app's processes, the machine and the kernel's counters while the load runs.

What the kernel adds up by itself is read twice, before and after; only what has a peak is read in between. The sampler
counts its own CPU time, because it runs on the machine that is measured.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import cgroups, environment
from .memory import OomKills
from .protocol import CpuTimes, ServerLoad

INTERVAL_SECONDS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

CGROUP_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd"))
"""Where a unit's control group may lie: cgroup v2 alone; v2 beside v1; v1 alone."""


@dataclass(frozen=True)
class Counters:
    """What the kernel adds up: seconds of CPU, and events since boot."""

    machine: CpuTimes
    app_cpu: float
    listen_overflows: int
    listen_drops: int
    retransmits: int


class UnitProcesses:
    """The processes of a systemd unit, by its control group: also those that its main process started."""

    def __init__(self, control_group: str) -> None:
        folders = [root / control_group.lstrip("/") for root in CGROUP_ROOTS]
        self._procs = next((path for folder in folders if (path := folder / "cgroup.procs").exists()), None)
        self._cpu = next((path for folder in folders if (path := folder / "cpu.stat").exists()), None)
        self._seen: dict[int, float] = {}

    def pids(self) -> list[int]:
        """Return the processes that live now."""
        if self._procs is None:
            return []
        try:
            return [int(pid) for pid in self._procs.read_text().split()]
        except OSError:
            return []

    def started(self) -> dict[int, str]:
        """Return when each of those that live was started, in ticks: a number that is given again is another process."""
        return {pid: fields[21] for pid in self.pids() if (fields := _fields(f"/proc/{pid}/stat"))}

    def cpu_seconds(self) -> float:
        """Return the CPU time used by all of them so far, those that have ended included."""
        if self._cpu is not None:
            try:
                return int(self._cpu.read_text().split()[1]) / 1e6
            except OSError:
                return 0.0
        # Without cgroup v2 the last figure seen of a process that has ended stands for it.
        for pid in self.pids():
            fields = _fields(f"/proc/{pid}/stat")
            if fields:
                self._seen[pid] = (int(fields[13]) + int(fields[14])) / TICKS
        return sum(self._seen.values())

    def resident_bytes(self) -> tuple[int, int]:
        """Return the resident memory of those that live, together, and how many they are."""
        pages = [int(fields[1]) for pid in self.pids() if (fields := _fields(f"/proc/{pid}/statm"))]
        return sum(pages) * PAGE, len(pages)


def _fields(path: str) -> list[str]:
    """Return the words of a file in /proc, the program's name as one word; none when the process has ended."""
    try:
        text = Path(path).read_text()
    except OSError:
        return []
    head, _, tail = text.rpartition(")")
    return [*head.partition(" ")[::2], *tail.split()] if head else text.split()


def _table(path: str, group: str) -> dict[str, int]:
    """Read one group of /proc/net/snmp or netstat: a line of names, then a line of values."""
    lines = [line.split() for line in Path(path).read_text().splitlines() if line.startswith(f"{group}:")]
    return {name: int(value) for name, value in zip(lines[0][1:], lines[1][1:], strict=False)}


def _time_wait() -> int:
    words = next(line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")).split()
    return int(words[words.index("tw") + 1])


def read_cpu_times(pids: Iterable[int | str] = ("self",)) -> CpuTimes:
    """Read what the CPUs of this machine have done since it started; in a container, those of the whole computer.

    How long programs were held up by quotas is read of the control groups of `pids`.
    """
    with Path("/proc/stat").open() as stat:
        cpu = [int(word) / TICKS for word in stat.readline().split()[1:9]]
    return CpuTimes(
        time.monotonic(),
        sum(cpu),
        idle=cpu[3] + cpu[4],
        steal=cpu[7],
        interrupts=cpu[5] + cpu[6],
        waited={name: seconds for name, (_, seconds) in environment.pressure().items()},
        throttled=cgroups.throttled(pids),
    )


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


class Sampler:
    """Samples in a thread of its own from `start` to `stop`."""

    def __init__(self, control_group: str) -> None:
        self._processes = UnitProcesses(control_group)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
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
            sampler_cpu_seconds=round(self._cpu + time.thread_time() - began, 5),
            pressure=machine.pressure,
            throttled=machine.throttled,
        )

    def _run(self) -> None:
        began = time.thread_time()
        while True:
            memory, count = self._processes.resident_bytes()
            self._memory, self._count = max(self._memory, memory), max(self._count, count)
            self._time_wait = max(self._time_wait, _time_wait())
            self._samples += 1
            if self._ended.wait(INTERVAL_SECONDS):
                break
        self._cpu += time.thread_time() - began
