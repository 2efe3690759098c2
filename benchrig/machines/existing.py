"""Hosts that somebody else looks after: they are reached as the inventory says, and never started or stopped by us."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

from benchrig.errors import MachineError
from benchrig.inventory import Host, Inventory
from benchrig.machines import MachineStatus

CONNECT_SECONDS = 5.0
SSH_PORT = 22


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
        """Return whether each host accepts connections on its SSH port; all are asked at once."""
        with ThreadPoolExecutor(max_workers=32) as pool:
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
    port = host.port or SSH_PORT
    try:
        socket.create_connection((host.address, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        return MachineStatus(host.name, "absent", host.address, f"port {port}: {reason}")
    return MachineStatus(host.name, "running", host.address, f"port {port} answers")
