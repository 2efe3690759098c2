"""Virtual machines in plain QEMU. `kind.py` is the entry."""

from __future__ import annotations

from pathlib import Path

from benchrig.inventory import Inventory
from benchrig.machines.base import Kind, Machines


def _machines(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.qemu.kind import QemuMachines

    return QemuMachines(inventory, root)


KIND = Kind(_machines, made_here=True, default_inventory="qemu")
