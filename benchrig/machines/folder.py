"""Folders of machines: one for each inventory, in it one for each machine; locks, writing and removing of files in them."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import shutil
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from benchrig import console, files, reading
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run

OWNER = ".owner"
"""The file in a locked folder that says who holds its lock."""


LONGEST_PATH = 4096
"""Bytes of a path on Linux."""


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

    def made_from(self) -> str:
        """Return the image or box that the machine was made from. Raises MachineError when its file is damaged."""
        try:
            if text := reading.text(self.image, LONGEST_PATH).strip():
                return text
            wrong = "it is empty"
        except reading.ReadError as error:
            wrong = str(error)
        raise MachineError(
            f"{self.name}: {self.image} cannot be read: {wrong}", Hint("Make the machine anew: ", Inv("destroy", "up"))
        )

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
    """Lock a folder. While another process holds the lock, print `busy` with its owner, and wait.

    Yields the folder's descriptor. A program that inherits it holds the lock too. The kernel gives up the lock of a process
    that ends, so a file with the owner's name is never taken for the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.line(f"waiting: {busy}{_owner(folder)}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with _signed(folder):
            yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _signed(folder: Path) -> Iterator[None]:
    """Have a file in the folder say who holds its lock, as far as it can be written."""
    # Whoever has no name in /etc/passwd makes getuser() raise KeyError.
    with suppress(OSError, KeyError):
        owner = {"who": getpass.getuser(), "host": os.uname().nodename, "pid": os.getpid(), "since": time.time()}
        files.write(folder / OWNER, json.dumps(owner), 0o600)
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / OWNER).unlink()


def _owner(folder: Path) -> str:
    """Return who holds the lock of a folder, in brackets: user, computer, process and since when."""
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(owner["since"]))
        said = f"{owner['who']}@{owner['host']}, process {owner['pid']}, since {since}"
        gone = owner["host"] == os.uname().nodename and _has_ended(int(owner["pid"]))
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return ""
    return f" ({said}; it has ended, and a program that it started goes on)" if gone else f" ({said})"


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


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
