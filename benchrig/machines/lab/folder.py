"""Folders of the lab: one folder for each lab in the user's cache, in it one for each machine.

Nothing in them says what runs: a machine runs when the process list shows its systemd-nspawn. So no file can be wrong about
that after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from benchrig import reading
from benchrig.errors import MachineError
from benchrig.files import write
from benchrig.inventory import Inventory
from benchrig.machines import naming
from benchrig.machines.folder import MachineFolder, MachinesFolder, cache, remove
from benchrig.machines.naming import FIRST_NUMBER

WHOLE = "-whole"
"""How the name of a layer ends that is a complete root file system and needs no image below it."""


@dataclass(frozen=True)
class Network:
    """The /24 network of a lab."""

    subnet: IPv4Network

    @property
    def controller(self) -> IPv4Address:
        """Address of the controller."""
        return self.subnet[1]

    @property
    def gateway(self) -> IPv4Address:
        """Address of slirp4netns, the way out; also stands for the controller's loopback."""
        return self.subnet[2]

    @property
    def resolver(self) -> IPv4Address:
        """Address at which slirp4netns answers DNS in the name of the controller's resolver."""
        return self.subnet[3]

    def machine(self, number: int) -> IPv4Address:
        """Return a machine's address."""
        return self.subnet[number]

    @property
    def interface(self) -> str:
        """Name of the lab's interface on the controller. A second lab on this subnet would need the same name."""
        return f"brig-{int(self.subnet.network_address) >> 8:06x}"


@dataclass(frozen=True)
class LabState:
    """The file `lab.json`: the inventory of the lab and its addresses."""

    inventory: str
    subnet: str = ""
    """Its network when it was last up."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The last octet of each machine's address."""

    def address(self, name: str) -> str:
        """Return a machine's address, or an empty text when it was never up."""
        if not self.subnet or name not in self.numbers:
            return ""
        return str(Network(IPv4Network(self.subnet)).machine(self.numbers[name]))

    def with_machines(self, names: Iterable[str]) -> LabState:
        """Return a state in which each of the names has a number. Numbers given before stay.

        Raises MachineError when there are too many machines.
        """
        numbers = dict(self.numbers)
        for name in names:
            free = set(range(FIRST_NUMBER, 255)) - set(numbers.values())
            if name not in numbers:
                if not free:
                    raise MachineError(f"{name}: a lab has room for {255 - FIRST_NUMBER} machines")
                numbers[name] = min(free)
        return replace(self, numbers=numbers)


@dataclass(frozen=True)
class LabMachine(MachineFolder):
    """The folder of one machine."""

    lab: str
    """Name of the lab it belongs to."""

    @property
    def unique_name(self) -> str:
        """A name that is unique on the controller, for systemd units and control groups."""
        return f"benchrig-{self.lab.rpartition('-')[2]}-{self.name}"

    @property
    def changes(self) -> Path:
        """The upper layer of the overlay: everything in which the machine differs from the layers below."""
        return self.path / "changes"

    @property
    def snapshots(self) -> Path:
        """The layers that snapshots made: a folder each, named by a number."""
        return self.path / "kept"

    def layers(self) -> tuple[Path, ...]:
        """Return the snapshots' layers below `changes`, the newest first, down to one that needs no image."""
        layers = sorted(self.snapshots.glob("[0-9]*"), reverse=True)
        whole = next((place for place, layer in enumerate(layers, 1) if layer.name.endswith(WHOLE)), len(layers))
        return tuple(layers[:whole])

    @property
    def exists(self) -> bool:
        """Whether the machine was made."""
        return self.changes.is_dir() or bool(self.layers())

    @property
    def work(self) -> Path:
        """The folder that overlayfs needs beside the upper layer."""
        return self.path / "work"

    @property
    def root(self) -> Path:
        """The machine's file system, while it is mounted."""
        return self.path / "root"

    @property
    def namespace(self) -> Path:
        """The machine's network namespace, while it is mounted."""
        return self.path / "net"

    @property
    def log(self) -> Path:
        """The output of systemd-nspawn."""
        return self.path / "boot.log"


@dataclass(frozen=True)
class LabFolder(MachinesFolder[LabMachine]):
    """The folder of one lab."""

    inventory: str

    @property
    def namespace(self) -> Path:
        """The lab's own network namespace, which holds its bridge, while it is mounted."""
        return self.path / "net"

    @property
    def gateway_log(self) -> Path:
        """The output of slirp4netns."""
        return self.path / "gateway.log"

    def machine(self, name: str) -> LabMachine:
        """Return the folder of a machine, which need not exist."""
        return LabMachine(name, self.place(name), self.path.name)

    def remove(self) -> None:
        """Remove the folder, but nothing that is still mounted in it. Raises MachineError when something stays."""
        remove(self.path)

    def state(self) -> LabState:
        """Read `lab.json`. Returns an empty state when it is missing or damaged."""
        try:
            state = reading.record(LabState, self.path / "lab.json")
            places = {state.address(name) for name in state.numbers}
        except (ValueError, IndexError):
            return LabState(self.inventory)
        has_twice = bool(state.subnet) and len(places) < len(state.numbers)
        return LabState(self.inventory) if has_twice else state

    def write_state(self, state: LabState) -> None:
        """Write `lab.json`."""
        write(self.path / "lab.json", json.dumps(asdict(state), indent=2).encode())


def lab_of(inventory: Inventory, root: Path) -> LabFolder:
    """Return the folder of an inventory's lab. Raises InputError when a host's name cannot be a machine's."""
    naming.check(inventory.hosts)
    path = cache() / "labs" / naming.folder_name(inventory, root, cache())
    return LabFolder(path, str(inventory.path.resolve()))
