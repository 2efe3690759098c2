"""The commit that a run was measured at, and whether files took part that are not in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchrig.bench.data import DataSet
from benchrig.bench.suite import Plan

PLAYBOOK = "site.yml"

FOLDERS = ("benchrig", "inventory/group_vars", "inventory/host_vars", "configs/nginx")
"""Folders of which every file takes part in a run, as far as git does not ignore it."""

DIRTY = "-dirty"


def commit(root: Path, plan: Plan, data: DataSet | None, inventory: Path) -> str:
    """Return the commit that is checked out; empty outside a clone.

    It ends in `-dirty` if a tracked file differs from it, or an untracked one took part in the run: an app, the suite, a
    script, a data set, a role of the playbook, the inventory.
    """
    found = _git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").strip()
    if not found or found.endswith(DIRTY):
        return found
    return f"{found}{DIRTY}" if _has_untracked(root, plan, data, inventory) else found


def _has_untracked(root: Path, plan: Plan, data: DataSet | None, inventory: Path) -> bool:
    files = {name for path in _files(root, plan, data, inventory) if (name := _inside(root, path))}
    if files - set(_git(root, "ls-files", "-z", "--", *sorted(files)).split("\0")):
        return True
    others = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *FOLDERS, "roles").split("\0")
    named = [name for name in others if name]
    roles = {name.split("/")[1] for name in named if name.startswith("roles/") and name.count("/") > 1}
    return any(not name.startswith("roles/") for name in named) or bool(roles and roles & _roles(root))


def _inside(root: Path, path: Path) -> str:
    """Return a file's name below the project's folder; empty for one elsewhere, of which git cannot know."""
    path, root = path.resolve(), root.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) and path.exists() else ""


def _files(root: Path, plan: Plan, data: DataSet | None, inventory: Path) -> Iterator[Path]:
    """Yield the files that a run is made from, beside those of FOLDERS and the roles."""
    yield from (root / PLAYBOOK, root / "configs" / "suites" / f"{plan.suite}.yml", inventory)
    yield from (app.folder / name for app in plan.apps for name in app.digests())
    yield from (path for row in plan.rows for route in row.traffic.routes for path in route.files)
    yield from (row.traffic.script.path for row in plan.rows if row.traffic.script)
    if data:
        yield from (data.folder / name for name in ("data.yml", *data.digests()))


def _roles(root: Path) -> set[str]:
    """Return the names of the playbook's roles."""
    # Only where a role is untracked: to read them all takes a while.
    from benchrig.provision.playbook import read_playbook

    return {role.name for play in read_playbook(root / PLAYBOOK) for role in play.roles}


def _git(root: Path, *words: str) -> str:
    """Return what git says; empty where it cannot be run, or this is no clone."""
    try:
        done = subprocess.run(("git", "-C", str(root), *words), capture_output=True, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="surrogateescape")
