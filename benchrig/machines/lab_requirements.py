"""What the lab needs of the outer machine: Linux, root, and a few Debian packages, which are installed when missing."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from benchrig.errors import MachineError
from benchrig.machines import outer_packages
from benchrig.machines.command import run, search_path

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

INSTEAD = (
    "A lab is not the only way: `-i qemu` makes a virtual machine without root, as in `./inv provision -i qemu bench"
    " report`; and an inventory whose hosts have ansible_host uses any Debian 12 machine over SSH."
)


def check() -> None:
    """See that a lab can run here, installing what is missing. Raises MachineError with the reason and the other way."""
    if sys.platform != "linux":
        raise MachineError(f"the lab runs on Linux only, and this is {sys.platform}", INSTEAD)
    if os.geteuid() != 0:
        raise MachineError("the lab needs root, for namespaces and mounts", f"Run it with sudo: sudo ./inv up. {INSTEAD}")
    if not _has_overlay():
        raise MachineError("the lab needs overlayfs, and this kernel has none", INSTEAD)
    outer_packages.ensure(PROGRAMS, "the lab", INSTEAD)


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


def _has_overlay() -> bool:
    if shutil.which("modprobe", path=search_path()):
        # Fails where it is built in, or where we may not load modules; the list below tells.
        with suppress(MachineError):
            run(["modprobe", "--quiet", "overlay"], "overlayfs cannot be loaded")
    return "\toverlay\n" in Path("/proc/filesystems").read_text(encoding="utf-8")
