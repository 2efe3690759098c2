"""What a killed Vagrant leaves behind in libvirt, and Vagrant itself then trips over: found and removed with virsh.

A machine's name in libvirt has a hash of its clone in it, so what bears the name and is unknown to Vagrant is our own.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from benchrig import console
from benchrig.errors import MachineError
from benchrig.machines.command import run, search_path

POOL = "default"
"""The storage pool that vagrant-libvirt uses."""

SOCKETS = ("/run/libvirt/libvirt-sock", "/var/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")


def is_there() -> bool:
    """Return whether this machine has libvirt, running or not."""
    programs = ("libvirtd", "virtqemud")
    return any(shutil.which(name, path=search_path()) for name in programs) or any(map(os.path.exists, SOCKETS))


def remove_orphan(unique_name: str) -> bool:
    """Remove a machine that Vagrant does not know of, and its disk; return whether there was any. Raises MachineError."""
    if not _has_virsh():
        return False
    found = False
    if unique_name in _virsh("list", "--all", "--name").split():
        found = True
        with suppress(MachineError):
            # It need not be running.
            _virsh("destroy", unique_name)
        _virsh("undefine", unique_name, "--managed-save", "--snapshots-metadata")
    volume = f"{unique_name}.img"
    if volume in _volumes():
        found = True
        _virsh("vol-delete", volume, "--pool", POOL)
    if found:
        console.line(f"vagrant: removed {unique_name} from libvirt, which an interrupted run had left")
    return found


def remove_partial_box(box: str, image: Path) -> None:
    """Remove the copy of a box in libvirt's pool when it is shorter than the box: Vagrant was killed while it copied.

    Vagrant would take it as it is. `image` is the disk in Vagrant's own copy of the box. Raises MachineError.
    """
    if not image.is_file() or not _has_virsh():
        return
    prefix = f"{box.replace('/', '-VAGRANTSLASH-')}_vagrant_box_image_"
    for volume in _volumes():
        if volume.startswith(prefix) and _length(volume) < image.stat().st_size:
            console.line(f"vagrant: removed {volume} from libvirt, which an interrupted run had half written")
            _virsh("vol-delete", volume, "--pool", POOL)


def box_image(box: str) -> Path:
    """Return where Vagrant's own copy of a box without versions has its disk; it need not exist."""
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    return home / "boxes" / box.replace("/", "-VAGRANTSLASH-") / "0" / "libvirt" / "box.img"


def _has_virsh() -> bool:
    return shutil.which("virsh", path=search_path()) is not None


def _volumes() -> list[str]:
    if POOL not in _virsh("pool-list", "--name").split():
        return []
    lines = _virsh("vol-list", POOL).splitlines()[2:]
    return [line.split()[0] for line in lines if line.strip()]


def _length(volume: str) -> int:
    """Return how long the file of a volume is, in bytes."""
    for line in _virsh("vol-info", volume, "--pool", POOL, "--bytes", "--physical").splitlines():
        name, _, value = line.partition(":")
        if name in ("Physical", "Allocation"):
            return int(value.split()[0])
    return 0


def _virsh(*arguments: str) -> str:
    return run(["virsh", "--connect", "qemu:///system", *arguments], f"libvirt: virsh {arguments[0]}", timeout=120)
