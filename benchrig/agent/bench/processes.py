"""The processes of an app: which they are, when they started, and their CPU time."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

CGROUP_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd"))
"""Where a unit's control group may lie: cgroup v2 alone; v2 beside v1; v1 alone."""


class UnitProcesses:
    """The processes of a systemd unit, by its control group: also those that its main process started."""

    def __init__(self, control_group: str) -> None:
        folders = [root / control_group.lstrip("/") for root in CGROUP_ROOTS]
        self.procs = next((path for folder in folders if (path := folder / "cgroup.procs").exists()), None)
        """Where the kernel lists them."""
        self.cpu = next((path for folder in folders if (path := folder / "cpu.stat").exists()), None)
        """Where it counts their CPU time; None without cgroup v2."""
        self._seen: dict[int, float] = {}

    def pids(self) -> list[int]:
        """Return the processes that live now."""
        if self.procs is None:
            return []
        try:
            return [int(pid) for pid in self.procs.read_text().split()]
        except OSError:
            return []

    def started(self) -> dict[int, str]:
        """Return when each of those that live was started, in ticks: a number that is given again is another process."""
        return {pid: fields[21] for pid in self.pids() if (fields := _fields(f"/proc/{pid}/stat"))}

    def cpu_seconds(self) -> float:
        """Return the CPU time used by all of them so far, those that have ended included."""
        if self.cpu is not None:
            try:
                return int(self.cpu.read_text().split()[1]) / 1e6
            except OSError:
                return 0.0
        # Without cgroup v2 the last figure seen of a process that has ended stands for it.
        for pid in self.pids():
            fields = _fields(f"/proc/{pid}/stat")
            if fields:
                self._seen[pid] = (int(fields[13]) + int(fields[14])) / TICKS
        return sum(self._seen.values())


def _fields(path: str) -> list[str]:
    """Return the words of a file in /proc, the program's name as one word; none when the process has ended."""
    try:
        text = Path(path).read_text()
    except OSError:
        return []
    head, _, tail = text.rpartition(")")
    return [*head.partition(" ")[::2], *tail.split()] if head else text.split()
