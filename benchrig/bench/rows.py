"""The rows of a suite: an app, which of its routes, how many connections; written one by one, or as a matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchrig.bench.app import App
from benchrig.bench.traffic import Script, Traffic
from benchrig.errors import InputError, Problem, unknown
from benchrig.yamlfile import Document

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class RowFile:
    """A row as it is written. It names routes of its app if that has several, in one of three ways."""

    name: str
    connections: int
    app: str = ""
    """The app's folder; the row's name when it is left out."""
    route: str = ""
    mix: dict[str, int] | None = None
    """Routes with their weights: how many of each are sent in a round."""
    steps: tuple[str, ...] = ()
    """Routes in the order in which they are sent."""
    script: str = ""
    """A script of one's own for the load generator, in a file beside the suite."""


@dataclass(frozen=True)
class MatrixFile:
    """Rows as a table: every app with every route, each row named `<app>.<route>`."""

    apps: tuple[str, ...]
    routes: tuple[str, ...]
    connections: int


@dataclass(frozen=True)
class Row:
    """One row to measure."""

    name: str
    app: App
    connections: int
    traffic: Traffic


@dataclass(frozen=True)
class _Written:
    """A row with the place of each of its keys in the suite's file."""

    row: RowFile
    place: Place
    """Of the keys that have none of their own."""
    places: Mapping[str, Place]

    @property
    def app(self) -> str:
        return self.row.app or self.row.name

    def at(self, key: str) -> Place:
        return self.places.get(key, (*self.place, key))


def read_rows(
    document: Document, rows: Sequence[RowFile], matrix: MatrixFile | None, apps: Mapping[str, App]
) -> tuple[list[Row], list[Problem]]:
    """Return the rows of a suite's file, and all that is wrong with them."""
    found: list[Row] = []
    problems: list[Problem] = []
    written = [*_of_matrix(matrix), *(_Written(row, ("rows", index), {}) for index, row in enumerate(rows))]
    for one in written:
        try:
            found.append(_resolved(document, one, apps))
        except InputError as error:
            problems += error.problems
    # A mistake in a matrix is in many rows, but is shown once.
    return found, list(dict.fromkeys([*problems, *_twice(document, written)]))


def _of_matrix(matrix: MatrixFile | None) -> Iterator[_Written]:
    if matrix is None:
        return
    for at_route, route in enumerate(matrix.routes):
        for at_app, app in enumerate(matrix.apps):
            places: dict[str, Place] = {"app": ("matrix", "apps", at_app), "route": ("matrix", "routes", at_route)}
            row = RowFile(name=f"{app}.{route}", app=app, route=route, connections=matrix.connections)
            yield _Written(row, ("matrix",), {**places, "name": places["app"]})


def _resolved(document: Document, written: _Written, apps: Mapping[str, App]) -> Row:
    """Return a row with its app and its requests. Raises InputError with all that is wrong with it."""
    row = written.row
    problems = [document.problem(written.at(key), message) for key, message in _mistakes(row)]
    if written.app not in apps:
        wrong = str(unknown("app", written.app, apps))
        raise InputError(problems=[*problems, document.problem(written.at("app" if row.app else "name"), wrong)])
    app = apps[written.app]
    key, names = _wanted(row, app)
    problems += [
        document.problem(written.at(key), str(unknown("route", n, app.routes))) for n in names if n not in app.routes
    ]
    if not names:
        problems.append(
            document.problem(written.place, f"'{app.name}' has several routes: {', '.join(app.routes)}; name one")
        )
    script: Script | None = None
    if row.script:
        path = document.path.parent / row.script
        try:
            script = Script(path, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            problems.append(document.problem(written.at("script"), f"'{row.script}' cannot be read beside the suite"))
    problems += [document.problem(written.at(key), message) for message in _never_captured(app, names)]
    if problems:
        raise InputError(problems=problems)
    weights = tuple(row.mix.values()) if row.mix else ()
    return Row(row.name, app, row.connections, Traffic(tuple(app.routes[name] for name in names), weights, script))


def _wanted(row: RowFile, app: App) -> tuple[str, tuple[str, ...]]:
    """Return the key that says which routes a row sends, and the routes; none when the row does not say which of several."""
    if row.mix:
        return "mix", tuple(row.mix)
    if row.steps:
        return "steps", row.steps
    if row.route:
        return "route", (row.route,)
    return "route", tuple(app.routes) if len(app.routes) == 1 else ()


def _never_captured(app: App, names: Sequence[str]) -> Iterator[str]:
    """Tell of what a row's requests use and only routes capture that the row does not send, or sends after them."""
    captured: set[str] = set()
    for route in (app.routes[name] for name in names if name in app.routes):
        captured |= route.capture.keys()
        for name in sorted(route.placeholders - captured):
            for other in app.routes.values():
                if name in other.capture:
                    what = "name that before it" if other.name in names else "take that as a step, too"
                    yield f"'{route.name}' uses {{{name}}}, which '{other.name}' captures: {what}"


def _mistakes(row: RowFile) -> Iterator[tuple[str, str]]:
    if row.connections < 1:
        yield "connections", "'connections' must be at least 1"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", row.name):
        yield "name", f"'{row.name}' cannot name a row: letters, digits, '.', '-' and '_' only"
    given = [key for key in ("route", "mix", "steps") if getattr(row, key)]
    if len(given) > 1:
        yield given[1], f"a row has one of 'route', 'mix' and 'steps', not {' and '.join(given)}"
    for name, weight in (row.mix or {}).items():
        if weight < 1:
            yield "mix", f"the weight of '{name}' must be at least 1"


def _twice(document: Document, written: Sequence[_Written]) -> Iterator[Problem]:
    """Tell of rows that have the same name, or measure the same."""
    names: set[str] = set()
    measured: set[tuple[object, ...]] = set()
    for one in written:
        row = one.row
        same = (one.app, row.connections, row.route, tuple((row.mix or {}).items()), row.steps, row.script)
        if row.name in names:
            yield document.problem(one.at("name"), f"the row '{row.name}' is here twice")
        elif same in measured:
            yield document.problem(one.at("app"), f"the app '{one.app}' is here twice with the same load")
        names.add(row.name)
        measured.add(same)
