"""Hosts that somebody else looks after: they are reached as the inventory says, and never started or stopped by us."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NoReturn

from benchrig import console
from benchrig.errors import HostError, MachineError
from benchrig.inventory import Host, Inventory
from benchrig.machines.base import MachineStatus
from benchrig.remote import openssh, ssh

IN_PARALLEL = 16


class ExistingMachines:
    """The machines of an inventory of kind `existing`."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def up(self, *, tell: bool = False) -> Inventory:
        """Return the inventory as `reach` does. Starts nothing: whether a host answers is seen when it is used."""
        if tell:
            console.line(f"'{self.inventory.name}': nothing to start: these hosts are looked after by somebody else")
        return self.reach()

    def down(self) -> None:
        """Refuse: raises MachineError."""
        self._refuse("stop")

    def destroy(self) -> None:
        """Refuse: raises MachineError."""
        self._refuse("destroy")

    def snapshot(self) -> None:
        """Refuse: raises MachineError."""
        self._refuse("keep the state of")

    def restore(self) -> Inventory:
        """Refuse: raises MachineError."""
        self._refuse("restore")

    def status(self) -> tuple[MachineStatus, ...]:
        """Return whether each host lets us in, and if not why; all are tried at once."""
        with ThreadPoolExecutor(max_workers=IN_PARALLEL) as pool:
            return tuple(pool.map(_status, self.inventory.hosts.values()))

    def reach(self) -> Inventory:
        """Return the inventory; where other hosts find one is added if it goes by a name of our own ~/.ssh/config."""
        inventory = self.inventory
        for host in inventory.hosts.values():
            # Why a host cannot be reached is told where that is tried.
            with suppress(HostError):
                address = openssh.resolve(host).address
                if address != host.address and "benchrig_address" not in host.variables:
                    inventory = inventory.with_variables(host.name, {"benchrig_address": address})
        return inventory

    def _refuse(self, verb: str) -> NoReturn:
        raise MachineError(
            f"benchrig does not {verb} the hosts of '{self.inventory.name}': these hosts are looked after by somebody else",
            "Machines are its own only where the inventory says which kind it makes, such as benchrig_machine: lab.",
        )


def _status(host: Host) -> MachineStatus:
    try:
        ssh.connect(host).close()
    except HostError as error:
        return MachineStatus(host.name, "unreachable", host.address, str(error))
    return MachineStatus(host.name, "running", host.address, "lets us in over SSH")
