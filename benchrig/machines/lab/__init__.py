"""The lab: Debian 12 containers on this computer. `kind.py` is the entry."""

from __future__ import annotations

from pathlib import Path

from benchrig.inventory import Inventory
from benchrig.machines.base import Kind, Machines


def _machines(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.lab.kind import LabMachines

    return LabMachines(inventory, root)


def _obstacle() -> str:
    from benchrig.machines.lab import requirements

    return requirements.obstacle()


KIND = Kind(_machines, made_here=True, shares_kernel=True, default_inventory="lab", obstacle=_obstacle)
