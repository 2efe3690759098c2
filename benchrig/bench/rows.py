"""The rows of a suite: an app, which of its routes, how many connections; written one by one, or as a matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchrig import reading
from benchrig.agent.text import short
from benchrig.bench.app import App
from benchrig.bench.traffic import MOST_BODY_BYTES, Script, Traffic
from benchrig.errors import unknown
from benchrig.mistakes import Mistakes
from benchrig.yamlfile import Document

MOST_ROWS = 10_000
"""Of a suite."""

MOST_CONNECTIONS = 1_000_000
"""Of a row; no machine makes that load."""

MOST_REQUESTS = 100_000
"""Requests of one round of a mix, or steps: the load generator's script has the order of all of them."""

LONGEST_NAME = 100
"""Characters of a row's name: the files of its raw output are named for it."""

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
    mistakes: Mistakes, document: Document, rows: Sequence[RowFile], matrix: MatrixFile | None, apps: Mapping[str, App]
) -> list[Row]:
    """Return the rows of a suite's file."""
    count = len(rows) + (len(matrix.apps) * len(matrix.routes) if matrix else 0)
    if count > MOST_ROWS:
        mistakes.add(
            document.where(("rows",) if rows else ("matrix",)), f"{count:,} rows; a suite has at most {MOST_ROWS:,}"
        )
        return []
    written = [*_of_matrix(matrix), *(_Written(row, ("rows", index), {}) for index, row in enumerate(rows))]
    resolved = [_resolved(mistakes, document, one, apps) for one in written]
    _check_twice(mistakes, document, written)
    return [row for row in resolved if row is not None]


def names_of(rows: Sequence[RowFile], matrix: MatrixFile | None) -> tuple[str, ...]:
    """Return the names of the rows of a suite."""
    return (*(written.row.name for written in _of_matrix(matrix)), *(row.name for row in rows))


def _of_matrix(matrix: MatrixFile | None) -> Iterator[_Written]:
    if matrix is None:
        return
    for at_route, route in enumerate(matrix.routes):
        for at_app, app in enumerate(matrix.apps):
            places: dict[str, Place] = {"app": ("matrix", "apps", at_app), "route": ("matrix", "routes", at_route)}
            row = RowFile(name=f"{app}.{route}", app=app, route=route, connections=matrix.connections)
            yield _Written(row, ("matrix",), {**places, "name": places["app"]})


def _resolved(mistakes: Mistakes, document: Document, written: _Written, apps: Mapping[str, App]) -> Row | None:
    """Return a row with its app and its requests; None when its app is unknown or has mistakes."""
    row, where = written.row, document.where(written.at("app" if written.row.app else "name"))
    for key, message in _mistakes(row):
        mistakes.add(document.where(written.at(key)), message)
    if written.app not in apps:
        mistakes.add(where, str(unknown("app", written.app, apps)))
        return None
    app = mistakes.attempt(where, apps.__getitem__, written.app)
    if app is None:
        return None
    key, names = _wanted(row, app)
    for name in names:
        if name not in app.routes:
            mistakes.add(document.where(written.at(key)), str(unknown("route", name, app.routes)))
    if not names:
        wrong = f"'{app.name}' has several routes: {short(', '.join(app.routes), 1000)}; name one"
        mistakes.add(document.where(written.place), wrong)
    for message in _never_captured(app, names):
        mistakes.add(document.where(written.at(key)), message)
    weights = tuple(row.mix.values()) if row.mix else ()
    routes = tuple(app.routes[name] for name in names if name in app.routes)
    return Row(row.name, app, row.connections, Traffic(routes, weights, _script(mistakes, document, written)))


def _script(mistakes: Mistakes, document: Document, written: _Written) -> Script | None:
    """Return a row's own script; None when it has none, or when that cannot be read."""
    name = written.row.script
    path = document.path.parent / name
    try:
        if name and not reading.is_below(path, *document.path.parents[:3:2]):
            raise reading.ReadError("it is not in the project's folder")
        return Script(path, reading.text(path, MOST_BODY_BYTES)) if name else None
    except reading.ReadError as error:
        mistakes.add(document.where(written.at("script")), f"'{short(name)}' cannot be read beside the suite: {error}")
        return None


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
    if not 1 <= row.connections <= MOST_CONNECTIONS:
        yield "connections", f"'connections' must be at least 1 and at most {MOST_CONNECTIONS:,}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", row.name) or len(row.name) > LONGEST_NAME:
        wrong = f"letters, digits, '.', '-' and '_' only, at most {LONGEST_NAME}"
        yield "name", f"'{short(row.name)}' cannot name a row: {wrong}"
    given = [key for key in ("route", "mix", "steps") if getattr(row, key)]
    if len(given) > 1:
        yield given[1], f"a row has one of 'route', 'mix' and 'steps', not {' and '.join(given)}"
    for name, weight in (row.mix or {}).items():
        if weight < 1:
            yield "mix", f"the weight of '{short(name)}' must be at least 1"
    if sum((row.mix or {}).values()) > MOST_REQUESTS or len(row.steps) > MOST_REQUESTS:
        yield given[0], f"a round of more than {MOST_REQUESTS:,} requests"


def _check_twice(mistakes: Mistakes, document: Document, written: Sequence[_Written]) -> None:
    """Check that no two rows have the same name, or measure the same."""
    names: set[str] = set()
    measured: set[tuple[object, ...]] = set()
    for one in written:
        row = one.row
        same = (one.app, row.connections, row.route, tuple((row.mix or {}).items()), row.steps, row.script)
        if row.name in names:
            mistakes.add(document.where(one.at("name")), f"the row '{row.name}' is given twice")
        elif same in measured:
            mistakes.add(document.where(one.at("app")), f"the app '{one.app}' is given twice with the same load")
        names.add(row.name)
        measured.add(same)
