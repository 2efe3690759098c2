"""Hosts that somebody else looks after: they are reached as the inventory says, and never started or stopped by us."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchrig import ssh
from benchrig.errors import HostError, MachineError
from benchrig.inventory import Host, Inventory
from benchrig.machines import MachineStatus

IN_PARALLEL = 16


class ExistingMachines:
    """The machines of an inventory of kind `existing`."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def up(self) -> Inventory:
        """Return the inventory as it is. Starts nothing: whether a host answers is seen when it is used."""
        return self.inventory

    def down(self) -> None:
        """Refuse: raises MachineError."""
        self._refuse("stop")

    def destroy(self) -> None:
        """Refuse: raises MachineError."""
        self._refuse("destroy")

    def status(self) -> tuple[MachineStatus, ...]:
        """Return whether each host lets us in, and if not why; all are tried at once."""
        with ThreadPoolExecutor(max_workers=IN_PARALLEL) as pool:
            return tuple(pool.map(_status, self.inventory.hosts.values()))

    def reach(self) -> Inventory:
        """Return the inventory as it is."""
        return self.inventory

    def _refuse(self, verb: str) -> None:
        raise MachineError(
            f"benchrig does not {verb} the hosts of inventory '{self.inventory.name}': they are not its own",
            "It makes and removes machines only for an inventory that sets benchrig_machine: lab.",
        )


def _status(host: Host) -> MachineStatus:
    try:
        ssh.connect(host).close()
    except HostError as error:
        return MachineStatus(host.name, "unreachable", host.address, str(error))
    return MachineStatus(host.name, "running", host.address, "lets us in over SSH")
