"""The host lock: one bench or provision at a time on a host, in /run/benchrig/lock.

The kernel's flock decides who has it, so a lock of a process that died is no obstacle. The file's content, one JSON line,
only says who that is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from . import spec

PATH = Path("/run/benchrig/lock")

_CONTENT_BYTES = 8192
_STOP_SECONDS = 30.0
_CONTENT_SECONDS = 0.2
"""How long the content may lag behind the lock: the holder writes it just after it got the lock."""


@dataclass(frozen=True)
class Owner:
    """Who uses a host: the verb (bench, provision), the controller's session, and the agent's process there."""

    verb: str
    session: str
    """Random for each command of a controller. A bench and the provision that it starts share one."""
    who: str
    """The controller: `user@host, process 123`."""
    pid: int
    since: float
    """Seconds since 1970."""
    unit: str = ""
    """The systemd unit that holds the lock, if it is one: stopping it gives the lock up."""
    deserted: bool = False
    """Its controller is gone; a newcomer may stop the unit from `kept_until` on."""
    kept_until: float = 0.0
    """Until then, by this machine's monotonic clock, the controller may come back."""
    started: int = 0
    """When the agent's process was started, as the kernel counts it: another one may get its number."""

    @property
    def age_seconds(self) -> float:
        """How long it has had the host, by this machine's clock."""
        return max(0.0, time.time() - self.since)

    def __str__(self) -> str:
        gone = "; that controller is gone" if self.deserted else ""
        if self.kept_seconds:
            gone = f"; that controller may be back within {self.kept_seconds:.0f} s"
        host = f"process {self.pid} on the host{gone}"
        return f"a {self.verb} by {self.who} has had this host for {age(self.age_seconds)} ({host})"

    @property
    def kept_seconds(self) -> float:
        """How long the host is still kept for a controller that is gone; 0 while it is there."""
        return max(0.0, self.kept_until - time.monotonic()) if self.deserted else 0.0

    def lives(self) -> bool:
        """Tell whether the agent's process is there still."""
        return bool(self.started) and self.started == _started(self.pid)


class HeldError(Exception):
    """Somebody else has the host. `owner` is None when the lock does not say who."""

    def __init__(self, owner: Owner | None) -> None:
        super().__init__(str(owner) if owner else "another process has this host; its lock does not say which")
        self.owner = owner


class HostLock:
    """A lock that is held until it is closed or the process ends."""

    def __init__(self, file: BinaryIO | None, owner: Owner) -> None:
        self._file = file
        """None when the bench of the same session holds the lock for us."""
        self.owner = owner
        """Who has the lock: we."""

    def __enter__(self) -> HostLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def note_deserted(self, kept_seconds: float) -> None:
        """Write down that the controller is gone, and how long the host is kept for it."""
        self.owner = dataclasses.replace(self.owner, deserted=True, kept_until=time.monotonic() + kept_seconds)
        self.write()

    def note_back(self) -> None:
        """Write down that the controller is there."""
        if self.owner.deserted:
            self.owner = dataclasses.replace(self.owner, deserted=False, kept_until=0.0)
            self.write()

    def write(self) -> None:
        """Write who has the lock. A full disk is no reason not to hold it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                line = json.dumps(dataclasses.asdict(self.owner)).encode() + b"\n"
                os.pwrite(self._file.fileno(), line, 0)
                os.ftruncate(self._file.fileno(), len(line))

    def close(self) -> None:
        """Give the lock up."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), 0)
            self._file.close()
            self._file = None


def take(path: Path, owner: Owner) -> HostLock:
    """Lock the host. Raises HeldError when another session has it, OSError when there can be no lock.

    A session is let in where its bench has the lock already. A holder that is kept for nobody is stopped.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Opened to be written anywhere: with O_APPEND, pwrite appends.
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
    try:
        if not _lock(file):
            holder = _settled_owner(path)
            if holder and holder.verb == "bench" and holder.session == owner.session:
                file.close()
                return HostLock(None, owner)
            if not (holder and _may_be_stopped(holder) and _stopped(holder.unit) and _lock(file)):
                raise HeldError(holder)
        held = HostLock(file, dataclasses.replace(owner, started=_started(owner.pid)))
        held.write()
    except BaseException:
        file.close()
        raise
    return held


def read_owner(path: Path) -> Owner | None:
    """Return who wrote the lock's content last; None when nobody did. It may be dead: only flock knows."""
    try:
        with path.open("rb") as file:
            return spec.build(Owner, json.loads(file.read(_CONTENT_BYTES)))
    except (OSError, ValueError, RecursionError, spec.SpecError):
        return None


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # What a process left that was killed says nothing of us.
    with contextlib.suppress(OSError):
        os.ftruncate(file.fileno(), 0)
    return True


def _may_be_stopped(holder: Owner) -> bool:
    return bool(holder.unit) and holder.deserted and not holder.kept_seconds


def _started(pid: int) -> int:
    """Return when a process was started, in the kernel's ticks since the machine's start; 0 when there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except OSError:
        return 0


def _settled_owner(path: Path) -> Owner | None:
    """Return who has the lock, once the content is that of a process that lives; None when it stays another's."""
    deadline = time.monotonic() + _CONTENT_SECONDS
    while True:
        owner = read_owner(path)
        if owner and owner.lives():
            return owner
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)


def _stopped(unit: str) -> bool:
    """Stop a unit, and return whether it has stopped."""
    try:
        return not subprocess.run(("systemctl", "stop", "--", unit), check=False, timeout=_STOP_SECONDS).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def age(seconds: float) -> str:
    """Write how long something has lasted, in its two leading digits or so: `90 s`, `4 min`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
