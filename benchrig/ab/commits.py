"""The apps of a commit: git finds it, and a copy of the project gets them."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from benchrig.agent.text import one_line
from benchrig.errors import InputError

PLAYBOOK = "site.yml"

COPIED = ("roles", "configs")
"""What a copy has as the files are; only the apps are those of the commit."""

SHORT = 12
"""Digits of a commit that are shown."""


class Projects:
    """Copies of a project with the apps of commits, in a temporary folder that is removed at the end."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def of(self, commit: str, app: str) -> Path:
        """Return the project with `apps/` as of a commit. Raises InputError when that has no such app."""
        if not _git(self._root, "cat-file", "-e", f"{commit}:apps/{app}/app.yml").ok:
            raise InputError(f"commit {commit[:SHORT]} has no app '{app}': there is no apps/{app}/app.yml in it")
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="benchrig-ab-"))
        folder = self._folder / commit
        if not folder.exists():
            folder.mkdir()
            shutil.copy(self._root / PLAYBOOK, folder)
            for name in COPIED:
                shutil.copytree(self._root / name, folder / name)
            with tarfile.open(fileobj=io.BytesIO(_git(self._root, "archive", commit, "apps").output)) as archive:
                archive.extractall(folder)
        return folder


def resolve(root: Path, name: str) -> str:
    """Return the commit that a name means, in full. Raises InputError where git knows none."""
    shown = one_line(name, 100)
    if name.startswith("-"):
        raise InputError(f"'{shown}' cannot name a commit")
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    commit = found.output.decode(errors="replace").strip()
    if not found.ok or not commit:
        if not _git(root, "rev-parse", "--git-dir").ok:
            raise InputError(f"commit '{shown}' cannot be looked up: this is no clone of git")
        raise InputError(f"unknown commit '{shown}': git has no commit of that name here")
    return commit


class _Done:
    """What git did."""

    def __init__(self, ok: bool, output: bytes) -> None:
        self.ok = ok
        self.output = output


def _git(root: Path, *words: str) -> _Done:
    """Run git in a folder. Raises InputError where there is no git."""
    try:
        done = subprocess.run(("git", "-C", str(root), *words), capture_output=True, check=False)
    except OSError as error:
        raise InputError(f"git cannot be run: {error.strerror}", "Install it; variants with @COMMIT need it.") from None
    return _Done(done.returncode == 0, done.stdout)
