"""Causes of failed tasks, found in what programs and the system said, and what to do about each on this host."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..text import last_line, short

_MOUNTS = Path("/proc/mounts")

_ALMOST_NOTHING = 1 << 20
"""Bytes: a file system with less room than that is full."""

_MOST_LINES = 400
"""How many lines, the last ones, are looked at."""


def line(*outputs: str) -> str:
    """Return the line that tells why a program failed: one that names a known cause, else the last one."""
    lines = [text.strip() for output in outputs for text in output.splitlines()[-_MOST_LINES:] if text.strip()]
    for pattern, _ in _KNOWN:
        for text in lines:
            if re.search(pattern, text, re.IGNORECASE):
                return _plain(text)
    return _plain(next((last_line(output) for output in outputs if output.strip()), ""))


def cure(*texts: str) -> str:
    """Return what to do about the cause that texts name; empty when they name none that is known."""
    for pattern, what in _KNOWN:
        for text in texts:
            if found := re.search(pattern, text, re.IGNORECASE):
                return what if isinstance(what, str) else what(found)
    return ""


def _plain(text: str) -> str:
    """Return a line without apt's mark, and not endless."""
    return short(re.sub(r"^[EWN]: ", "", text), 300)


def _full(_: re.Match[str]) -> str:
    full = ", ".join(sorted(set(_full_disks())))
    return f"Make room on this host; full: {full}." if full else "Make room on this host: see `df -h` and `df -i` there."


def _full_disks() -> Iterator[str]:
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for mount in mounts:
        _, path, kind, options, *_ = mount.split(" ")
        if kind in ("proc", "sysfs", "squashfs", "iso9660", "cgroup2") or "ro" in options.split(","):
            continue
        try:
            free = os.statvfs(path)
        except OSError:
            continue
        if free.f_blocks and (free.f_bavail * free.f_frsize < _ALMOST_NOTHING or (free.f_files and not free.f_favail)):
            yield path


def _no_program(found: re.Match[str]) -> str:
    return f"Install {Path(found[1]).name} on this host, or let a role install it."


def _clock(_: re.Match[str]) -> str:
    return f"Set the clock of this host, which says {time.strftime('%Y-%m-%d %H:%M:%S %Z')}."


def _denied(found: re.Match[str]) -> str:
    path = found[1]
    if is_noexec(path):
        return f"The file system of {path} is mounted noexec: mount it with exec, or put the file elsewhere."
    return ""


def is_noexec(path: str) -> bool:
    """Return whether a path is on a file system that permits no programs."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


_MIRROR = "Check the package mirror of this host: /etc/apt/sources.list*, its network, a proxy. Then run it again."

_LOCKED = "Another program installs packages on this host. Wait for its end, then run it again."

_LISTS = "The package lists of this host are damaged: remove /var/lib/apt/lists/*, then run it again."

_KNOWN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    # What the others may follow from comes first.
    ("no space left on device|disk quota exceeded|don't have enough free space", _full),
    ("read-only file system", "The disk of this host is read-only, often after errors on it: see `dmesg` there."),
    ("input/output error", "The disk of this host has errors: see `dmesg` there."),
    ("is not valid yet|not yet valid|release file .* is expired|certificate has expired", _clock),
    ("could not get lock|unable to (?:acquire|lock)|frontend lock was locked", _LOCKED),
    ("dpkg was interrupted", "Run `dpkg --configure -a` on the host, and see why it fails."),
    ("package lists or status file could not be parsed|encountered a section with no package: header", _LISTS),
    ("failed to fetch|could not resolve '|temporary failure resolving|hash sum mismatch|unexpected size", _MIRROR),
    ("does not have a release file|unable to locate package|no installation candidate", _MIRROR),
    (
        "cannot be fetched|the server answered|the connection ended after",
        "Check the address, the network of this host and its proxy. Then run it again.",
    ),
    ("failed to map segment from shared object", "The folder of that file is mounted noexec: mount it with exec."),
    (r"(?:^|[\s:'\"])(/[^\s:'\"]+)['\"]?: (?:cannot be started: )?permission denied", _denied),
    (r"(\S+): (?:cannot be started: no such file or directory|(?:command )?not found)", _no_program),
    ("cannot allocate memory|out of memory", "This host has too little memory for that."),
)
"""What texts name a cause, the most telling first, and what to do then. Compiled only when a task has failed."""
