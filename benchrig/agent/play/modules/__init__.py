"""The modules: what a task can do. One file a module, named in this table; to add a module, add both.

A module file has `Args`, a frozen dataclass of its arguments with Ansible's names and defaults, and
`run(args, context) -> Result`. It may have `check`, which says what is wrong with the arguments together; `free_form`, which
makes arguments of text alone; `ALIASES` of argument names; `RAW`, the arguments whose templates it renders itself; and
`read(args, context)`, which reads as root, whoever the task runs as, what `run` then gets as a third argument.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ... import spec

MODULES: Mapping[str, str] = {
    "ansible.builtin.apt": "apt",
    "ansible.builtin.assert": "assert_",
    "ansible.builtin.command": "command",
    "ansible.builtin.copy": "copy",
    "ansible.builtin.debug": "debug",
    "ansible.builtin.fail": "fail",
    "ansible.builtin.file": "file",
    "ansible.builtin.get_url": "get_url",
    "ansible.builtin.group": "group",
    "ansible.builtin.lineinfile": "lineinfile",
    "ansible.builtin.set_fact": "set_fact",
    "ansible.builtin.shell": "shell",
    "ansible.builtin.slurp": "slurp",
    "ansible.builtin.stat": "stat",
    "ansible.builtin.systemd_service": "systemd_service",
    "ansible.builtin.template": "template",
    "ansible.builtin.unarchive": "unarchive",
    "ansible.builtin.user": "user",
}


@cache
def load(name: str) -> Any:
    """Return the Python module of a module of ours, by its full name."""
    return importlib.import_module(f".{MODULES[name]}", __name__)


def raw(name: str) -> frozenset[str]:
    """Return the arguments whose templates the module renders itself."""
    return frozenset(getattr(load(name), "RAW", ()))


def named(name: str, data: Any) -> Any:
    """Return a task's arguments as a mapping of argument names as they stand in the module's `Args`."""
    module = load(name)
    if isinstance(data, str) and hasattr(module, "free_form"):
        return module.free_form(data)
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        return data
    aliases: Mapping[str, str] = getattr(module, "ALIASES", {})
    arguments = {aliases.get(key, key): value for key, value in data.items()}
    return module.gathered(arguments) if hasattr(module, "gathered") else arguments


def arguments(name: str, data: Any, *, templates: bool = False) -> Any:
    """Return a module's `Args` made from a task's arguments; with `templates` some may still be templates.

    Raises spec.SpecError with every mistake.
    """
    return build(name, named(name, data), templates=templates)


def build(name: str, values: Any, *, templates: bool = False) -> Any:
    """Return a module's `Args` as `arguments` does, from what `named` returned."""
    if mistakes := _wrong_mode(values):
        raise spec.SpecError(mistakes)
    args = spec.build(load(name).Args, values, templates=templates)
    check = getattr(load(name), "check", None)
    if check and not (templates and _stands_in(args)):
        mistakes = [spec.Mistake((), message) for message in check(args)]
        if mistakes:
            raise spec.SpecError(mistakes)
    return args


def _stands_in(args: Any) -> bool:
    """Return whether a template stands where a list or number is to be, so that arguments cannot be compared yet."""
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
