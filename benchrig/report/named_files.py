"""Files that the user names for a report to be written to: none is a link, a device, or a part of what was measured."""

from __future__ import annotations

import os
from pathlib import Path

from benchrig import files, reading
from benchrig.errors import BenchrigError, InputError
from benchrig.results import index, sessions, store

_SYSTEM = ("/dev", "/proc", "/sys")


def check(flag: str, name: str) -> None:
    """Raise InputError for a name that cannot be a file's, before anything is measured."""
    if wrong := _wrong(Path(name)):
        raise InputError(f"{flag} {name}: {wrong}")


def write(flag: str, name: str, text: str) -> BenchrigError | None:
    """Write a file as a whole. Return why it could not be written."""
    try:
        files.write(Path(name), text)
    except OSError as error:
        return BenchrigError(f"{flag} {name}: cannot be written: {error.strerror}")
    return None


def _wrong(path: Path) -> str:
    """Return why a path cannot be a file's; empty where it can. A link such as /dev/stdout would be replaced.

    What was measured is never overwritten: no file is within the folder of a run or of a session, or is the index of runs.
    """
    if reading.is_below(path.absolute().parent, *map(Path, _SYSTEM)):
        return "is no regular file"
    try:
        if path.is_symlink():
            return f"is a link: name the file itself, {os.path.realpath(path)}"
        if record := _record(path):
            return record
        if path.is_dir():
            return "is a folder"
        if path.exists() and not path.is_file():
            return "is no regular file"
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}"
    except (OSError, ValueError) as error:
        return f"cannot be a file: {error}"
    return "" if os.access(path.parent, os.W_OK | os.X_OK) else f"the folder {path.parent} cannot be written to"


def _record(path: Path) -> str:
    """Return what a file would be a part of that is not to be written to; empty where it is none."""
    folder = path.absolute().parent.resolve()
    for above in (folder, *folder.parents):
        if any(os.path.lexists(above / name) for name in (store.RUN, store.CELLS, sessions.FILE)):
            return f"is within {above}, where measured results are: name a file elsewhere"
    return "is the index of runs" if path.name.startswith(index.FILE) else ""
