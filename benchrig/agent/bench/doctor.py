"""Examines this machine for `./inv doctor`. It reads, and changes nothing; it needs nothing that lies on this machine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .. import lock
from . import environment, facts, ports
from .facts import output, read
from .protocol import Examination, Examine, Holder, Room

_STATUS = 40
"""Where `struct timex` has its status, on machines of 64 bits (adjtimex(2))."""

_UNSYNCHRONIZED = 0x40

_UNIT_LIMITS = ("CPUQuotaPerSecUSec", "MemoryMax")
"""Not TasksMax: systemd sets one by default."""


def examine(asked: Examine) -> Examination:
    """Return what is found on this machine."""
    found = environment.machine_facts({}, asked.seconds)
    deployed = facts.deployed(asked.programs)
    return Examination(
        facts=found,
        deployed=deployed,
        synchronized=is_synchronized(),
        rooms=tuple(rooms(asked.folders)),
        holders=tuple(holders(asked.ports)),
        used_by=used_by(lock.PATH),
        unit_limits=_unit_limits(deployed.apps),
        tracked_connections=_number("/proc/sys/net/netfilter/nf_conntrack_count"),
        tracked_most=_number("/proc/sys/net/netfilter/nf_conntrack_max"),
        most_processes=_most_processes(found.environment.cgroup_limits or {}),
        clock=time.time(),
    )


def rooms(folders: Iterable[str]) -> Iterator[Room]:
    """Yield what is free for each of the folders that exist; of several on one file system, for the first."""
    seen = set()
    for folder in folders:
        with contextlib.suppress(OSError):
            device, free = Path(folder).stat().st_dev, os.statvfs(folder)
            if device not in seen and free.f_blocks:
                seen.add(device)
                yield Room(folder, free.f_bavail * free.f_frsize, free.f_favail if free.f_files else None)


def holders(numbers: Iterable[int]) -> Iterator[Holder]:
    """Yield the programs that listen on ports, but not our own apps, which a bench stops."""
    taken = {listener.port for listener in ports.listeners()}
    for port in numbers:
        if port in taken:
            found = ports.holder(port)
            if "benchrig-" not in read(f"/proc/{found.pid}/cgroup"):
                yield Holder(port, found.pid, read(f"/proc/{found.pid}/comm"))


def used_by(path: Path) -> str:
    """Return which bench or provision has the host; empty when none has."""
    owner = lock.read_owner(path)
    return str(owner) if owner and owner.lives() else ""


def is_synchronized() -> bool | None:
    """Return whether a time service keeps the kernel's clock right; None where the kernel does not say."""
    buffer = ctypes.create_string_buffer(512)
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status: int = struct.unpack_from("i", buffer, _STATUS)[0]
    return not status & _UNSYNCHRONIZED


def _unit_limits(apps: Iterable[str]) -> dict[str, str]:
    units = [f"benchrig-{name}.service" for name in apps]
    if not units:
        return {}
    text = output(("systemctl", "show", f"--property=Id,{','.join(_UNIT_LIMITS)}", *units))
    found = {}
    for block in text.split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        for name in _UNIT_LIMITS:
            if values.get(name, "infinity") not in ("infinity", ""):
                found[f"{name} of {values.get('Id', '')}"] = values[name]
    return found


def _most_processes(limits: Mapping[str, str]) -> int | None:
    known = [_number(f"/proc/sys/kernel/{name}") for name in ("threads-max", "pid_max")]
    known += [int(value) for name, value in limits.items() if name.startswith("pids.max ") and value.isdigit()]
    return min((number for number in known if number is not None), default=None)


def _number(path: str) -> int | None:
    text = read(path)
    return int(text) if text.isdigit() else None
