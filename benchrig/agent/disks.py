"""File systems of this machine that have no room."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

MOUNTS = Path("/proc/mounts")

_ALMOST_NOTHING = 1 << 20
"""Bytes: a file system with less room than that is full."""


def full(folders: Iterable[str]) -> list[str]:
    """Return the folders whose file systems have no room for bytes or for files; of several on one, the first."""
    found: dict[int, str] = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            room = os.statvfs(folder)
            no_bytes = room.f_blocks > 0 and room.f_bavail * room.f_frsize < _ALMOST_NOTHING
            if no_bytes or (room.f_files > 0 and not room.f_favail):
                found.setdefault(Path(folder).stat().st_dev, folder)
    return list(found.values())


def mounted() -> Iterator[str]:
    """Yield where file systems of this machine that can be written are mounted. To ask a network's may take for ever."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in sorted(lines, key=lambda line: line.split(" ")[1]):
        device, path, kind, options, *_ = line.split(" ")
        is_ours = device.startswith("/dev/") or kind in ("tmpfs", "overlay", "zfs") or path == "/"
        if is_ours and "ro" not in options.split(","):
            yield path
