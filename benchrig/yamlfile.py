"""Reads the user's YAML files, with the line of every value, so that a mistake can be shown at its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from benchrig import reading
from benchrig.agent import spec
from benchrig.agent.text import short
from benchrig.errors import InputError, Problem
from benchrig.mistakes import Mistakes

T = TypeVar("T")

MOST_VALUES = 300_000
"""Values and keys of a file. What stands behind an alias counts as often as it is used: few bytes can name billions."""

MOST_CHARACTERS = 64_000_000
"""Characters of a file's values, counted likewise."""

TOO_DEEP = f"not valid YAML: nested too deeply, more than {reading.DEEPEST} levels"
TOO_MANY = f"more than {MOST_VALUES:,} values, where those behind an alias count each time"
TOO_LONG = f"more than {MOST_CHARACTERS:,} characters of values, where those behind an alias count each time"

_DEEPEST_UNSEEN = 2000
"""Levels that libyaml surely takes: a text that cannot have more is read at once, which spares most files a second look."""

_LONGEST_UNSEEN = 1 << 18
"""Characters of a text whose values are not counted before it is read."""

_LONGEST_REASON = 200
"""Characters of the YAML reader's own reason that a message shows."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML with the types of JSON: what looks like a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


_TAG = "tag:yaml.org,2002:"
_TEXT = f"{_TAG}str"
_NUMBERS = frozenset({f"{_TAG}int", f"{_TAG}float"})
_SCALARS = _NUMBERS | {f"{_TAG}{name}" for name in ("str", "bool", "null", "merge", "value")}
_COLLECTIONS = {yaml.SequenceNode: f"{_TAG}seq", yaml.MappingNode: f"{_TAG}map"}
"""The tags of JSON's types; PyYAML also makes dates, bytes and sets, which nothing here takes."""


@dataclass(frozen=True)
class Document:
    """A YAML file's content as plain Python values, with the line each stands on (counted from 1)."""

    path: Path
    data: Any
    lines: Mapping[spec.Path, int]

    def where(self, path: spec.Path = ()) -> str:
        """Return `file:line` of the value at `path`, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self._name}:{self.lines.get(path, 1)}"

    @cached_property
    def _name(self) -> str:
        """The path as the user would type it; asked for each value, and slow to find."""
        return shown(self.path)

    def error(self, path: spec.Path, message: str) -> InputError:
        """Return the error for a mistake at `path` that leaves nothing else to check."""
        return InputError(problems=[Problem(self.where(path), message)])

    def build(self, cls: type[T]) -> T:
        """Return the whole file as an instance of `cls`. Raises InputError with the line of each mistake."""
        return self.part(cls, self.data, ())

    def build_with(self, cls: type[T], mistakes: Mistakes) -> T:
        """Return the whole file as `build` does, as far as it goes, and add its mistakes to others.

        A value of a wrong type is left out, so that what follows it can be checked as well. Raises InputError with all
        mistakes where that is not possible: a value that is needed is missing or wrong.
        """
        try:
            return spec.build(cls, self.data)
        except spec.SpecError as error:
            for mistake in error.mistakes:
                mistakes.add(self.where(mistake.path), mistake.message)
            sound = spec.without(self.data, [mistake.path for mistake in error.mistakes])
        try:
            return spec.build(cls, sound)
        except spec.SpecError:
            mistakes.raise_all()
            raise

    def part(self, cls: type[T], data: object, path: spec.Path) -> T:
        """Return `data`, which stands at `path`, as an instance of `cls`. Raises InputError as `build` does."""
        try:
            return spec.build(cls, data, path)
        except spec.SpecError as error:
            raise InputError(problems=[Problem(self.where(m.path), m.message) for m in error.mistakes]) from None


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative to where they are, if it is below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError, RuntimeError):
        # Not below, a name that no file can have, or links that go round.
        return str(path)


def read(path: Path) -> Document:
    """Read one YAML file. Raises InputError with `file:line` when it cannot be read, is no YAML, or names a key twice."""
    try:
        text = reading.text(path)
    except reading.ReadError as error:
        raise InputError(problems=[Problem(shown(path), f"cannot be read: {error}")]) from None
    return parse(text, path)


def parse(text: str, path: Path) -> Document:
    """Read YAML text that came from `path`. Raises InputError as `read` does, also for a text beyond a limit."""
    nodes = _Nodes(shown(path))
    try:
        data = _data(text, nodes)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        nodes.wrong(line, f"not valid YAML: {short(str(error.problem), _LONGEST_REASON)}")
    except yaml.reader.ReaderError as error:
        nodes.wrong(1 + text.count("\n", 0, error.position), f"not valid YAML: {error.reason}")
    except UnicodeEncodeError:
        nodes.wrong(1, "not valid YAML: not UTF-8 text")
    except RecursionError:
        nodes.wrong(1, TOO_DEEP)
    nodes.mistakes.raise_all()
    return Document(path, data, nodes.lines)


def _data(text: str, nodes: _Nodes) -> Any:
    """Return the plain values of a YAML text; None, with its mistakes noted, when there are any."""
    if len(text) > _LONGEST_UNSEEN or _depth_bound(text) > _DEEPEST_UNSEEN:
        _see_events(text, nodes)
        if nodes.mistakes:
            return None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            nodes.note(node, ())
        return None if node is None or nodes.mistakes else loader.construct_document(node)
    except (ValueError, LookupError, AttributeError):
        # PyYAML lets these through for a value that does not fit its tag, and stops with the value's node in hand.
        wrong = next(reversed(loader.recursive_objects), node)
        tag = wrong.tag.rpartition(":")[2]
        nodes.wrong(wrong.start_mark.line + 1, f"not valid YAML: {spec.describe(wrong.value)} is no !!{tag}")
        return None
    finally:
        loader.dispose()


def _depth_bound(text: str) -> int:
    """Return a number that the levels of a YAML text do not exceed: a level takes a bracket, or columns of a line."""
    return text.count("[") + text.count("{") + 2 * max(map(len, text.split("\n")))


def _see_events(text: str, nodes: _Nodes) -> None:
    """Note the first limit that a YAML text breaks. libyaml has none of its own: levels without end crash the process."""
    loader = _Loader(text)
    level = values = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            line = event.start_mark.line + 1
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            values += isinstance(event, yaml.NodeEvent)
            if level > reading.DEEPEST:
                nodes.wrong(line, TOO_DEEP)
                return
            if values > MOST_VALUES:
                nodes.wrong(line, TOO_MANY)
                return
    finally:
        loader.dispose()


class _Nodes:
    """Walks a YAML file's nodes, an alias as often as it is used: notes their lines, and what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[spec.Path, int] = {}
        self.mistakes = Mistakes()
        self._values = 0
        self._characters = 0

    def wrong(self, line: int, message: str) -> None:
        self.mistakes.add(f"{self.file}:{line}", message)

    def note(self, node: Any, path: spec.Path, above: tuple[Any, ...] = ()) -> None:
        """Note a node and all below it; `above` are the nodes that it is in. Raises InputError where a limit is broken."""
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            self._scalar(node, path)
            return
        if node in above:
            self.wrong(line, "this contains itself")
            return
        self._values += 1
        if len(above) > reading.DEEPEST:
            self._end(path, TOO_DEEP)
        if node.tag != _COLLECTIONS[type(node)]:
            self._tag(node)
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, path, (*above, node))
        else:
            within = (*above, node)
            for index, value in enumerate(node.value):
                self.note(value, (*path, index), within)

    def _mapping(self, node: Any, path: spec.Path, within: tuple[Any, ...]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(line, "a key must be text, and not a list or a mapping")
                continue
            name = key.value
            place = (*path, name)
            self._scalar(key, path)
            if name in seen:
                self.wrong(line, f"'{short(name)}' is given twice")
            seen.add(name)
            self.lines[place] = line
            self.note(value, place, within)

    def _scalar(self, node: Any, path: spec.Path) -> None:
        size = len(node.value)
        self._values += 1
        self._characters += size
        if node.tag != _TEXT and node.tag not in _SCALARS:
            self._tag(node)
        elif size > reading.LONGEST_NUMBER and node.tag in _NUMBERS:
            wrong = f"a number of {size:,} characters; the longest has {reading.LONGEST_NUMBER}"
            self.wrong(node.start_mark.line + 1, wrong)
        if self._values > MOST_VALUES:
            self._end(path, TOO_MANY)
        if self._characters > MOST_CHARACTERS:
            self._end(path, TOO_LONG)

    def _tag(self, node: Any) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self.wrong(node.start_mark.line + 1, f"the tag '{short(tag)}' is not supported here")

    def _end(self, path: spec.Path, limit: str) -> None:
        """Raise InputError where the file has too much: at a key of its first level, as an alias has no line."""
        self.wrong(self.lines[path[:1]], limit)
        self.mistakes.raise_all()


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str | float) -> float:
    """Read a duration (`5s`, `1m`, `500ms`, or a bare number of seconds) into seconds.

    Raises ValueError when it is none.
    """
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*(ms|s|m|h)?", str(text).strip())
    if not match:
        raise ValueError(f"'{short(str(text))}' is not a duration; write for example 5s, 500ms or 1m")
    return float(match[1]) * _UNITS[match[2] or "s"]
