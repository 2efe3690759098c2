"""What the lab needs of the outer machine: Linux, root, and a few Debian packages, which are installed when missing."""

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

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "slirp4netns": "slirp4netns",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "mount": "mount",
}
"""Programs the lab runs, and the Debian packages they come from."""

INOTIFY_INSTANCES = 6
"""What the systemd and the D-Bus of one machine hold; a machine without them hangs in its boot."""

CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
"""What the kernel asks of whoever makes namespaces, interfaces and mounts, and the bits they have in capabilities(7)."""

INSTEAD = Hint(
    "A lab is not the only way: `-i qemu` makes a virtual machine without root, as in `",
    Inv("provision", "-i", "qemu", "bench", "report"),
    "`; and an inventory whose hosts have ansible_host uses any Debian 12 machine over SSH.",
)


def check() -> None:
    """See that a lab can run here, installing what is missing. Raises MachineError with the reason and the other way."""
    if reason := obstacle():
        sudo = Hint("Run it with sudo: sudo ", Inv("up"), ". ") if sys.platform == "linux" and os.geteuid() != 0 else ""
        raise MachineError(reason, Hint(sudo, INSTEAD))
    packages.ensure(PROGRAMS, "the lab", INSTEAD)


def obstacle() -> str:
    """Return why no lab can run on this computer, whatever is installed; empty when none is known."""
    if sys.platform != "linux":
        return f"the lab runs on Linux only, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "the lab needs root, for namespaces and mounts"
    if not _has_capabilities():
        return "the lab needs namespaces and mounts, and root may make none here, as in most containers"
    if not _has_overlay():
        return "the lab needs overlayfs, and this kernel has none"
    return ""


def check_capacity(machines: int) -> None:
    """See that the kernel has what so many machines will take of it. Raises MachineError with the sysctl to raise."""
    library = ctypes.CDLL(None, use_errno=True)
    wanted = min(machines * INOTIFY_INSTANCES, 500)
    descriptors: list[int] = []
    try:
        while len(descriptors) < wanted:
            descriptor = library.inotify_init1(os.O_CLOEXEC)
            if descriptor < 0:
                raise MachineError(
                    f"{machines} more machines need about {wanted} inotify instances, and this kernel has only"
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
        with suppress(MachineError):  # where we may not load modules; the list tells
            run(["modprobe", "--quiet", "overlay"], "overlayfs cannot be loaded")
    return "\toverlay\n" in filesystems.read_text(encoding="ascii")
