"""Files written beside their place and renamed, so that what is in place is always whole."""

from __future__ import annotations

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
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def private(path: Path) -> BinaryIO:
    """Return a new file that only its owner can read, to be written to."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def replace(path: Path, content: bytes) -> None:
    """Give a file that only its owner can read a new content."""
    with replacing(path) as temporary, private(temporary) as file:
        file.write(content)
