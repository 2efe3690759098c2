"""Memory of an app: whether the kernel's OOM killer ended processes of it, and how much it may use."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .facts import read

CGROUPS = Path("/sys/fs/cgroup")
MACHINE = Path("/proc/vmstat")
NO_LIMIT = 1 << 60
"""A limit beyond this is none; cgroup v1 has no other word for it."""


class OomKills:
    """Counts what the kernel's OOM killer ends in the control groups of processes, from now on."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._groups = {group for pid in pids if (group := _group(pid))}
        # A group is removed when the last of its processes ends. Its parent counts on, where the kernel adds up (cgroup v2).
        self._files = [_counter(group) for group in self._groups]
        self._above = [_counter(group.parent) for group in self._groups] + [MACHINE]
        self._before = {path: _kills(path) for path in [*self._files, *self._above]}

    def count(self) -> tuple[int, bool]:
        """Return how many processes it has ended, and whether they may be of others than these groups."""
        now = [path for path in self._files if _kills(path) is not None]
        for path in now or self._above:
            before, after = self._before[path], _kills(path)
            if before is not None and after is not None and after > before:
                return after - before, not now
        return 0, False

    def limit_bytes(self) -> int:
        """Return how much memory the processes may use: the least limit of their groups, else the machine's memory."""
        limits = [
            _limit(folder) for group in self._groups for folder in (group, *group.parents) if CGROUPS in folder.parents
        ]
        return min([*(limit for limit in limits if limit), _machine()])


def _group(pid: int) -> Path | None:
    """Return the folder of the control group that counts a process's memory."""
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return CGROUPS / "memory" / path.lstrip("/")
        if not controllers and _counter(group := CGROUPS / path.lstrip("/")).name == "memory.events":
            return group
    return None


def _counter(group: Path) -> Path:
    """Return the file that counts a group's OOM kills: that of cgroup v2, else v1's."""
    events = group / "memory.events"
    return events if events.exists() else group / "memory.oom_control"


def _kills(path: Path) -> int | None:
    """Return a file's count of OOM kills; None when it has none."""
    counted = dict(line.split(maxsplit=1) for line in read(path).splitlines() if " " in line)
    return int(counted["oom_kill"]) if "oom_kill" in counted else None


def _limit(group: Path) -> int:
    """Return a group's own limit in bytes; 0 when it has none."""
    text = read(group / "memory.max") or read(group / "memory.limit_in_bytes")
    return int(text) if text.isdigit() and int(text) < NO_LIMIT else 0


def _machine() -> int:
    """Return the machine's memory in bytes."""
    words = read("/proc/meminfo").split()
    return int(words[1]) * 1024 if len(words) > 1 else NO_LIMIT
