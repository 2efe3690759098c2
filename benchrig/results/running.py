"""The benches of a project that run now: each writes what it does to a small file, which `./inv watch` reads.

`.benchrig/running/` has for each bench a file of its state, replaced as a whole, and a file that the bench keeps locked. The
kernel ends the lock with the process. So what a killed bench left is not believed; the next bench removes it.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchrig import files, reading
from benchrig.results.lock import is_locked
from benchrig.results.model import Status

FOLDER = Path(".benchrig", "running")
"""In the project's folder; git ignores it."""

MOST_FINISHED = 100
"""Cells whose results a state has: the last ones."""

MOST_SECONDS = 60
"""Of the course of the throughput that a state has."""

MOST_BYTES = 1 << 20
"""Of a state."""

_TRIES = 20
_STEP_SECONDS = 0.01

Seen = Literal["listen_overflows", "retransmits", "steal_percent", "idle_percent"]


@dataclass(frozen=True)
class Notice:
    """Something seen while a load runs that would spoil its figures: a count, or a share in percent."""

    what: Seen
    value: float


@dataclass(frozen=True)
class Finished:
    """A cell that is over."""

    title: str
    """The row, with its server where there are several."""
    count: str
    """Its place: `3/16`, or `round 2`."""
    status: Status
    text: str
    """Its figures, or why there are none."""
    invalid: tuple[str, ...] = ()
    """The codes of the warnings that make it invalid."""
    warnings: tuple[str, ...] = ()
    """The codes of the others."""
    number: int = 0
    """1 for the first cell that this bench measured."""


@dataclass(frozen=True)
class Running:
    """The state of a bench that runs."""

    pid: int
    """Its process."""
    suite: str
    started_at: str
    run: str = ""
    """The name of its run; empty before its first cell is over."""
    title: str = ""
    """The row that is measured now; empty between two of them."""
    count: str = ""
    step: str = ""
    """What is being done."""
    seconds_left: float | None = None
    """Of the whole bench; None: not known yet."""
    at_most: bool = False
    """It may end earlier: rounds are added until its rows are precise enough."""
    rate: float | None = None
    """About how many requests per second are answered now; None: not known."""
    rates: tuple[float | None, ...] = ()
    """The same of each of the last seconds."""
    notices: tuple[Notice, ...] = ()
    """What was seen in the load that runs."""
    cells: int = 0
    """How many cells are over."""
    finished: tuple[Finished, ...] = ()
    """The last of them."""
    ended: str = ""
    """How it ended; empty while it runs."""
    failed: bool = False
    """It ended early, or rows failed."""


class StateFile:
    """The file of this process's bench. Raises OSError when it cannot be made, or locked."""

    def __init__(self, root: Path) -> None:
        folder = root / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        self._path = folder / f"{os.getpid()}.json"
        # What an earlier bench of this process left.
        self._path.unlink(missing_ok=True)
        self._lock = _locked(self._path.with_suffix(".lock"))

    def write(self, state: Running) -> None:
        """Replace the state. Raises OSError."""
        # It need not outlive a power cut, and a flush each second would disturb a disk that is measured, too.
        files.write(self._path, json.dumps(dataclasses.asdict(state)), durable=False)

    def close(self) -> None:
        """Give up the lock. The last state stays for whoever watches, until another bench begins."""
        os.close(self._lock)


def running(root: Path) -> list[Running]:
    """Return the states of a project's benches that run, in the order of their beginnings."""
    found = []
    for path in sorted((root / FOLDER).glob("*.lock")):
        if _is_held(path) and (state := read(path.with_suffix(".json"))):
            found.append(state)
    return sorted(found, key=lambda state: (state.started_at, state.pid))


def look(root: Path, state: Running) -> tuple[Running, bool]:
    """Return the newest state of the same bench, and whether it still runs."""
    path = root / FOLDER / f"{state.pid}.json"
    # First: the last state is written before the lock is given up.
    held = _is_held(path.with_suffix(".lock"))
    newer = read(path)
    if newer is None:
        return state, held
    if newer.started_at != state.started_at:
        return state, False
    return newer, held and not newer.ended


def read(path: Path) -> Running | None:
    """Return the state in a file; None where there is none that can be read."""
    try:
        if reading.is_larger(path, MOST_BYTES):
            return None
        return reading.record(Running, path)
    except reading.ReadError:
        return None


def _locked(path: Path) -> int:
    """Make a file and lock it; return its descriptor. Raises OSError."""
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            # A reader may hold it for a moment, and another bench may remove it before it is locked.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            time.sleep(_STEP_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise BlockingIOError(f"{path.name} is locked by another process")


def _is_held(path: Path) -> bool:
    """Return whether a process holds the lock of a file."""
    with _opened(path) as descriptor:
        return descriptor is not None and is_locked(descriptor)


def _remove_stale(folder: Path) -> None:
    """Remove what benches left that run no more."""
    for path in folder.glob("*.lock"):
        with _opened(path) as descriptor, suppress(OSError):
            if descriptor is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in (path.with_suffix(".json"), *folder.glob(f".{path.stem}.json.*.new"), path):
                    left.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
