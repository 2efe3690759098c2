"""The lock of a run: one process at a time measures it, and an error names the one that does."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchrig import reading
from benchrig.errors import InputError
from benchrig.yamlfile import shown

TRIES = 4
PAUSE_SECONDS = 0.05
"""Between two of them: `is_held` has the lock for a moment."""


class RunLock:
    """The lock of a run's folder, held until `release`, until nobody refers to it any more, or until the process ends.

    Raises InputError when another process measures the run, and OSError when the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = -1
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        for left in reversed(range(TRIES)):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not left:
                    raise _held(folder) from None
            except OSError:
                # The file system has no locks, as some of a network.
                return
            time.sleep(PAUSE_SECONDS)

    def release(self) -> None:
        """Give up the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.release()


def is_held(folder: Path) -> bool:
    """Return whether a process has the lock of a run's folder: it measures the run. False where that cannot be known."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


def is_locked(descriptor: int) -> bool:
    """Return whether another process has the lock of an open file; it is taken for a moment where none has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def folder_lock(reports: Path) -> Iterator[None]:
    """Let one process at a time add runs to `reports` or remove some of it; others wait. Raises OSError.

    A bench needs no such lock: it makes a folder of its own.
    """
    descriptor = os.open(reports, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _held(folder: Path) -> InputError:
    return InputError(f"{shown(folder)} is being measured by {_holder(folder)}", "Wait until it has ended.")


def _holder(folder: Path) -> str:
    """Return which process holds the lock of a folder, as far as the kernel says: not of one on another computer."""
    with suppress(OSError, reading.ReadError, ValueError):
        seen = folder.stat()
        place = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
        for line in reading.text(Path("/proc/locks")).splitlines():
            # `1: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF`; one that waits has `->` before FLOCK.
            _, kind, _, _, process, locked, *_ = line.split()
            if (kind, locked) == ("FLOCK", place) and int(process) > 0:
                return f"process {process}"
    return "another process"
