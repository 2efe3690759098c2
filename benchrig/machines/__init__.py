"""Kinds of machine: how the hosts of an inventory come up, go down and are reached. One line below for each kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchrig.errors import unknown
from benchrig.inventory import Inventory
from benchrig.machines.base import Machines


def machines_of(inventory: Inventory, root: Path) -> Machines:
    """Return the machines of an inventory, by its kind. `root` is the clone they belong to.

    Raises InputError when no such kind is known.
    """
    if inventory.machine not in KINDS:
        raise unknown("kind of machine (benchrig_machine)", inventory.machine, KINDS)
    return KINDS[inventory.machine](inventory, root)


def _lab(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.lab.kind import LabMachines

    return LabMachines(inventory, root)


def _existing(inventory: Inventory, _root: Path) -> Machines:
    from benchrig.machines.existing import ExistingMachines

    return ExistingMachines(inventory)


def _vagrant(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.vagrant.kind import VagrantMachines

    return VagrantMachines(inventory, root)


def _qemu(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.qemu.kind import QemuMachines

    return QemuMachines(inventory, root)


KINDS: dict[str, Callable[[Inventory, Path], Machines]] = {
    "lab": _lab,
    "existing": _existing,
    "vagrant": _vagrant,
    "qemu": _qemu,
}
