"""The interface of a kind of machine: what every kind answers, and the words that they share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, Protocol

from benchrig import console
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


def told_running(inventory: Inventory, tell: bool) -> Inventory:
    """Return the inventory; if `tell`, after telling where each of its machines runs."""
    for host in inventory.hosts.values() if tell else ():
        place = host.address if host.port in (None, 22) else f"{host.address}:{host.port}"
        console.line(f"{host.name}: running at {place}")
    return inventory


def with_snapshot(detail: str, taken: float) -> str:
    """Return what `status` says of a machine, and of when its snapshot is: seconds since 1970, 0 where it has none."""
    return f"{detail}; snapshot of {time.strftime('%Y-%m-%d %H:%M', time.localtime(taken))}" if taken else detail
