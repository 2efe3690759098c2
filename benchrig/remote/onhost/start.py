"""Starts the agent, from the current folder, if every file is as it was written; otherwise exits with 97.

Files are damaged by a power cut, a full or a broken disk. The manifest names them, and has a hash over the version of Python
whose compiled files they are, their names, and what is in them. Arguments: `python3 -m agent VERB`,
which is what it does in the end.
"""

import hashlib
import os
import runpy
import stat
import sys
from pathlib import Path

DAMAGED = 97
LONGEST = 1 << 24


def content(name: str) -> bytes:
    """Return what is in a regular file; none other is waited for. Raises OSError."""
    number = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(f"{name} is no regular file")
        return os.read(number, LONGEST)
    finally:
        os.close(number)


def is_whole() -> bool:
    """Say whether all files are as they were written."""
    try:
        hashed, _, names = content("manifest").partition(b"\n")
        found = hashlib.sha256(sys.version.encode() + names)
        for name in names.decode().split("\n"):
            found.update(content(name))
    except (OSError, ValueError):
        return False
    return found.hexdigest().encode() == hashed


if __name__ == "__main__":
    if not is_whole():
        sys.exit(DAMAGED)
    # Those that are not used for long are removed.
    os.utime(".")
    print("ready", flush=True)
    sys.path[0] = str(Path.cwd())
    sys.argv[1:] = sys.argv[-1:]
    runpy.run_module("agent", run_name="__main__", alter_sys=True)
