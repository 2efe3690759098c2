"""The interface of a kind of machine: what every kind does, what only some kinds do, and how a kind registers itself.

`Machines` is what every kind does. `Lifecycle` and `Snapshots` are optional: a kind that lacks one simply has no such
methods, and `lifecycle` and `snapshots` say so to the user, in this one place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from benchrig import console
from benchrig.errors import MachineError
from benchrig.inventory import Inventory

State = Literal["running", "stopped", "absent", "unreachable"]
"""A host that benchrig did not make is `running` or `unreachable`: benchrig cannot know more about it."""


@dataclass(frozen=True)
class MachineStatus:
    """The state of one machine. `address` is where it is reached, or empty; `detail` is for people."""

    name: str
    state: State
    address: str
    detail: str


@dataclass(frozen=True)
class StatusRecord:
    """What `./inv status --json` prints."""

    inventory: str
    machines: tuple[MachineStatus, ...]
    """In the inventory's order."""


class Machines(Protocol):
    """The machines of one inventory. Every method raises MachineError when it fails."""

    @property
    def inventory(self) -> Inventory:
        """The inventory as the user wrote it."""

    def up(self, *, tell: bool = False) -> Inventory:
        """Start every machine, make those that do not exist, and return the inventory as `reach` does.

        With `tell`, also print where the machines are when all of them were running already.
        """

    def status(self) -> tuple[MachineStatus, ...]:
        """Return the state of each machine, in the inventory's order."""

    def reach(self) -> Inventory:
        """Return the inventory with address, port, user, key and known hosts of every machine. They must be up."""


@runtime_checkable
class Lifecycle(Machines, Protocol):
    """Machines that benchrig can stop and remove."""

    def work(self, verb: str) -> None:
        """Note that this process works on the machines until it ends; no other process then stops or removes them."""

    def down(self) -> None:
        """Stop every machine. What is on its disk stays."""

    def destroy(self) -> None:
        """Stop every machine and remove everything that belongs to it."""


@runtime_checkable
class Snapshots(Machines, Protocol):
    """Machines whose state can be saved and brought back."""

    def snapshot(self) -> None:
        """Save the state of every machine, in place of the former snapshot. May stop machines to do so."""

    def restore(self) -> Inventory:
        """Bring every machine back to its snapshot, start it, and return the inventory as `reach` does."""


@dataclass(frozen=True)
class Kind:
    """What a kind of machine says about itself. Its module defines one as `KIND`; `registry.py` lists the modules."""

    machines: Callable[[Inventory, Path], Machines]
    """Returns the machines of an inventory; the path is the clone that they belong to."""
    made_here: bool
    """benchrig makes the machines on the computer that it runs on, so they share its CPU cores."""
    shares_kernel: bool = False
    """The machines are containers on the kernel of that computer: the CPU figures that they see are those of all of it."""
    default_inventory: str = ""
    """Name of the inventory that is used when the user names none and `obstacle` returns nothing; empty for never."""
    obstacle: Callable[[], str] = lambda: ""
    """Returns why no machine of this kind can run on this computer, or an empty text."""
    variables: Callable[[], type] | None = None
    """Returns a dataclass of the inventory's variables that only this kind reads, for the inventory's JSON Schema."""


def begin(machines: Machines, verb: str) -> Inventory:
    """Start every machine as `up` does, and note that this process works on them. `verb` is what it does: `bench`."""
    inventory = machines.up()
    if isinstance(machines, Lifecycle):
        machines.work(verb)
    return inventory


def lifecycle(machines: Machines, action: str) -> Lifecycle:
    """Return machines that can be stopped and removed. `action` is the past participle for the message, such as `stopped`.

    Raises MachineError when this kind cannot do that.
    """
    if isinstance(machines, Lifecycle):
        return machines
    raise _unable(machines, action)


def snapshots(machines: Machines, action: str) -> Snapshots:
    """Return machines that have snapshots. `action` is the past participle for the message, such as `restored`.

    Raises MachineError when this kind cannot do that.
    """
    if isinstance(machines, Snapshots):
        return machines
    raise _unable(machines, action)


def _unable(machines: Machines, action: str) -> MachineError:
    inventory = machines.inventory
    return MachineError(
        f"the machines of inventory '{inventory.name}' cannot be {action}: benchrig did not make them"
        f" (benchrig_machine: {inventory.machine})",
        "Use the tools of their owner, or another inventory, whose machines benchrig makes (see inventory/).",
    )


def tell_running(inventory: Inventory) -> None:
    """Print where each machine of an inventory runs."""
    for host in inventory.hosts.values():
        place = host.address if host.port in (None, 22) else f"{host.address}:{host.port}"
        console.line(f"{host.name}: running at {place}")


def with_snapshot(detail: str, taken: float) -> str:
    """Add the time of a machine's snapshot to its status text. `taken` is in seconds since 1970, or 0 for no snapshot."""
    return f"{detail}; snapshot of {time.strftime('%Y-%m-%d %H:%M', time.localtime(taken))}" if taken else detail
