"""The lock of a run: one process at a time measures it, and an error names the one that does."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from benchrig import reading
from benchrig.errors import InputError
from benchrig.yamlfile import shown


class RunLock:
    """The lock of a run's folder, held until `release`, until nobody refers to it any more, or until the process ends.

    Raises InputError when another process measures the run, and OSError when the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = -1
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{shown(folder)} is being measured by {_holder(folder)}", "Wait until it has ended.") from None
        except OSError:
            # The file system has no locks, as some of a network.
            pass

    def release(self) -> None:
        """Give up the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.release()


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
