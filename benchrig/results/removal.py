"""Removes runs: a run is renamed into a hidden folder first, so what is in `reports/` is a whole run or none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchrig import console, files
from benchrig.agent.text import one_line
from benchrig.errors import Hint, InputError, Inv, unknown
from benchrig.results import sessions, store
from benchrig.results.archive import layout
from benchrig.results.lock import RunLock, folder_lock
from benchrig.yamlfile import shown

REMOVED = ".removed"
"""The hidden folder, beside a run, that a run is in while it is removed. What a kill leaves there, the next removal ends."""


@dataclass(frozen=True)
class Doomed:
    """A run, an A/B session, or a link to one, that is to be removed."""

    path: Path
    is_link: bool
    """It is a link: what it leads to stays."""
    size: int
    """Of its files, in bytes."""

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.path.name


def find(reports: Path, name: str, others: Collection[str] = ()) -> Doomed:
    """Return what a name or a path means: of a name, only what is in `reports` and has the whole name.

    `others` are names of published sets. Raises InputError for what is no run, is part of a session, or is being measured.
    """
    path = store.newest(reports) if name == store.LATEST else _path(reports, name)
    inside = path.parent == reports.resolve()
    if path.is_symlink() and (inside or _is_run(path, inside)):
        return Doomed(path, True, 0)
    if not _is_run(path, inside):
        if name in others:
            raise InputError(f"'{name}' is a set of published figures, and no run", f"It is configs/published/{name}.yml.")
        if "/" in name:
            raise InputError(f"{shown(path)} is no run")
        raise unknown("run", name, {*store.names(reports), *(folder.name for folder in sessions.folders(reports))})
    if whole := next((one for one in list(path.parents)[:2] if (one / sessions.FILE).exists()), None):
        raise InputError(
            f"{shown(path)} is part of a session", Hint(Inv("rm", whole.name, on_inventory=False), " removes all of it.")
        )
    if not inside and (foreign := layout.unlisted(path)):
        _see_reports_alone(path, foreign)
    RunLock(path).release()
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))
    return Doomed(path, False, size_of(path))


def _path(reports: Path, name: str) -> Path:
    given = Path(name) if "/" in name else reports / name
    if not name.strip("/") or given.name in ("", "..") or name in (".", "..") or name.endswith(("/.", "/..")):
        raise InputError(f"'{one_line(name, 100)}' names no run: give the name of its folder")
    if "\0" in name:
        raise InputError("the name of a run has no NUL character")
    # Not of the last part: a link is removed, and what it leads to is not.
    return given.parent.resolve() / given.name


def _is_run(path: Path, inside: bool) -> bool:
    """Say whether a folder is that of a run or a session, be it damaged; `inside` reports, of a bench that was killed early.

    Elsewhere, a folder `raw` may be anyone's.
    """
    try:
        there = {one.name for one in path.iterdir()}
    except OSError:
        return False
    hidden = path.name.startswith(".")
    return not hidden and not there.isdisjoint({store.RUN, store.CELLS, sessions.FILE, *([store.RAW] if inside else [])})


def _see_reports_alone(path: Path, foreign: Sequence[str]) -> None:
    """See that nothing but a run's files is lost with a folder which is not of this project. Raises InputError."""
    own = ("report.", store.IMPORTED, sessions.FILE, "boot-")
    if others := [name for name in foreign if not name.startswith(own)]:
        raise InputError(
            f"{shown(path)} has more than a run: {one_line(', '.join(others), 200)}",
            "It is not in reports/: remove it yourself.",
        )


def size_of(folder: Path) -> int:
    """Return the size of the files in a folder, in bytes; links are not followed."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(base) / name).lstat().st_size
            except OSError:
                continue
    return total


def remove(doomed: Sequence[Doomed], reports: Path, tell: Callable[[Doomed], object]) -> None:
    """Remove runs that were found, and `tell` of each; then let `latest` follow.

    Raises InputError for one that is being measured by now, and OSError. The others before it are gone then; it is whole.
    """
    try:
        for one in doomed:
            _remove(one)
            tell(one)
    finally:
        if reports.is_dir():
            relink(reports)


def _remove(one: Doomed) -> None:
    if one.is_link:
        one.path.unlink()
        return
    bin_ = one.path.parent / REMOVED
    with folder_lock(one.path.parent):
        lock = RunLock(one.path)
        try:
            bin_.mkdir(exist_ok=True)
            shutil.rmtree(bin_ / one.name, ignore_errors=True)
            one.path.rename(bin_ / one.name)
            files.sync_folder(one.path.parent)
            shutil.rmtree(bin_, ignore_errors=True)
        finally:
            lock.release()
    if bin_.exists():
        console.warn(f"{shown(bin_)} could not be removed to its end: remove it yourself")


def relink(reports: Path) -> None:
    """Let the link `latest` follow: to the newest complete run, or nowhere where there is none. Raises OSError."""
    path = reports / store.LATEST
    if os.path.lexists(path) and not path.is_symlink():
        return
    complete = [entry.folder.name for entry in store.entries(reports, tell=False) if entry.is_complete]
    if not complete:
        path.unlink(missing_ok=True)
    elif not path.is_symlink() or str(path.readlink()) != complete[-1]:
        files.link(path, complete[-1])
