"""Who works on the machines of a folder: the benches and provisions of this computer that have begun and not ended.

Each has a file below `users/`, which it locks until its process ends. The kernel gives up the lock of a process that is
killed, so a file alone stops nobody. What a user of another computer does, only the host's own lock tells (`agent/lock.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from benchrig import reading
from benchrig.agent.lock import age
from benchrig.remote.session import who

_FOLDER = "users"

_LONGEST = 4096
"""Bytes of a file that says who it is."""

_held: dict[Path, int] = {}
"""Descriptors of this process's own files, which hold their locks."""


def note(folder: Path, verb: str) -> None:
    """Note that this process works on the machines of a folder, until it ends. `verb` is what it does: `bench`.

    The folder's own lock must be held, so that nobody looks in between. Raises OSError.
    """
    path = folder / _FOLDER / str(os.getpid())
    if path not in _held or not path.exists():
        path.parent.mkdir(exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path in _held:
            os.close(_held[path])
        _held[path] = descriptor
    content = json.dumps({"verb": verb, "who": who(), "since": time.time()}).encode()
    os.pwrite(_held[path], content, 0)
    os.ftruncate(_held[path], len(content))


def others(folder: Path) -> tuple[str, ...]:
    """Return the other processes that work on the machines of a folder: `a bench by me@here, process 12, for 4 min`."""
    paths = sorted((folder / _FOLDER).iterdir()) if (folder / _FOLDER).is_dir() else []
    return tuple(_said(path) for path in paths if path not in _held and _is_locked(path))


def _is_locked(path: Path) -> bool:
    """Return whether the process of a file lives; remove the file of one that has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):
            path.unlink()
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _said(path: Path) -> str:
    try:
        written = json.loads(reading.text(path, _LONGEST))
        return f"a {written['verb']} by {written['who']}, for {age(max(0.0, time.time() - written['since']))}"
    except (reading.ReadError, ValueError, LookupError, TypeError):
        return f"process {path.name}"
