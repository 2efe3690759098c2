"""The series of a load: counters of the kernel and of the app's processes, read again and again in short intervals.

Every file is opened once and kept open, because opening one costs more than reading it.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from .processes import PAGE, UnitProcesses
from .protocol import MOST_SAMPLES, Series

IDLE_SECONDS = 0.02
"""Between two readings until the load begins: so late its beginning may be noticed."""

INTERVAL_SECONDS = 0.1
"""Between two readings under load: 50 in a load of 5 s. It is doubled whenever MOST_SAMPLES are reached."""


HELD_SECONDS = 4.5 * INTERVAL_SECONDS
"""Between two readings of what is held, which costs a file for each process; in between, the last one stands.

Half an interval less than five: otherwise the fifth would often come just too early, and the sixth would be the one."""


@dataclass(frozen=True)
class Reading:
    """What one reading found: counts since boot, and what is held at the moment."""

    at: float
    segments: int
    opened: int
    app_cpu_seconds: float
    memory_bytes: int
    processes: int
    time_wait: int


class KeptFile:
    """A file of `/proc` or `/sys` that is kept open and read again from its start. Raises OSError as `open` does."""

    def __init__(self, path: str | Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> bytes:
        """Return what it has now. Raises OSError when what it describes is gone."""
        return os.pread(self._descriptor, 1 << 16, 0)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


class KernelCounter:
    """One counter of `/proc/net/snmp` or `netstat`: a line of names, then a line of values."""

    def __init__(self, path: str, group: bytes, name: bytes) -> None:
        self._file = KeptFile(path)
        self._start = b"\n" + group + b": "
        names = next(line for line in self._file.read().splitlines() if line.startswith(self._start[1:]))
        self._index = names.split().index(name)

    def read(self) -> int:
        """Return its value."""
        text = self._file.read()
        return int(text[text.rindex(self._start) :].split(None, self._index + 1)[self._index])

    def close(self) -> None:
        """Close its file."""
        self._file.close()


class Watch:
    """Reads the counters of this machine and of a unit's processes."""

    def __init__(self, processes: UnitProcesses) -> None:
        self._processes = processes
        # New data only: handshakes, acknowledgements and what the end of the connections costs are no work of the app.
        self._segments = KernelCounter("/proc/net/netstat", b"TcpExt", b"TCPOrigDataSent")
        self._opened = KernelCounter("/proc/net/snmp", b"Tcp", b"PassiveOpens")
        self._sockets = KeptFile("/proc/net/sockstat")
        self._group = KeptFile(processes.procs) if processes.procs else None
        self._cpu = KeptFile(processes.cpu) if processes.cpu else None
        self._memory: dict[int, KeptFile] = {}
        self._cpu_seconds = 0.0
        self._held_at = -HELD_SECONDS
        self._held = 0, 0, 0

    def read(self) -> Reading:
        """Read everything now; what is held, if it was not read of late."""
        now = time.monotonic()
        segments, opened, cpu = self._segments.read(), self._opened.read(), self._app_cpu()
        if now - self._held_at >= HELD_SECONDS:
            self._held_at, self._held = now, (*self._resident(), _time_wait(self._sockets.read()))
        memory, count, time_wait = self._held
        return Reading(now, segments, opened, cpu, memory, count, time_wait)

    def close(self) -> None:
        """Close all files."""
        for file in (self._segments, self._opened, self._sockets, self._group, self._cpu, *self._memory.values()):
            if file is not None:
                file.close()

    def _app_cpu(self) -> float:
        if self._cpu is None:
            return self._processes.cpu_seconds()
        with contextlib.suppress(OSError):
            self._cpu_seconds = int(self._cpu.read().split(None, 2)[1]) / 1e6
        return self._cpu_seconds

    def _resident(self) -> tuple[int, int]:
        """Return the resident memory in bytes of the processes that live, together, and how many they are."""
        if self._group is None:
            return 0, 0
        pids = []
        with contextlib.suppress(OSError):
            pids = [int(pid) for pid in self._group.read().split()]
        pages, count = 0, 0
        for pid in pids:
            try:
                if pid not in self._memory:
                    self._memory[pid] = KeptFile(f"/proc/{pid}/statm")
                pages += int(self._memory[pid].read().split(None, 2)[1])
                count += 1
            except (OSError, IndexError):
                # It has ended. Another process may be given its number.
                if ended := self._memory.pop(pid, None):
                    ended.close()
        return pages * PAGE, count


class SeriesRecorder:
    """Keeps the differences between readings from the load's beginning on, and no more than MOST_SAMPLES of them."""

    def __init__(self, first: Reading) -> None:
        self._base = self._last = first
        self._rows: list[tuple[float, int, int, float, int]] = []
        self.interval_seconds = INTERVAL_SECONDS

    @property
    def wait_seconds(self) -> float:
        """How long to wait for the next reading."""
        return self.interval_seconds if self._rows else IDLE_SECONDS

    @property
    def so_far(self) -> tuple[float, int, int]:
        """The seconds, segments and opened connections from the load's beginning to the last reading."""
        if not self._rows:
            return 0.0, 0, 0
        base, last = self._base, self._last
        return round(last.at - base.at, 4), last.segments - base.segments, last.opened - base.opened

    def take(self, now: Reading) -> None:
        """Take in a reading. Until the first connection is opened, it only moves the beginning."""
        last, self._last = self._last, now
        if not self._rows and now.opened == last.opened:
            self._base = now
            return
        cpu = round(now.app_cpu_seconds - last.app_cpu_seconds, 4)
        end = round(now.at - self._base.at, 4)
        self._rows.append((end, now.segments - last.segments, now.opened - last.opened, cpu, now.memory_bytes))
        if len(self._rows) == MOST_SAMPLES:
            self._rows = [_joined(*pair) for pair in zip(self._rows[::2], self._rows[1::2], strict=True)]
            self.interval_seconds *= 2

    def series(self) -> Series:
        """Return what was kept."""
        return Series(*zip(*self._rows, strict=True)) if self._rows else Series()


def _joined(
    one: tuple[float, int, int, float, int], next_one: tuple[float, int, int, float, int]
) -> tuple[float, int, int, float, int]:
    """Return two intervals as one."""
    end, segments, opened, cpu, memory = next_one
    return end, one[1] + segments, one[2] + opened, round(one[3] + cpu, 4), memory


def _time_wait(sockstat: bytes) -> int:
    words = sockstat[sockstat.index(b"\nTCP:") :].split(None, 7)
    return int(words[words.index(b"tw") + 1])
