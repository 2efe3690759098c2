"""Turns plain data (read from YAML or JSON) into frozen dataclasses, and says all that is wrong with it at once.

A dataclass is the specification: its fields are the keys that are allowed, their types what may stand there, a field
without a default is required. Used for every file a user writes and for the arguments of every module, on the
controller and on the host, so that both refuse the same things with the same words.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from .nearest import nearest
from .text import short

T = TypeVar("T")

Path = tuple[str | int, ...]
"""Where in the data a value stands: keys and list positions from the top."""

TRUE = frozenset({"yes", "true", "on", "1", "y", "t"})
FALSE = frozenset({"no", "false", "off", "0", "n", "f"})

TOO_LARGE = 2**63
"""Whole numbers from here on are refused: no value is that large, and floating-point arithmetic cannot take all of them."""

_LONGEST = 100
"""Characters of a value that a message shows."""

MOST = 1e100
"""Numbers from here on are refused: three of them multiplied would be infinite."""

MOST_MISTAKES = 100
"""Mistakes that are told at once; data that is wrong throughout has no end of them."""


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One thing wrong with the data: its place in it, and what was found and is allowed."""

    path: Path
    message: str


class SpecError(Exception):
    """The data does not fit the specification; `mistakes` has every reason."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, m.path)) or 'value'}: {m.message}" for m in mistakes))
        self.mistakes = mistakes


def build(cls: type[T], data: object, path: Path = (), *, templates: bool = False, unknown: list[Path] | None = None) -> T:
    """Return an instance of dataclass `cls` made from `data`.

    `path` is put before the place of each mistake. With `templates`, text with `{{` in it may stand for any type: it is
    checked again when it has been rendered. With `unknown`, an unknown key is no mistake: it is left out, and its place is
    added to that list. Raises SpecError with all mistakes.
    """
    reader = _Reader(templates, unknown)
    value = reader.dataclass(cls, data, path)
    if reader.mistakes:
        raise SpecError(reader.mistakes)
    return typing.cast(T, value)


def without(data: object, paths: Sequence[Path]) -> object:
    """Return a copy of plain values without those at some paths; of one in a list, the whole list is left out."""
    here = {path[0] for path in paths if len(path) == 1 or (len(path) > 1 and isinstance(path[1], int))}
    if not isinstance(data, Mapping):
        return data
    return {
        key: without(value, [path[1:] for path in paths if path[:1] == (key,)])
        for key, value in data.items()
        if key not in here and str(key) not in here
    }


def describe(value: object) -> str:
    """Say briefly what was found, for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and abs(value) >= TOO_LARGE:
        return "a number of too many digits"
    return short(repr(value[: _LONGEST + 1] if isinstance(value, str) else value), _LONGEST)


class _Reader:
    """Walks types and data together and collects mistakes."""

    def __init__(self, templates: bool, unknown: list[Path] | None) -> None:
        self.templates = templates
        self.unknown = unknown
        self.mistakes: list[Mistake] = []

    def wrong(self, path: Path, wanted: str, value: object) -> None:
        self.add(path, f"expected {wanted}, found {describe(value)}")

    def add(self, path: Path, message: str) -> None:
        """Add a mistake. Raises SpecError when there are MOST_MISTAKES."""
        self.mistakes.append(Mistake(path, message))
        if len(self.mistakes) >= MOST_MISTAKES:
            raise SpecError(self.mistakes)

    def dataclass(self, cls: Any, data: object, path: Path) -> object:
        if not isinstance(data, Mapping):
            self.wrong(path, "a mapping", data)
            return None
        kinds, required = _fields(cls)
        values: dict[str, object] = {}
        for key, value in data.items():
            if key in kinds:
                values[key] = self.value(kinds[key], value, (*path, key))
            elif self.unknown is not None:
                self.unknown.append((*path, str(key)))
            else:
                self.add((*path, str(key)), f"unknown key '{short(str(key))}'; {nearest(str(key), kinds)}")
        for name in required:
            if name not in data:
                self.add(path, f"'{name}' is missing")
        return None if self.mistakes else cls(**values)

    def value(self, kind: Any, value: object, path: Path) -> object:
        if self.templates and isinstance(value, str) and "{{" in value:
            return value
        read, of = _shape(kind)
        return read(self, of, value, path)

    def anything(self, _of: Any, value: object, _path: Path) -> object:
        return value

    def optional(self, kind: Any, value: object, path: Path) -> object:
        return None if value is None else self.value(kind, value, path)

    def choice(self, allowed: tuple[Any, ...], value: object, path: Path) -> object:
        if value in allowed:
            return value
        self.wrong(path, "one of " + ", ".join(map(str, allowed)), value)
        return None

    def sequence(self, kind: Any, value: object, path: Path) -> object:
        if isinstance(value, str) and kind is str:
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if not isinstance(value, (list, tuple)):
            self.wrong(path, "a list", value)
            return ()
        if _is_plain(kind, value):
            return tuple(value)
        return tuple(self.value(kind, item, (*path, index)) for index, item in enumerate(value))

    def mapping(self, kind: Any, value: object, path: Path) -> object:
        if not isinstance(value, Mapping):
            self.wrong(path, "a mapping", value)
            return {}
        if _is_plain(kind, tuple(value.values())):
            return {str(key): item for key, item in value.items()}
        return {str(key): self.value(kind, item, (*path, key)) for key, item in value.items()}

    def scalar(self, kind: Any, value: object, path: Path) -> object:
        result = _SCALARS[kind](value)
        if result is None:
            self.wrong(path, _NAMES[kind], value)
        return result


def _is_plain(kind: Any, values: Sequence[Any]) -> bool:
    """Say whether all are numbers of a kind that need no conversion: a series has hundreds, and is read much faster so."""
    most = _LARGEST.get(kind)
    return most is not None and set(map(type, values)) <= {kind} and all(-most < value < most for value in values)


@functools.cache
def _fields(cls: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the types of a dataclass's fields by their names, and the names of those without a default.

    The types stand in it as text, and a play or a run asks for the same ones over and over.
    """
    hints = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    given = (dataclasses.MISSING, dataclasses.MISSING)
    required = tuple(field.name for field in fields if (field.default, field.default_factory) == given)
    return {field.name: hints[field.name] for field in fields}, required


@functools.cache
def _shape(kind: Any) -> tuple[Any, Any]:
    """Return the method of _Reader that reads values of a type, and what it is given beside the value."""
    if kind is object or kind is Any:
        return _Reader.anything, None
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (other,) = [one for one in of if one is not type(None)]
        return _Reader.optional, other
    if origin is Literal:
        return _Reader.choice, of
    if origin in (list, tuple):
        return _Reader.sequence, of[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _Reader.mapping, of[1]
    return (_Reader.dataclass if dataclasses.is_dataclass(kind) else _Reader.scalar), kind


def _text(value: object) -> str | None:
    if isinstance(value, bool) or value is None or isinstance(value, (list, tuple, Mapping)):
        return None
    return str(value)


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,20}\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < TOO_LARGE else None


def _number(value: object) -> float | None:
    """Return a number that can be compared, multiplied and written as JSON: neither NaN nor near infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < MOST else None


def truth(value: object) -> bool | None:
    """Read YAML's and Ansible's spellings of yes and no; None when it is neither."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in TRUE else False if word in FALSE else None


_LARGEST: dict[Any, float] = {int: TOO_LARGE, float: MOST}
_SCALARS: dict[Any, Any] = {str: _text, int: _whole, float: _number, bool: truth}
_NAMES: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "yes or no"}
