"""Atomic writes: a file is replaced as a whole, so a reader, or a program killed half-way, never leaves half of one.

Every file that the controller replaces is written here. The agent has its own (`agent/play/replacing.py`).
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write(path: Path, content: str | bytes, mode: int | None = None, *, durable: bool = True) -> None:
    """Replace a file by `content`: written beside it, flushed to the disk, then renamed over it.

    Text is written as UTF-8, and half of a surrogate pair as its escape.

    What was there before is replaced, also if it is a link, and never followed. `mode` sets the permissions exactly;
    without it they follow the user's umask. Without `durable`, nothing waits for the disk: a power cut may take the file.
    Raises OSError about `path`; the file is then as it was.
    """
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    temporary = _beside(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        # A secret must not be readable for others for even a moment, so the file is made with its mode.
        with os.fdopen(os.open(temporary, flags, 0o666 if mode is None else mode), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


def sync_folder(path: Path) -> None:
    """See the names in a folder on the disk: after a power cut, a new file is there. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems, such as those of a network, sync no folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def link(path: Path, target: str) -> None:
    """Replace the symbolic link at `path` by one to `target`. Raises OSError; the link is then as it was."""
    temporary = _beside(path)
    try:
        temporary.symlink_to(target)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    """Return a free path in the same folder, and so on the same file system: only there is a rename atomic.

    It has this process's id, so that two processes do not write to one file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.unlink(missing_ok=True)
    except OSError as error:
        error.filename = str(path)
        raise
    return temporary
