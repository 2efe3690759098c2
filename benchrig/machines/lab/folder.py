"""Where the lab keeps what it has: everything in the user's cache, one folder a lab, one folder a machine in it.

What runs is never written down: a machine is running when the process list shows its systemd-nspawn, so no note about a
process can be wrong after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from benchrig.errors import MachineError
from benchrig.files import write
from benchrig.inventory import Inventory
from benchrig.machines import naming
from benchrig.machines.folder import MachineFolder, MachinesFolder, cache
from benchrig.machines.naming import FIRST_NUMBER

WHOLE = "-whole"
"""How the name of a kept layer ends that is a complete root, and stands on no image."""


@dataclass(frozen=True)
class Network:
    """A lab's own /24 network."""

    subnet: IPv4Network

    @property
    def outer(self) -> IPv4Address:
        """Address of the outer machine."""
        return self.subnet[1]

    @property
    def gateway(self) -> IPv4Address:
        """Address of slirp4netns, the way out; also stands for the outer machine's loopback."""
        return self.subnet[2]

    @property
    def resolver(self) -> IPv4Address:
        """Address at which slirp4netns answers DNS in the name of the outer machine's resolver."""
        return self.subnet[3]

    def machine(self, number: int) -> IPv4Address:
        """Return a machine's address."""
        return self.subnet[number]

    @property
    def interface(self) -> str:
        """Name of the outer machine's end of the lab; a second lab on this subnet would need the same name."""
        return f"brig-{int(self.subnet.network_address) >> 8:06x}"


@dataclass(frozen=True)
class Record:
    """What `lab.json` says: whose lab this is, and which addresses it uses."""

    inventory: str
    subnet: str = ""
    """Its network when it was last up."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The last octet of each machine's address."""

    def address(self, name: str) -> str:
        """Return a machine's address, or nothing when it was never up."""
        if not self.subnet or name not in self.numbers:
            return ""
        return str(Network(IPv4Network(self.subnet)).machine(self.numbers[name]))

    def with_machines(self, names: Iterable[str]) -> Record:
        """Return a record in which each of the names has a number of its own; a number once given stays.

        Raises MachineError when there are too many.
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
    """The files of one machine."""

    lab: str
    """Name of the lab it belongs to."""

    @property
    def unique_name(self) -> str:
        """A name no other lab's machine has, for systemd and control groups of the outer machine."""
        return f"benchrig-{self.lab.rpartition('-')[2]}-{self.name}"

    @property
    def changes(self) -> Path:
        """The upper layer: all in which the machine differs from its image."""
        return self.path / "changes"

    @property
    def kept(self) -> Path:
        """What snapshots kept: a folder each, by number."""
        return self.path / "kept"

    def layers(self) -> tuple[Path, ...]:
        """Return the layers that snapshots kept below `changes`, the newest first, down to one that needs none below it."""
        layers = sorted(self.kept.glob("[0-9]*"), reverse=True)
        whole = next((place for place, layer in enumerate(layers, 1) if layer.name.endswith(WHOLE)), len(layers))
        return tuple(layers[:whole])

    @property
    def exists(self) -> bool:
        """Whether the machine was made: it has something of its own."""
        return self.changes.is_dir() or bool(self.layers())

    @property
    def work(self) -> Path:
        """What overlayfs needs beside the upper layer."""
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
        """What systemd-nspawn said."""
        return self.path / "boot.log"


@dataclass(frozen=True)
class LabFolder(MachinesFolder):
    """The files of one lab."""

    inventory: str

    @property
    def namespace(self) -> Path:
        """The lab's own network namespace, which holds its bridge, while it is mounted."""
        return self.path / "net"

    @property
    def gateway_log(self) -> Path:
        """What slirp4netns said."""
        return self.path / "gateway.log"

    def machine(self, name: str) -> LabMachine:
        """Return the folder of a machine, which need not exist."""
        return LabMachine(name, self.place(name), self.path.name)

    def machines(self) -> tuple[LabMachine, ...]:
        """Return the machines that were made."""
        return tuple(map(self.machine, self.names()))

    def record(self) -> Record:
        """Return what is noted about the lab."""
        try:
            return Record(**json.loads((self.path / "lab.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return Record(self.inventory)

    def note(self, record: Record) -> None:
        """Note it, all or nothing."""
        write(self.path / "lab.json", json.dumps(asdict(record), indent=2).encode())


def lab_of(inventory: Inventory, root: Path) -> LabFolder:
    """Return the folder of an inventory's lab. Raises InputError when a host's name cannot be a machine's."""
    naming.check(inventory.hosts)
    path = cache() / "labs" / naming.folder_name(inventory, root, cache())
    return LabFolder(path, str(inventory.path.resolve()))
