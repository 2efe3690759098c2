"""Apps: each is a folder of `apps/` with an `app.yml` that says how to run it and what it must answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchrig import reading, yamlfile
from benchrig.agent import spec
from benchrig.agent.play import unit_line
from benchrig.agent.text import short
from benchrig.bench.data import digests, read_data
from benchrig.bench.runtimes import runtimes
from benchrig.bench.traffic import PLACEHOLDER, Route, RouteFile, resolve, within
from benchrig.errors import unknown
from benchrig.mistakes import Mistakes, check_title

LONGEST_NAME = 64
"""A name is part of a systemd unit's name and of the names of folders, which end at 255 characters."""

NAMES = f"letters, digits, '-' and '_' only, at most {LONGEST_NAME}"

LONGEST_SLEEP_SECONDS = 3600

MOST_STARTED_WITH = (2 << 20) - (64 << 10)
"""Bytes of a command and its environment: a quarter of the stack, which has 8 MiB, less what systemd adds."""

_POINTER = 9
"""Bytes that a variable takes beside its text."""


def is_name(name: str) -> bool:
    """Return whether an app can have a name."""
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name)) and len(name) <= LONGEST_NAME


def is_address(text: str) -> bool:
    """Return whether a text is the address of a service: `http://host:port`."""
    parts = re.fullmatch(r"http://([A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:.]{1,45}\])(?::([0-9]{1,5}))?", text)
    return parts is not None and 1 <= int(parts[2] or 80) <= 65535


@dataclass(frozen=True)
class DatabaseFile:
    """The database that an app needs."""

    data: str
    """Its data set: a folder of `configs/data/`."""
    pool_min: int = 1
    pool_max: int = 20
    """Connections that the app keeps, and the most it opens, all its processes together."""


@dataclass(frozen=True)
class AppFile:
    """The keys of `app.yml`."""

    title: str
    """The system's name in a report."""
    routes: object
    """Its requests by name, as a mapping, or the path of a YAML file that has it."""
    runtime: str = ""
    """One of the runtimes of the role `app`; `system` runs what is on the machine already."""
    source: tuple[str, ...] = ()
    """Files, relative to the app's folder; they may lie in another app's folder (`../flask-sync/app.py`)."""
    command: str = ""
    """Run in the folder of the app's files; `{bin}` is its environment's or its build's folder of programs."""
    sandbox: bool = True
    """Its unit may do only what the role's `app_sandbox` allows. Set to false for an app that needs more."""
    address: str = ""
    """In place of runtime and command: `http://host:port` of a service that runs already, as the load host finds it."""
    port: int = 8080
    requirements: str = ""
    """Pinned and hashed requirements of a Python app, relative to the app's folder."""
    build: str = ""
    """Builds a compiled app from its folder into `{bin}`."""
    sleep_seconds: float = 0.0
    """How long each request waits on purpose."""
    database: DatabaseFile | None = None
    environment: dict[str, str] | None = None
    versions: tuple[str, ...] = ()
    """Python distributions whose versions a report names."""
    note: str = ""


@dataclass(frozen=True)
class App:
    """An app: its name (the folder's), where it lies, its `app.yml`, and its requests by name."""

    name: str
    folder: Path
    file: AppFile
    routes: Mapping[str, Route]
    document: yamlfile.Document

    @property
    def is_ours(self) -> bool:
        """Whether a bench deploys, starts and stops it; a service that runs already is not ours."""
        return not self.file.address

    @property
    def unit(self) -> str:
        """Name of the systemd unit that runs it."""
        return f"benchrig-{self.name}.service"

    def where(self, *keys: str) -> str:
        """Return `file:line` of a value in its `app.yml`."""
        return self.document.where(keys)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each of its files by name, as they must lie on the host."""
        paths = [self.folder / name for name in ("app.yml", *self.file.source, self.file.requirements) if name]
        return digests(paths)


def read_app(folder: Path) -> App:
    """Read one app's folder. Raises InputError with `file:line` for each mistake."""
    document = yamlfile.read(folder / "app.yml")
    mistakes = Mistakes()
    file = document.build_with(AppFile, mistakes)
    _check(mistakes, document, folder, file)
    routes = _routes(mistakes, document, folder, file.routes)
    for route in routes.values():
        if route.stores and not file.database:
            mistakes.add(document.where(("routes", route.name, "stores")), "'stores' needs the app to have a 'database'")
    mistakes.raise_all()
    return App(folder.name, folder, file, routes, document)


def _check(mistakes: Mistakes, document: yamlfile.Document, folder: Path, file: AppFile) -> None:
    wrong_types = bool(mistakes)
    if not is_name(folder.name):
        mistakes.add(document.where(), f"'{short(folder.name)}' cannot name an app: {NAMES}")
    check_title(mistakes, document.where(("title",)), file.title)
    if not 0 <= file.sleep_seconds <= LONGEST_SLEEP_SECONDS:
        wrong = f"'sleep_seconds' is between 0 and {LONGEST_SLEEP_SECONDS}, not {file.sleep_seconds:g}"
        mistakes.add(document.where(("sleep_seconds",)), wrong)
    if file.address:
        _check_address(mistakes, document, file)
    elif not (file.runtime and file.command) and not wrong_types:
        mistakes.add(
            document.where(), "an app needs 'runtime' and 'command', or the 'address' of a service that runs already"
        )
    if not 1 <= file.port <= 65535:
        mistakes.add(document.where(("port",)), f"a port is between 1 and 65535, not {file.port}")
    if file.database and not 0 <= file.database.pool_min <= file.database.pool_max:
        mistakes.add(document.where(("database",)), "a pool's 'pool_min' is at most its 'pool_max'")
    _check_program(mistakes, document, folder, file)


def _check_program(mistakes: Mistakes, document: yamlfile.Document, folder: Path, file: AppFile) -> None:
    """Check how the app is installed and started."""
    if file.runtime:
        _check_runtime(mistakes, document, file)
    _check_unit(mistakes, document, file)
    for key in ("command", "build"):
        for word in re.findall(r"\{(\w+)\}", re.sub(r"\$\{\w+\}", "", getattr(file, key))):
            if word != "bin":
                mistakes.add(document.where((key,)), f"'{{{word}}}' has no meaning here; did you mean {{bin}}?")
    for index, name in enumerate(file.source):
        _check_file(mistakes, document.where(("source", index)), folder, name)
    if file.requirements:
        _check_file(mistakes, document.where(("requirements",)), folder, file.requirements)


def _check_file(mistakes: Mistakes, where: str, folder: Path, name: str) -> None:
    """Check a file that an app names: it is sent to the hosts, so it lies in the project's folder."""
    try:
        path = within(folder, name)
        if not reading.is_file(path):
            mistakes.add(where, f"there is no file '{short(name)}'")
        elif reading.is_larger(path, reading.MOST_SENT_BYTES):
            limit = reading.size(reading.MOST_SENT_BYTES)
            mistakes.add(where, f"'{short(name)}' is larger than {limit}; no host is sent that")
    except ValueError as error:
        mistakes.add(where, str(error))


def _check_unit(mistakes: Mistakes, document: yamlfile.Document, file: AppFile) -> None:
    """Check what is written into the app's unit: systemd must read each value as it is meant."""
    if not isinstance(document.data.get("sandbox", True), bool):
        # The role reads the file itself, and takes any text for true.
        mistakes.add(
            document.where(("sandbox",)), f"'sandbox' is true or false, not {spec.describe(document.data['sandbox'])}"
        )
    if file.command:
        try:
            unit_line.words(file.command)
        except ValueError as error:
            mistakes.add(document.where(("command",)), f"'command' {error}")
    for name, value in (file.environment or {}).items():
        where = document.where(("environment", name))
        if not unit_line.VARIABLE_NAME.fullmatch(name):
            mistakes.add(where, f"'{name}' is not the name of an environment variable: letters, digits and '_' only")
        if found := unit_line.control(value):
            mistakes.add(where, f"the value of '{name}' has {found}")
        elif found := unit_line.too_long(f"{name}={value}"):
            mistakes.add(where, f"'{short(name)}' and its value have {found}")
    size = len(file.command.encode(errors="replace")) + sum(
        len(f"{name}={value}".encode(errors="replace")) + _POINTER for name, value in (file.environment or {}).items()
    )
    if not mistakes and size > MOST_STARTED_WITH:
        wrong = f"command and environment have {size:,} bytes together; Linux takes {MOST_STARTED_WITH:,} at most"
        mistakes.add(document.where(("environment",)), wrong)


def _check_runtime(mistakes: Mistakes, document: yamlfile.Document, file: AppFile) -> None:
    """Check that the runtime exists, and that the app has the keys that it needs and no others."""
    if file.runtime not in runtimes():
        mistakes.add(document.where(("runtime",)), str(unknown("runtime", file.runtime, runtimes())))
        return
    needs = runtimes()[file.runtime].needs
    for key in ("requirements", "build"):
        if key in needs and not getattr(file, key):
            mistakes.add(document.where(("runtime",)), f"a {file.runtime} app needs '{key}'")
        if key not in needs and getattr(file, key):
            mistakes.add(document.where((key,)), f"the runtime '{file.runtime}' does not use '{key}'")


def _check_address(mistakes: Mistakes, document: yamlfile.Document, file: AppFile) -> None:
    if not is_address(file.address):
        mistakes.add(document.where(("address",)), f"'{short(file.address)}' is not of the form http://host:port")
    for key in ("runtime", "source", "command", "requirements", "build", "environment", "database"):
        if getattr(file, key):
            mistakes.add(document.where((key,)), f"'{key}' does nothing for a service that runs already ('address')")


def _routes(mistakes: Mistakes, document: yamlfile.Document, folder: Path, given: object) -> dict[str, Route]:
    """Return an app's requests, from its file or from one that it names."""
    where: tuple[str, ...] = ("routes",)
    if isinstance(given, str):
        _check_file(mistakes, document.where(where), folder, given)
        if mistakes:
            return {}
        document, where = yamlfile.read(folder / given), ()
        given, folder = document.data, document.path.parent
    if not isinstance(given, Mapping) or not given:
        wrong = f"expected requests by name, or a file that has them, found {spec.describe(given)}"
        mistakes.add(document.where(where), wrong)
        return {}
    routes: dict[str, Route] = {}
    for key, value in given.items():
        place = (*where, str(key))
        file = mistakes.attempt(document.where(place), document.part, RouteFile, value, place)
        if file is not None:
            routes[str(key)] = resolve(mistakes, document, place, folder, str(key), file)
    _check_patterns(mistakes, document, where, routes)
    if len(routes) == len(given):
        _check_captures(mistakes, document, where, routes)
    return routes


def _check_patterns(
    mistakes: Mistakes, document: yamlfile.Document, where: tuple[str, ...], routes: Mapping[str, Route]
) -> None:
    """Check the patterns of captures, which are those of the default load generator."""
    written = [(route.name, name, pattern) for route in routes.values() for name, pattern in route.capture.items()]
    if not written:
        return
    # Late: provisioning reads all apps, and needs no load generator.
    from benchrig.bench.generators.base import PatternError
    from benchrig.bench.generators.registry import DEFAULT

    captures = DEFAULT.capabilities.captures
    if captures is None:
        return
    for route, name, pattern in written:
        try:
            captures.check(pattern)
        except PatternError as error:
            mistakes.add(document.where((*where, route, "capture", name)), str(error))


def _check_captures(
    mistakes: Mistakes, document: yamlfile.Document, where: tuple[str, ...], routes: Mapping[str, Route]
) -> None:
    """Check that a route captures each `{name}` in a path; in headers and bodies braces may be meant as they are."""
    known = [f"{{{name}}}" for route in routes.values() for name in route.capture]
    for route in routes.values():
        for used in (found[0] for found in PLACEHOLDER.finditer(route.path)):
            if used not in known:
                mistakes.add(document.where((*where, route.name, "path")), str(unknown("capture", used, known)))


class Apps(Mapping[str, App]):
    """The apps below `root/apps` by name. Each is read on first use, so an unused one may be incomplete.

    Reading one raises InputError with all its mistakes in `problems`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = {path.parent.name: path.parent for path in sorted((root / "apps").glob("*/app.yml"))}
        self._read: dict[str, App] = {}

    def __getitem__(self, name: str) -> App:
        folder = self._folders[name]
        if name not in self._read:
            app = read_app(folder)
            _check_data(self._root, app)
            self._read[name] = app
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._folders

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


def read_apps(root: Path) -> dict[str, App]:
    """Read every app below `root/apps`, by name. Raises InputError with the mistakes of all of them at once."""
    found, apps = Apps(root), {}
    mistakes = Mistakes()
    for name in found:
        app = mistakes.attempt(name, found.__getitem__, name)
        if app is not None:
            apps[name] = app
    mistakes.raise_all()
    return apps


def _check_data(root: Path, app: App) -> None:
    """Raise InputError when the data set of an app does not exist, or lacks a table that a route names."""
    if not app.file.database:
        return
    mistakes = Mistakes()
    data = mistakes.attempt(app.where("database", "data"), read_data, root, app.file.database.data)
    tables = data.file.tables if data else ()
    for route in app.routes.values() if data else ():
        if route.stores and route.stores not in tables:
            mistakes.add(app.document.where(("routes", route.name, "stores")), str(unknown("table", route.stores, tables)))
    mistakes.raise_all()
