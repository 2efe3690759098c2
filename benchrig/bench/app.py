"""What an app is: a folder under `apps/` with an `app.yml` that says how to run it and what a correct answer is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchrig import yamlfile
from benchrig.errors import InputError, Problem, unknown


@dataclass(frozen=True)
class Check:
    """A request and the answer it must get."""

    path: str = "/health"
    status: int = 200
    body: str = "ok"
    """Text that must be in the body of every reply."""


@dataclass(frozen=True)
class AppFile:
    """`app.yml` as it is written."""

    title: str
    """The system's name in a report."""
    runtime: Literal["python", "go", "openresty"]
    source: tuple[str, ...]
    """Files, relative to the app's folder; they may lie in another app's folder (`../flask-sync/app.py`)."""
    command: str
    """Run in the folder of the app's files; `{bin}` is its environment's or its build's folder of programs."""
    check: Check
    port: int = 8080
    requirements: str = ""
    """Pinned and hashed requirements of a Python app, relative to the app's folder."""
    build: str = ""
    """Builds a compiled app from its folder into `{bin}`."""
    sleep_seconds: float = 0.0
    """How long each request waits on purpose."""
    environment: dict[str, str] | None = None
    versions: tuple[str, ...] = ()
    """Python distributions whose versions a report names."""
    note: str = ""


@dataclass(frozen=True)
class App:
    """An app: its name (the folder's), where it lies, and its `app.yml`."""

    name: str
    folder: Path
    file: AppFile

    @property
    def unit(self) -> str:
        """Name of the systemd unit that runs it."""
        return f"benchrig-{self.name}.service"

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each of its files by name, as they must lie on the host."""
        paths = [self.folder / name for name in ("app.yml", *self.file.source, self.file.requirements) if name]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def read_app(folder: Path) -> App:
    """Read one app's folder. Raises InputError with `file:line` for each mistake."""
    document = yamlfile.read(folder / "app.yml")
    file = document.build(AppFile)
    problems: list[Problem] = []
    if file.runtime == "python" and not file.requirements:
        problems.append(document.problem(("runtime",), "a python app needs 'requirements'"))
    if file.runtime == "go" and not file.build:
        problems.append(document.problem(("runtime",), "a go app needs 'build'"))
    for index, name in enumerate(file.source):
        if not (folder / name).is_file():
            problems.append(document.problem(("source", index), f"there is no file '{name}'"))
    if file.requirements and not (folder / file.requirements).is_file():
        problems.append(document.problem(("requirements",), f"there is no file '{file.requirements}'"))
    if problems:
        raise InputError(problems=problems)
    return App(folder.name, folder, file)


def read_apps(root: Path) -> dict[str, App]:
    """Read every app below `root/apps`, by name. Raises InputError with the mistakes of all of them at once."""
    apps: dict[str, App] = {}
    problems: list[Problem] = []
    for path in sorted((root / "apps").glob("*/app.yml")):
        try:
            apps[path.parent.name] = read_app(path.parent)
        except InputError as error:
            problems.extend(error.problems or [Problem(yamlfile.shown(path), str(error))])
    if problems:
        raise InputError(problems=problems)
    return apps


def find(apps: dict[str, App], name: str) -> App:
    """Return the app of that name, or raise InputError with the nearest names."""
    if name not in apps:
        raise unknown("app", name, apps)
    return apps[name]
