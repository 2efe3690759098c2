"""Control groups: the limits that hold for processes, and how long the kernel held them up for a quota of CPU time.

Of cgroup v1 and v2 alike. A container may show neither: then nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .facts import read
from .protocol import Throttle

ROOT = Path("/sys/fs/cgroup")

APPS = "system.slice"
"""Where the units of apps are."""

_FILES: Mapping[str, tuple[str, ...]] = {
    "cpu": ("cpu.max", "cpu.cfs_quota_us"),
    "memory": ("memory.max", "memory.limit_in_bytes"),
    "pids": ("pids.max",),
}
"""The files of the limits, by controller: cgroup v2's, then v1's."""

_NONE = ("", "max", "-1")

_QUOTA = re.compile(r"([0-9]{1,18}) (0*[1-9][0-9]{0,17})")
"""Microseconds of CPU time in each period, and the period."""

_NO_LIMIT = 1 << 60
"""Bytes. A limit beyond this is none; cgroup v1 has no other word for it."""


def limits(pid: int | str = "self") -> dict[str, str] | None:
    """Return the limits of a process's control groups and of the apps', `cpu.max of /system.slice`; None: not known."""
    found: dict[str, str] = {}
    known = False
    for controller, names in _FILES.items():
        for root, folder in dict.fromkeys((*groups(pid, controller), *_apps(pid, controller))):
            known = True
            for name in names:
                value = _limit(folder / name)
                if value:
                    found[f"{name} of {_name(root, folder)}"] = value
    return found if known else None


def _apps(pid: int | str, controller: str) -> Iterator[tuple[Path, Path]]:
    for root in dict.fromkeys(root for root, _ in groups(pid, controller)):
        if (root / APPS).is_dir():
            yield root, root / APPS


def _name(root: Path, folder: Path) -> str:
    return "/" + "/".join(folder.relative_to(root).parts)


def _limit(path: Path) -> str:
    text = read(path)
    if text.split(" ")[0] in _NONE or (text.isdigit() and int(text) >= _NO_LIMIT):
        return ""
    return f"{text} {read(path.with_name('cpu.cfs_period_us'))}" if path.name == "cpu.cfs_quota_us" else text


def quota_cores(limits: Mapping[str, str] | None) -> float | None:
    """Return how many cores the least quota of CPU time among limits allows; None when there is none."""
    quotas = [
        int(quota[1]) / int(quota[2])
        for name, value in (limits or {}).items()
        if name.startswith(("cpu.max ", "cpu.cfs_quota_us ")) and (quota := _QUOTA.fullmatch(value))
    ]
    return min(quotas, default=None)


def groups(pid: int | str, controller: str) -> Iterator[tuple[Path, Path]]:
    """Yield the folders of a process's control group and of those above it, as far as they can be seen, with their root."""
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            root = next((one for one in (ROOT / controllers, ROOT / controller) if one.is_dir()), None)
        else:
            root = ROOT if not controllers and (ROOT / "cgroup.controllers").exists() else None
        if root is None:
            continue
        own = root / path.lstrip("/")
        yield from ((root, folder) for folder in (own, *own.parents) if folder.is_relative_to(root) and folder.is_dir())


def throttled(pids: Iterable[int | str]) -> dict[str, Throttle]:
    """Return how often and how long processes were held up so far, by the control group whose quota it was."""
    folders = dict.fromkeys(found for pid in pids for found in groups(pid, "cpu"))
    found: dict[str, Throttle] = {}
    for root, folder in folders:
        counted = dict(line.split(maxsplit=1) for line in read(folder / "cpu.stat").splitlines() if " " in line)
        if "nr_throttled" in counted:
            seconds = int(counted.get("throttled_usec", 0)) / 1e6 or int(counted.get("throttled_time", 0)) / 1e9
            found[_name(root, folder)] = Throttle(int(counted["nr_throttled"]), seconds)
    return found
