"""Reads the user's YAML files, with the line of every value, so that a mistake can be shown at its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from benchrig.agent import spec
from benchrig.errors import InputError, Problem
from benchrig.mistakes import Mistakes

T = TypeVar("T")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML with the types of JSON: what looks like a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


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
    except ValueError:
        return str(path)


def read(path: Path) -> Document:
    """Read one YAML file. Raises InputError with `file:line` when it cannot be read, is no YAML, or names a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(problems=[Problem(shown(path), f"cannot be read: {reason}")]) from None
    return parse(text, path)


def parse(text: str, path: Path) -> Document:
    """Read YAML text that came from `path`. Raises InputError as `read` does."""
    loader = _Loader(text)
    lines: dict[spec.Path, int] = {}
    mistakes = Mistakes()
    try:
        node = loader.get_single_node()
        if node is not None:
            _note_lines(node, (), lines, mistakes, path)
        data = None if node is None or mistakes else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        mistakes.add(f"{shown(path)}:{line}", f"not valid YAML: {error.problem}")
    except yaml.reader.ReaderError as error:
        mistakes.add(f"{shown(path)}:1", f"not valid YAML: {error.reason}")
    except RecursionError:
        mistakes.add(f"{shown(path)}:1", "not valid YAML: nested too deeply")
    except (ValueError, LookupError, AttributeError):
        # PyYAML lets these through for a value that does not fit its tag, and stops with the value's node in hand.
        *_, wrong = loader.recursive_objects
        tag = wrong.tag.rpartition(":")[2]
        mistakes.add(
            f"{shown(path)}:{wrong.start_mark.line + 1}", f"not valid YAML: {spec.describe(wrong.value)} is no !!{tag}"
        )
    finally:
        loader.dispose()
    mistakes.raise_all()
    return Document(path, data, lines)


def _note_lines(
    node: Any,
    path: spec.Path,
    lines: dict[spec.Path, int],
    mistakes: Mistakes,
    file: Path,
    above: tuple[Any, ...] = (),
) -> None:
    """Note the line of a node and of all below it, and what is wrong with them; `above` are the nodes it is in."""
    lines.setdefault(path, node.start_mark.line + 1)
    if any(node is other for other in above):
        mistakes.add(f"{shown(file)}:{node.start_mark.line + 1}", "this contains itself")
        return
    within = (*above, node)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                mistakes.add(f"{shown(file)}:{key.start_mark.line + 1}", f"'{name}' is given twice")
            seen.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            _note_lines(value, (*path, name), lines, mistakes, file, within)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines, mistakes, file, within)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str | float) -> float:
    """Read a duration (`5s`, `1m`, `500ms`, or a bare number of seconds) into seconds.

    Raises ValueError when it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?", str(text).strip())
    if not match:
        raise ValueError(f"'{text}' is not a duration; write for example 5s, 500ms or 1m")
    return float(match[1]) * _UNITS[match[2] or "s"]
