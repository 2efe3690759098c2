"""Where machines of our own are kept: a folder an inventory, a folder a machine in it; how files get there and go away."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchrig import console, files
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run


def cache() -> Path:
    """Return the folder of everything that benchrig keeps for a user."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "benchrig"


@dataclass(frozen=True)
class MachineFolder:
    """The files of one machine."""

    name: str
    path: Path

    @property
    def host_key(self) -> Path:
        """Its SSH host key."""
        return self.path / "host_key"

    @property
    def image(self) -> Path:
        """A file that names the image or box it was made from."""
        return self.path / "image"

    @property
    def ready(self) -> Path:
        """Exists once it has answered; means something only while it runs."""
        return self.path / "ready"


@dataclass(frozen=True)
class Folder:
    """The files of one inventory's machines."""

    path: Path

    @property
    def known_hosts(self) -> Path:
        """The machines' host keys, pinned."""
        return self.path / "known_hosts"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if need be and hold it for ourselves; another process that wants it waits."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(self.path, "another process works on these machines") as descriptor:
                # destroy may have removed the folder while we waited for it
                if self.path.exists() and self.path.stat().st_ino == os.fstat(descriptor).st_ino:
                    yield
                    return

    def remove(self) -> None:
        """Remove all of it. Raises MachineError when something stays."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.path.exists():
            raise MachineError(f"{self.path} cannot be removed")


@dataclass(frozen=True)
class MachinesFolder(Folder):
    """The same with a folder a machine, and one key for all of them."""

    @property
    def key(self) -> Path:
        """The key we log in with."""
        return self.path / "key"

    def machine(self, name: str) -> MachineFolder:
        """Return the folder of a machine, which need not exist."""
        return MachineFolder(name, self.place(name))

    def machines(self) -> tuple[MachineFolder, ...]:
        """Return the machines that were made."""
        return tuple(map(self.machine, self.names()))

    def place(self, name: str) -> Path:
        """Return where a machine's folder is, or would be."""
        return self.path / "machines" / name

    def names(self) -> tuple[str, ...]:
        """Return the names of the machines that were made."""
        folder = self.path / "machines"
        return tuple(path.name for path in sorted(folder.iterdir())) if folder.is_dir() else ()


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


def write_below(root: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    """Write a file of the machine whose files are at `root`, and never one outside: a link in the machine may lead there.

    Missing folders are made. Raises MachineError when a folder of `path` is such a link.
    """
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise MachineError(
            f"/{path} cannot be written: its folder is a link that leads out of the machine", Hint(Inv("destroy", "up"))
        )
    for folder in reversed(target.relative_to(root).parents):
        if not (root / folder).is_dir():
            (root / folder).mkdir()
            (root / folder).chmod(0o755)
    files.write(target, content, mode)


def remove(path: Path) -> None:
    """Remove a tree, but nothing that is mounted in it. Raises MachineError when something stays."""
    run(["rm", "-rf", "--one-file-system", "--", path], f"{path} cannot be removed", timeout=300)
