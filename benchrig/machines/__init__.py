"""Kinds of machine: how the hosts of an inventory come up, go down and are reached. One file a kind, one line below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from benchrig import console
from benchrig.errors import unknown
from benchrig.inventory import Inventory

State = Literal["running", "stopped", "absent", "unreachable"]
"""A host that is not ours is running or unreachable: whether it is there at all, only its owner knows."""


@dataclass(frozen=True)
class MachineStatus:
    """How one machine is. `address` is where it is reached, or empty; `detail` is for people."""

    name: str
    state: State
    address: str
    detail: str


class Machines(Protocol):
    """The machines of one inventory. Every method raises MachineError when it cannot do what it says."""

    def up(self, *, tell: bool = False) -> Inventory:
        """Start every machine, making those that do not exist, and return the inventory as `reach` does.

        What is started is told; with `tell` also where they are when all were running.
        """

    def down(self) -> None:
        """Stop every machine; what is on its disk stays."""

    def destroy(self) -> None:
        """Stop every machine and remove all that belongs to it."""

    def snapshot(self) -> None:
        """Keep the state of every machine in place of the one kept before; machines that run may be stopped for it."""

    def restore(self) -> Inventory:
        """Bring every machine back to the state that was kept, start it, and return the inventory as `reach` does."""

    def status(self) -> tuple[MachineStatus, ...]:
        """Return how each machine is, in the inventory's order."""

    def reach(self) -> Inventory:
        """Return the inventory with address, port, user, key and known hosts of every machine. They must be up."""


def machines_of(inventory: Inventory, root: Path) -> Machines:
    """Return the machines of an inventory, by its kind. `root` is the clone they belong to.

    Raises InputError when no such kind is known.
    """
    if inventory.machine not in KINDS:
        raise unknown("kind of machine (benchrig_machine)", inventory.machine, KINDS)
    return KINDS[inventory.machine](inventory, root)


def told_running(inventory: Inventory, tell: bool) -> Inventory:
    """Return the inventory; if `tell`, after telling where each of its machines runs."""
    for host in inventory.hosts.values() if tell else ():
        place = host.address if host.port in (None, 22) else f"{host.address}:{host.port}"
        console.line(f"{host.name}: running at {place}")
    return inventory


def _lab(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.lab import LabMachines

    return LabMachines(inventory, root)


def _existing(inventory: Inventory, _root: Path) -> Machines:
    from benchrig.machines.existing import ExistingMachines

    return ExistingMachines(inventory)


def _vagrant(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.vagrant import VagrantMachines

    return VagrantMachines(inventory, root)


def _qemu(inventory: Inventory, root: Path) -> Machines:
    from benchrig.machines.qemu import QemuMachines

    return QemuMachines(inventory, root)


KINDS: dict[str, Callable[[Inventory, Path], Machines]] = {
    "lab": _lab,
    "existing": _existing,
    "vagrant": _vagrant,
    "qemu": _qemu,
}
