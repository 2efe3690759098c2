"""Files written beside their place, synced and renamed: what is in place is whole, also after a power cut."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path that is free, in the same folder; what is made there replaces `path`, unless an error ends it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        if not temporary.is_symlink():
            sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk. Raises OSError when that fails."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        # A module that runs as a user may write where it cannot read.
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems sync no folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def private(path: Path) -> BinaryIO:
    """Return a new file that only its owner can read, to be written to."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def replace(path: Path, content: bytes) -> None:
    """Give a file that only its owner can read a new content."""
    with replacing(path) as temporary, private(temporary) as file:
        file.write(content)
