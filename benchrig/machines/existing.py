"""Existing hosts: benchrig reaches them as the inventory says and never starts or stops them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from benchrig import console
from benchrig.errors import HostError
from benchrig.inventory import Host, Inventory
from benchrig.machines.base import Kind, Machines, MachineStatus
from benchrig.remote import openssh, ssh

IN_PARALLEL = 16


class ExistingMachines:
    """The machines of an inventory of kind `existing`. They have no lifecycle and no snapshots."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def up(self, *, tell: bool = False) -> Inventory:
        """Return the inventory as `reach` does. Starts nothing; connecting shows later whether a host answers."""
        if tell:
            console.line(f"inventory '{self.inventory.name}': nothing to start: these hosts exist already")
        return self.reach()

    def status(self) -> tuple[MachineStatus, ...]:
        """Try to log in to all hosts at once; return for each whether that worked, and if not why."""
        with ThreadPoolExecutor(max_workers=IN_PARALLEL) as pool:
            return tuple(pool.map(_status, self.inventory.hosts.values()))

    def reach(self) -> Inventory:
        """Return the inventory, with `benchrig_address` where ~/.ssh/config gives a host another address."""
        inventory = self.inventory
        for host in inventory.hosts.values():
            # The reason is reported when something connects to the host.
            with suppress(HostError):
                address = openssh.resolve(host).address
                if address != host.address and "benchrig_address" not in host.variables:
                    inventory = inventory.with_variables(host.name, {"benchrig_address": address})
        return inventory


def _status(host: Host) -> MachineStatus:
    try:
        ssh.connect(host).close()
    except HostError as error:
        return MachineStatus(host.name, "unreachable", host.address, str(error))
    return MachineStatus(host.name, "running", host.address, "accepts SSH logins")


def _machines(inventory: Inventory, _root: Path) -> Machines:
    return ExistingMachines(inventory)


KIND = Kind(_machines, made_here=False)
