"""Reads what each thread of a load generator got of the CPU, and how long it waited for it.

One thread may need a whole core while the others rest, and then the process as a whole looks idle. A thread that shares its
core with the app can never use all of it; but it waits for its turn, and the kernel counts that too.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .facts import read
from .protocol import LoadThread

INTERVALS_SECONDS = (0.25, 0.25, 0.25, 0.25)
"""Between the first readings. Threads are gone when their process has ended: the last reading before it counts."""

LATER_SECONDS = 0.5
"""Between those of a longer run: five threads then cost 0.2 % of a core."""

MOST_THREADS = 64
"""As many are told of: those that wanted most."""


@dataclass(frozen=True)
class _Reading:
    """What the kernel has added up for a thread: nanoseconds on a CPU and in the run queue, and how often it slept."""

    at: float
    ran: int
    waited: int
    sleeps: int


class ThreadWatch:
    """Reads the threads of a process again and again, in a thread of its own, from `start` to `stop`."""

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._first: dict[str, _Reading] = {}
        self._last: dict[str, _Reading] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> tuple[LoadThread, ...]:
        """End, and return what each thread did between its first and last reading; none where the kernel does not count."""
        self._ended.set()
        self._thread.join()
        found = []
        for name, first in self._first.items():
            last = self._last[name]
            if last.at > first.at:
                ran, waited = (last.ran - first.ran) / 1e9, (last.waited - first.waited) / 1e9
                seconds = round(last.at - first.at, 3)
                found.append(LoadThread(seconds, round(ran, 3), round(waited, 3), last.sleeps - first.sleeps))
        found.sort(key=lambda one: one.cpu_seconds + one.wait_seconds, reverse=True)
        return tuple(found[:MOST_THREADS])

    def _run(self) -> None:
        intervals = itertools.chain(INTERVALS_SECONDS, itertools.repeat(LATER_SECONDS))
        while not self._ended.wait(next(intervals)):
            self._read()

    def _read(self) -> None:
        try:
            names = [task.name for task in self._tasks.iterdir()]
        except OSError:
            return
        for name in names:
            words = read(self._tasks / name / "schedstat").split()
            sleeps = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", read(self._tasks / name / "status"), re.MULTILINE)
            if len(words) == 3 and sleeps:
                reading = _Reading(time.monotonic(), int(words[0]), int(words[1]), int(sleeps[1]))
                self._first.setdefault(name, reading)
                self._last[name] = reading
