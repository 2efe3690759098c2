"""Requirements of the lab on the controller: Linux, root, and a few Debian packages, which are installed when missing."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run, search_path
from benchrig.machines.controller import packages
from benchrig.machines.registry import other_kinds

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "slirp4netns": "slirp4netns",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "mount": "mount",
}
"""Programs that the lab runs, and their Debian packages."""

INOTIFY_INSTANCES = 6
"""How many inotify instances systemd and D-Bus of one machine take. Without them a machine hangs in its boot."""

CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
"""Capabilities that namespaces, interfaces and mounts need, with their bits in capabilities(7)."""

OTHER_KINDS = other_kinds("lab")


def check() -> None:
    """Check that a lab can run here, and install missing packages. Raises MachineError with the reason, and other kinds."""
    if reason := obstacle():
        sudo = Hint("Run it with sudo: sudo ", Inv("up"), ". ") if sys.platform == "linux" and os.geteuid() != 0 else ""
        raise MachineError(reason, Hint(sudo, OTHER_KINDS))
    packages.ensure(PROGRAMS, "the lab", OTHER_KINDS)


def obstacle() -> str:
    """Return why no lab can run on this computer, whatever is installed; an empty text when nothing is in the way."""
    if sys.platform != "linux":
        return f"the lab runs on Linux only, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "the lab needs root, for namespaces and mounts"
    if not _has_capabilities():
        return "the lab needs namespaces and mounts, which root may not make here, as in most containers"
    if not _has_overlay():
        return "the lab needs overlayfs, and this kernel has none"
    return ""


def check_capacity(machines: int) -> None:
    """Check that the kernel has inotify instances for so many more machines. Raises MachineError, which names the sysctl."""
    library = ctypes.CDLL(None, use_errno=True)
    needed = min(machines * INOTIFY_INSTANCES, 500)
    descriptors: list[int] = []
    try:
        while len(descriptors) < needed:
            descriptor = library.inotify_init1(os.O_CLOEXEC)
            if descriptor < 0:
                raise MachineError(
                    f"{machines} more machines need about {needed} inotify instances, and this kernel has only"
                    f" {len(descriptors)} left for root",
                    "Raise the limit: sysctl -w fs.inotify.max_user_instances=1024",
                )
            descriptors.append(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _has_capabilities() -> bool:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return all(effective >> bit & 1 for bit in CAPABILITIES.values())


def _has_overlay() -> bool:
    filesystems = Path("/proc/filesystems")
    if "\toverlay\n" not in filesystems.read_text(encoding="ascii") and shutil.which("modprobe", path=search_path()):
        with suppress(MachineError):  # we may not load modules; the list below decides
            run(["modprobe", "--quiet", "overlay"], "overlayfs cannot be loaded")
    return "\toverlay\n" in filesystems.read_text(encoding="ascii")
