"""Makes the agent's folder of the archive on standard input, in place of one that is damaged; removes those long unused.

Only compiled files are kept, so that what start.py verifies is what runs. They are written beside their place, flushed to
the disk, and renamed. Arguments: the folder of all agents, the name of this one.
"""

import fcntl
import hashlib
import importlib.util
import marshal
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

KEPT_SECONDS = 86400
"""How long an agent that is not used is kept: another controller may have another version."""


def compiled() -> Iterator[tuple[str, bytes]]:
    """Yield the archive's files, compiled, with their names; they never look for their source again."""
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file:
                code = compile(file.read(), member.name, "exec", dont_inherit=True)
                head = importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + bytes(8)
                yield f"{member.name}c", head + marshal.dumps(code)


def write(path: Path, data: bytes) -> None:
    """Write a new file and flush it to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def flush(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    number = os.open(folder, os.O_RDONLY)
    os.fsync(number)
    os.close(number)


def install(root: Path, name: str) -> None:
    """Make the agent's folder in the folder of all agents."""
    new = Path(tempfile.mkdtemp(prefix=".new.", dir=root))
    try:
        files = dict(compiled())
        for path, data in files.items():
            write(new / path, data)
        names = "\n".join(files).encode()
        hashed = hashlib.sha256(sys.version.encode() + names + b"".join(files.values())).hexdigest()
        write(new / "manifest", hashed.encode() + b"\n" + names)
        for folder, _, _ in os.walk(new):
            flush(Path(folder))
        new.chmod(0o755)
        if os.path.lexists(root / name):
            # What runs from it goes on.
            (root / name).rename(Path(tempfile.mkdtemp(prefix=".old.", dir=root), name))
        new.rename(root / name)
        flush(root)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def in_use() -> set[Path]:
    """Return the folders that processes are in: an agent is in its own, and that of a long bench looks unused."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found.add(folder.readlink())
    return found


def lock(root: Path) -> None:
    """Wait until no other controller changes the folder of all agents; this process has it until it ends."""
    fcntl.flock(os.open(root, os.O_RDONLY), fcntl.LOCK_EX)


def remove_old(root: Path, name: str) -> None:
    """Remove the agents that were not used for a day, and what was left of sending them."""
    kept = {root / name, *in_use()}
    for path in root.iterdir():
        if time.time() - path.lstat().st_mtime > KEPT_SECONDS and not kept & {path, *path.glob("*")}:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock(folder)
        install(folder, sys.argv[2])
        remove_old(folder, sys.argv[2])
    except OSError as error:
        sys.exit(f"{error.filename or folder}: {error.strerror}")
