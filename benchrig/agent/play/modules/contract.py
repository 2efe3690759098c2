"""The contract of a module: what one file in this folder says of itself, as a typed value named `MODULE`.

mypy checks that a module's functions fit its arguments; `load` in this package checks that the value is there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from ... import spec
from .base import Context, Result

A = TypeVar("A")
"""A module's arguments: a frozen dataclass with Ansible's names and defaults."""

S = TypeVar("S")
"""What a module reads as root before it runs."""

Work = Callable[[], Result]
"""The rest of a task, which runs as the task's user."""


def runs(run: Callable[[A, Context], Result]) -> Callable[[A, Context], Work]:
    """Return the start of a module that does all its work as the task's user."""
    return lambda args, context: partial(run, args, context)


def reads_and_runs(read: Callable[[A, Context], S], run: Callable[[A, Context, S], Result]) -> Callable[[A, Context], Work]:
    """Return the start of a module that reads as root, since only root can read the bundle, and runs as the task's user."""
    return lambda args, context: partial(run, args, context, read(args, context))


def _nothing_wrong(_args: object) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Module(Generic[A]):
    """One module. Only `args` and `start` are required."""

    args: type[A]
    """The dataclass of its arguments."""
    start: Callable[[A, Context], Work]
    """Made by `runs` or `reads_and_runs`. Raises ModuleError or NotYetKnownError, as does the work that it returns."""
    check: Callable[[A], Iterable[str]] = _nothing_wrong
    """Returns what is wrong with the arguments together."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of arguments, and the names they stand for."""
    raw: frozenset[str] = frozenset()
    """Arguments whose templates the module renders itself."""
    free_form: str = ""
    """The argument that a task's text alone stands for; empty if the module takes no such text."""
    free_names: str = ""
    """The argument that takes all of a task's keys as one mapping; empty if the keys are arguments."""

    def named(self, data: Any) -> Any:
        """Return a task's arguments as a mapping with the names of `args`; data of another kind is returned as it is."""
        if isinstance(data, str) and self.free_form:
            return {self.free_form: data}
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            return data
        if self.free_names:
            return {self.free_names: dict(data)}
        return {self.aliases.get(key, key): value for key, value in data.items()}

    def build(self, values: Any, *, templates: bool = False) -> A:
        """Return `args` made from what `named` returned; with `templates`, some values may still be templates.

        Raises spec.SpecError with every mistake.
        """
        if mistakes := _wrong_mode(values):
            raise spec.SpecError(mistakes)
        args = spec.build(self.args, values, templates=templates)
        if not (templates and _has_template(args)):
            mistakes = [spec.Mistake((), message) for message in self.check(args)]
            if mistakes:
                raise spec.SpecError(mistakes)
        return args


def _has_template(args: Any) -> bool:
    """Return whether a template stands in place of a list or number, so that arguments cannot be compared yet."""
    kinds = {item.name: str(item.type) for item in dataclasses.fields(args)}
    return any(
        kind.startswith(("tuple", "dict", "bool", "int")) and isinstance(getattr(args, name), str)
        for name, kind in kinds.items()
    )


def _wrong_mode(values: Any) -> list[spec.Mistake]:
    mode = values.get("mode") if isinstance(values, Mapping) else None
    if mode is None or (isinstance(mode, str) and ("{{" in mode or re.fullmatch("0?[0-7]{3,4}", mode))):
        return []
    return [spec.Mistake(("mode",), "write the mode in quotes and in octal, such as '0644'")]
