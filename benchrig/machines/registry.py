"""The kinds of machine, one line each. Everything else about a kind is in its own module or folder."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from benchrig.errors import unknown
from benchrig.inventory import Inventory
from benchrig.machines.base import Kind, Machines

KINDS = {
    "lab": "-i lab makes containers on this computer (Linux, root)",
    "qemu": "-i qemu makes a virtual machine without root",
    "vagrant": "-i vagrant makes virtual machines with VirtualBox or libvirt",
    "existing": "an inventory whose hosts have ansible_host uses any Debian 12 machine over SSH",
}
"""Each kind by its name, which is also the name of its module here, with what a user gets from it.

The order is the order of preference where the user names no inventory.
"""


@cache
def kind(name: str) -> Kind:
    """Return a kind of machine by its name. Raises InputError for a name that is not registered."""
    if name not in KINDS:
        raise unknown("kind of machine (benchrig_machine)", name, KINDS)
    registered = importlib.import_module(f"benchrig.machines.{name}").KIND
    assert isinstance(registered, Kind)
    return registered


def machines_of(inventory: Inventory, root: Path) -> Machines:
    """Return the machines of an inventory. `root` is the clone that they belong to.

    Raises InputError for an unknown kind of machine, and for a host whose name no machine can have.
    """
    return kind(inventory.machine).machines(inventory, root)


def other_kinds(name: str) -> str:
    """Return a hint that names every other kind of machine, for a computer on which the kind `name` does not work."""
    return f"Other kinds of machine: {'; '.join(text for other, text in KINDS.items() if other != name)}."
