"""Where the lab keeps what it has: everything in the user's cache, one folder a lab, one folder a machine in it.

What runs is never written down: a machine is running when the process list shows its systemd-nspawn, so no note about a
process can be wrong after a crash.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from benchrig import console
from benchrig.errors import InputError, MachineError
from benchrig.inventory import Inventory
from benchrig.machines.command import run

FIRST_MACHINE = 11
"""Lowest last octet of a machine's address: those below are for the outer machine and the gateway."""

WHOLE = "-whole"
"""How the name of a kept layer ends that is a complete root, and stands on no image."""

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def cache() -> Path:
    """Return the folder of everything the lab keeps."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "benchrig"


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
            free = set(range(FIRST_MACHINE, 255)) - set(numbers.values())
            if name not in numbers:
                if not free:
                    raise MachineError(f"{name}: a lab has room for {255 - FIRST_MACHINE} machines")
                numbers[name] = min(free)
        return replace(self, numbers=numbers)


@dataclass(frozen=True)
class MachineFolder:
    """The files of one machine."""

    name: str
    path: Path
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
    def host_key(self) -> Path:
        """Its SSH host key."""
        return self.path / "host_key"

    @property
    def image(self) -> Path:
        """A file that names the image it was made from."""
        return self.path / "image"

    @property
    def ready(self) -> Path:
        """Exists once it has answered; means something only while its systemd-nspawn runs."""
        return self.path / "ready"

    @property
    def log(self) -> Path:
        """What systemd-nspawn said."""
        return self.path / "boot.log"


@dataclass(frozen=True)
class LabFolder:
    """The files of one lab."""

    path: Path
    inventory: str

    @property
    def namespace(self) -> Path:
        """The lab's own network namespace, which holds its bridge, while it is mounted."""
        return self.path / "net"

    @property
    def gateway_log(self) -> Path:
        """What slirp4netns said."""
        return self.path / "gateway.log"

    @property
    def key(self) -> Path:
        """The key we log in with."""
        return self.path / "key"

    @property
    def known_hosts(self) -> Path:
        """The machines' host keys, pinned."""
        return self.path / "known_hosts"

    def machine(self, name: str) -> MachineFolder:
        """Return the folder of a machine, which need not exist."""
        return MachineFolder(name, self.path / "machines" / name, self.path.name)

    def machines(self) -> tuple[MachineFolder, ...]:
        """Return the machines that were made."""
        folder = self.path / "machines"
        return tuple(self.machine(path.name) for path in sorted(folder.iterdir())) if folder.is_dir() else ()

    def record(self) -> Record:
        """Return what is noted about the lab."""
        try:
            return Record(**json.loads((self.path / "lab.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return Record(self.inventory)

    def note(self, record: Record) -> None:
        """Note it, all or nothing."""
        write(self.path / "lab.json", json.dumps(asdict(record), indent=2).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if need be and hold it for ourselves; another process that wants it waits."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(self.path, "another process works on this lab") as descriptor:
                # destroy may have removed the folder while we waited for it
                if self.path.exists() and self.path.stat().st_ino == os.fstat(descriptor).st_ino:
                    yield
                    return


@contextmanager
def held(folder: Path, busy: str) -> Iterator[int]:
    """Hold a folder for ourselves; while another process holds it, say `busy` and wait.

    Yields the folder's descriptor, which carries the lock also into a program that it is passed to.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.line(f"waiting: {busy}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def lab_of(inventory: Inventory, root: Path) -> LabFolder:
    """Return the folder of an inventory's lab: one a user, clone and inventory file, so that no two share machines.

    Raises InputError when a host's name cannot be a machine's.
    """
    for name in inventory.hosts:
        if not HOST_NAME.fullmatch(name):
            raise InputError(f"'{name}' cannot name a lab machine: use a-z, 0-9 and -, at most 40 characters")
    path = str(inventory.path.resolve())
    digest = hashlib.sha256(f"{cache()}\0{root.resolve()}\0{path}".encode()).hexdigest()[:10]
    name = re.sub(r"[^A-Za-z0-9._]", "_", inventory.name)
    return LabFolder(cache() / "labs" / f"{name}-{digest}", path)


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a file in place, all or nothing; what was there, were it a link to elsewhere, is replaced and not followed."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    temporary.replace(path)


def write_below(root: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    """Write a file of the machine whose files are at `root`, and never one outside: a link in the machine may lead there.

    Missing folders are made. Raises MachineError when a folder of `path` is such a link.
    """
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise MachineError(
            f"/{path} cannot be written: its folder is a link that leads out of the machine", "./inv destroy up"
        )
    for folder in reversed(target.relative_to(root).parents):
        if not (root / folder).is_dir():
            (root / folder).mkdir()
            (root / folder).chmod(0o755)
    write(target, content, mode)


def remove(path: Path) -> None:
    """Remove a tree, but nothing that is mounted in it. Raises MachineError when something stays."""
    run(["rm", "-rf", "--one-file-system", "--", path], f"{path} cannot be removed", timeout=300)
