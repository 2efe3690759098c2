"""Leftovers of a killed Vagrant in libvirt, which Vagrant would fail on later: removed with virsh.

A machine's name in libvirt contains a hash of its clone. So a machine of that name that Vagrant does not know is ours.
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
    """Return whether this computer has libvirt, running or not."""
    programs = ("libvirtd", "virtqemud")
    return any(shutil.which(name, path=search_path()) for name in programs) or any(map(os.path.exists, SOCKETS))


def remove_orphan(unique_name: str) -> bool:
    """Remove a machine that Vagrant does not know of, and its disk; return whether there was any. Raises MachineError."""
    if not _has_virsh():
        return False
    removed = False
    if unique_name in _virsh("list", "--all", "--name").split():
        removed = True
        with suppress(MachineError):
            # It need not be running.
            _virsh("destroy", unique_name)
        _virsh("undefine", unique_name, "--managed-save", "--snapshots-metadata")
    volume = f"{unique_name}.img"
    if volume in _volumes():
        removed = True
        _virsh("vol-delete", volume, "--pool", POOL)
    if removed:
        console.line(f"vagrant: removed {unique_name} from libvirt, a leftover of an interrupted run")
    return removed


def remove_partial_box(box: str, image: Path) -> None:
    """Remove the copy of a box in libvirt's pool when it is shorter than the box: Vagrant was killed while it copied.

    Vagrant would use the incomplete copy. `image` is the disk in Vagrant's own copy of the box. Raises MachineError.
    """
    if not image.is_file() or not _has_virsh():
        return
    prefix = f"{box.replace('/', '-VAGRANTSLASH-')}_vagrant_box_image_"
    for volume in _volumes():
        if volume.startswith(prefix) and _length(volume) < image.stat().st_size:
            console.line(f"vagrant: removed {volume} from libvirt, which an interrupted run wrote only half")
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
    """Return the length of a volume's file in bytes."""
    for line in _virsh("vol-info", volume, "--pool", POOL, "--bytes", "--physical").splitlines():
        name, _, value = line.partition(":")
        if name in ("Physical", "Allocation"):
            return int(value.split()[0])
    return 0


def _virsh(*arguments: str) -> str:
    return run(["virsh", "--connect", "qemu:///system", *arguments], f"libvirt: virsh {arguments[0]}", timeout=120)
