"""The modules: what a task can do. To add one, add a file here that has a `MODULE`, and its line in the table.

`contract.py` says what a module is; `base.py` has what it gets and returns.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from .contract import Module

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
def load(name: str) -> Module[Any]:
    """Return a module by its full name. Raises TypeError when its file does not keep the contract."""
    module: object = importlib.import_module(f".{MODULES[name]}", __name__).MODULE
    if not isinstance(module, Module):
        raise TypeError(f"MODULE of {name} is not a Module")
    return module
