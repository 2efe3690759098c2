"""Folders of machines: one for each inventory, in it one for each machine; locks, writing and removing of files in them."""

from __future__ import annotations

import fcntl
import os
import shutil
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from benchrig import console, files
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run


def cache() -> Path:
    """Return the user's cache folder of benchrig: machines, root images, boxes."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "benchrig"


@dataclass(frozen=True)
class MachineFolder:
    """The folder of one machine."""

    name: str
    path: Path

    @property
    def host_key(self) -> Path:
        """Its SSH host key."""
        return self.path / "host_key"

    @property
    def image(self) -> Path:
        """A file that names the image or box that the machine was made from."""
        return self.path / "image"

    @property
    def ready(self) -> Path:
        """A file that exists once the machine has answered. Without meaning while the machine does not run."""
        return self.path / "ready"


M = TypeVar("M", bound=MachineFolder)


@dataclass(frozen=True)
class Folder:
    """The folder of one inventory's machines."""

    path: Path

    @property
    def known_hosts(self) -> Path:
        """The file with the machines' pinned host keys."""
        return self.path / "known_hosts"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if necessary and lock it. Waits while another process holds the lock."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.path, "another process works on these machines") as descriptor:
                # A destroy may have removed the folder while we waited for it.
                if self.path.exists() and self.path.stat().st_ino == os.fstat(descriptor).st_ino:
                    yield
                    return

    def remove(self) -> None:
        """Remove all of it. Raises MachineError when something stays."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.path.exists():
            raise MachineError(f"{self.path} cannot be removed")


@dataclass(frozen=True)
class MachinesFolder(Folder, Generic[M]):
    """The folder of one inventory's machines, with a folder for each machine and one login key for all of them."""

    @property
    def key(self) -> Path:
        """The private key that benchrig logs in with."""
        return self.path / "key"

    @abstractmethod
    def machine(self, name: str) -> M:
        """Return the folder of a machine. It need not exist."""

    def machines(self) -> tuple[M, ...]:
        """Return the machines that were made."""
        return tuple(map(self.machine, self.names()))

    def place(self, name: str) -> Path:
        """Return the path of a machine's folder. It need not exist."""
        return self.path / "machines" / name

    def names(self) -> tuple[str, ...]:
        """Return the names of the machines that were made."""
        folder = self.path / "machines"
        return tuple(path.name for path in sorted(folder.iterdir())) if folder.is_dir() else ()


@contextmanager
def locked(folder: Path, busy: str) -> Iterator[int]:
    """Lock a folder. While another process holds the lock, print `busy` and wait.

    Yields the folder's descriptor. A program that inherits it holds the lock too.
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
    """Write a file of the machine whose root folder is `root`, and make missing folders.

    Raises MachineError when a symbolic link in the machine leads outside of `root`.
    """
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise MachineError(
            f"/{path} cannot be written: a symbolic link leads out of the machine",
            Hint("Make the machine anew: ", Inv("destroy", "up")),
        )
    for folder in reversed(target.relative_to(root).parents):
        if not (root / folder).is_dir():
            (root / folder).mkdir()
            (root / folder).chmod(0o755)
    files.write(target, content, mode)


def remove(path: Path) -> None:
    """Remove a folder, but nothing that is mounted in it (Linux only). Raises MachineError when something stays."""
    run(["rm", "-rf", "--one-file-system", "--", path], f"{path} cannot be removed", timeout=300)
