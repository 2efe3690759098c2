"""The traffic of a row: its routes with the answers they must get; one route, a weighted mix, or steps in order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchrig import reading
from benchrig.agent.text import short
from benchrig.mistakes import Mistakes
from benchrig.yamlfile import Document

MOST_BODY_BYTES = 1 << 20
"""Largest file of bodies. It becomes part of the load generator's script, which each of its threads loads in turn."""

LONGEST_PATH = 8000
"""Characters of a request's path; servers refuse longer ones."""

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""Where an earlier reply's part goes into a request; a generator that captures does the same in its script."""


@dataclass(frozen=True)
class Expect:
    """What a good answer is, as it is written."""

    status: int = 200
    body: str | None = None
    """The whole body, byte for byte; a line break at its end counts. An empty text stands for an empty body."""
    bodies: str = ""
    """A file beside the app, each line of which is the whole body of the reply to that line of the route's `bodies`."""
    contains: str = ""
    """Text that must be in the body."""
    json: object = None
    """JSON that the body must be; spaces and the order of keys do not matter."""
    json_file: str = ""
    """The same from a file beside the app, of which `#/a/b` picks a part (a JSON pointer, RFC 6901)."""


@dataclass(frozen=True)
class RouteFile:
    """A request as it is written in `app.yml`."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    bodies: str = ""
    """A file beside the app, each line of which is a body: they are sent in turn."""
    expect: Expect = field(default_factory=Expect)
    stores: str = ""
    """Table of the app's data set that gets a row for every good reply."""
    capture: Mapping[str, str] = field(default_factory=dict)
    """Names for parts of the reply's body, each by a pattern of the load generator; later steps use them as `{name}`."""


@dataclass(frozen=True)
class Route:
    """A request, every file it needs read, and the answer it must get."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    bodies: tuple[str, ...]
    """None, one, or several that are sent in turn."""
    status: int
    body: str | None
    """The whole body of every reply; None when it is not written as a text."""
    replies: tuple[str, ...]
    """The whole body of the reply to each of `bodies`; none when they are not written one by one."""
    contains: str
    """Text that must be in the body of every reply."""
    json: object
    """What the body must be; None when it is not written as JSON."""
    stores: str
    capture: Mapping[str, str]
    files: tuple[Path, ...] = field(default=(), repr=False, compare=False)
    """The files that it was read from."""

    @property
    def title(self) -> str:
        """The request in short: `GET /films/`."""
        return f"{self.method} {self.path}"

    @property
    def placeholders(self) -> frozenset[str]:
        """The names that stand as `{name}` in its path, headers and bodies."""
        return frozenset(PLACEHOLDER.findall("\n".join([self.path, *self.headers.values(), *self.bodies])))

    @property
    def says_the_whole(self) -> bool:
        """Whether the expectation has the reply's whole body."""
        return self.body is not None or self.json is not None or bool(self.replies)


@dataclass(frozen=True)
class Script:
    """The user's own script for the load generator, in the generator's language."""

    path: Path
    text: str


@dataclass(frozen=True)
class Traffic:
    """All that a row sends."""

    routes: tuple[Route, ...]
    weights: tuple[int, ...] = ()
    """How many of each route are sent in every round; without them, several routes are steps, taken in their order."""
    script: Script | None = None

    @property
    def is_mix(self) -> bool:
        """Several routes are sent by their weights."""
        return len(self.routes) > 1 and bool(self.weights)

    @property
    def is_steps(self) -> bool:
        """Several routes are sent in their order."""
        return len(self.routes) > 1 and not self.weights

    @property
    def title(self) -> str:
        """The requests in short: `GET /a`, `8x GET /a, 1x POST /b`, or `GET /a, then POST /b`."""
        if self.is_mix:
            return ", ".join(f"{weight}x {route.title}" for weight, route in zip(self.weights, self.routes, strict=True))
        return ", then ".join(route.title for route in self.routes)

    @property
    def stores(self) -> str:
        """The table that gets a row for every good reply, whichever route it is of; empty when there is none."""
        tables = {route.stores for route in self.routes}
        return tables.pop() if len(tables) == 1 else ""


def resolve(mistakes: Mistakes, document: Document, where: Sequence[str], folder: Path, name: str, file: RouteFile) -> Route:
    """Return a route with its files read; `where` is its place in `document`."""

    def wrong(message: str, *keys: str) -> None:
        mistakes.add(document.where((*where, *keys)), message)

    for message, keys in _mistakes(file):
        wrong(message, *keys)
    bodies: tuple[str, ...] = (file.body,) if file.body else ()
    json = file.expect.json
    replies: tuple[str, ...] = ()
    try:
        if file.bodies:
            bodies = read_lines(within(folder, file.bodies))
    except ValueError as error:
        wrong(str(error), "bodies")
    try:
        if file.expect.bodies:
            replies = read_lines(within(folder, file.expect.bodies))
            if len(replies) != len(bodies):
                wrong(f"{len(replies)} replies are expected to {len(bodies)} bodies", "expect", "bodies")
    except ValueError as error:
        wrong(str(error), "expect", "bodies")
    try:
        if file.expect.json_file:
            json = read_json(folder, file.expect.json_file)
    except ValueError as error:
        wrong(str(error), "expect", "json_file")
    return Route(
        name=name,
        method=file.method.upper(),
        path=file.path,
        headers=file.headers,
        bodies=bodies,
        status=file.expect.status,
        body=file.expect.body,
        replies=replies,
        contains=file.expect.contains,
        json=json,
        stores=file.stores,
        capture=file.capture,
        files=(document.path, *(folder / one for one in (file.bodies, file.expect.json_file.partition("#")[0]) if one)),
    )


def _mistakes(file: RouteFile) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is wrong with a route as it is written, and the key where."""
    if not file.path.startswith("/"):
        yield f"a path begins with '/', found '{short(file.path)}'", ("path",)
    if re.search(r"[\x00-\x20\x7f]", file.path) or len(file.path) > LONGEST_PATH:
        yield f"a path has no spaces and no control characters, and at most {LONGEST_PATH:,} characters", ("path",)
    if not re.fullmatch("[A-Za-z]{1,20}", file.method):
        yield f"'{short(file.method)}' is no HTTP method", ("method",)
    for name, value in file.headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            yield f"'{short(name)}' is no name of an HTTP header", ("headers",)
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            yield f"the header '{short(name)}' has a control character", ("headers", name)
    if file.body and file.bodies:
        yield "a route has 'body' or 'bodies', not both", ("bodies",)
    yield from _mistakes_of_expect(file.expect)


def _mistakes_of_expect(expect: Expect) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not 200 <= expect.status <= 599:
        yield f"a status is between 200 and 599, not {expect.status}", ("expect", "status")
    if expect.json is not None and expect.json_file:
        yield "'expect' has 'json' or 'json_file', not both", ("expect", "json_file")
    given = {"body": expect.body is not None, "bodies": expect.bodies, "json": expect.json is not None or expect.json_file}
    if len(whole := [key for key, there in given.items() if there]) > 1:
        yield f"'expect' has '{whole[0]}' or '{whole[1]}', not both: each of them is the whole body", ("expect", whole[0])
    elif expect.contains and whole and whole[0] != "json":
        yield f"'expect' has '{whole[0]}' or 'contains', not both: '{whole[0]}' is the whole body", ("expect", "contains")


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a file, each a body. Raises ValueError when there are none, or too much of them."""
    text = _read(path)
    # Not splitlines(): it also splits at characters that JSON may hold.
    lines = tuple(line.removesuffix("\r") for line in text.split("\n") if line.strip())
    if not lines:
        raise ValueError(f"'{path.name}' has no lines")
    if len(text.encode()) > MOST_BODY_BYTES:
        raise ValueError(f"'{path.name}' is larger than {MOST_BODY_BYTES >> 20} MiB")
    return lines


def read_json(folder: Path, reference: str) -> object:
    """Return what `file.json#/a/b` refers to. Raises ValueError when there is no such file, JSON or part of it."""
    name, _, pointer = reference.partition("#")
    try:
        value: Any = reading.json_value(_read(within(folder, name)))
    except reading.ReadError as error:
        raise ValueError(f"'{short(name)}' is {error}") from None
    for word in pointer.split("/")[1:]:
        key = word.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"'{short(name)}' has nothing at '{short(pointer)}'") from None
    return value


def within(folder: Path, name: str) -> Path:
    """Return the path of a file that an app in `folder` names. Raises ValueError when it is not in the project's folder."""
    project = Path(os.path.normpath(folder.absolute())).parents[1]
    if not reading.is_below(folder / name, folder, project):
        raise ValueError(f"'{short(name)}' is not in the project's folder")
    return folder / name


def _read(path: Path) -> str:
    try:
        return reading.text(path)
    except reading.ReadError as error:
        raise ValueError(f"'{short(path.name)}' cannot be read: {error}") from None
