"""Virtual machines made by Vagrant. `kind.py` is the entry."""

from __future__ import annotations

from pathlib import Path

from benchrig.inventory import Inventory
from benchrig.machines.base import Kind, Machines


def _machines(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.vagrant.kind import VagrantMachines

    return VagrantMachines(inventory, root)


def _variables() -> type:
    from benchrig.machines.vagrant.plan import Variables

    return Variables


KIND = Kind(_machines, made_here=True, variables=_variables)
