"""The part of Ansible's language that is supported: the keys of plays, roles and tasks, as specifications.

What is not here is refused when it is read, with file and line: never skipped, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchrig.agent.nearest import nearest
from benchrig.agent.play.modules import MODULES

IMPORT_TASKS = "ansible.builtin.import_tasks"
META = "ansible.builtin.meta"

ACTIONS = (*MODULES, IMPORT_TASKS, META)
"""What a task can name as what it does."""

MAGIC = frozenset(
    {
        "ansible_check_mode",
        "ansible_diff_mode",
        "ansible_facts",
        "ansible_loop_var",
        "ansible_managed",
        "ansible_run_tags",
        "ansible_skip_tags",
        "group_names",
        "groups",
        "hostvars",
        "inventory_hostname",
        "inventory_hostname_short",
        "playbook_dir",
        "role_name",
        "role_path",
    }
)
"""Variables that Ansible itself sets, and we as well."""


@dataclass(frozen=True)
class RoleEntry:
    """An entry of a play's `roles`."""

    role: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlayKeys:
    """A play."""

    hosts: str
    name: str = ""
    become: bool = False
    gather_facts: bool = True
    vars: dict[str, Any] | None = None
    roles: tuple[Any, ...] = ()


@dataclass(frozen=True)
class LoopControl:
    """How a loop names its items."""

    label: str = ""
    loop_var: str = "item"


@dataclass(frozen=True)
class TaskKeys:
    """A task, beside its module. Handlers have `listen` as well."""

    name: str = ""
    when: Any = ()
    loop: Any = None
    loop_control: LoopControl = LoopControl()
    register: str = ""
    notify: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    become: bool | None = None
    become_user: str = ""
    tags: tuple[str, ...] = ()
    changed_when: Any = ()
    failed_when: Any = ()
    ignore_errors: Any = False
    check_mode: bool | None = None
    vars: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    no_log: bool = False


@dataclass(frozen=True)
class Meta:
    """A role's `meta/main.yml`."""

    galaxy_info: Any = None
    dependencies: tuple[str, ...] = ()


ROLE_FOLDERS: Mapping[str, str] = {
    "tasks": "tasks",
    "handlers": "handlers",
    "defaults": "variables of the lowest precedence",
    "vars": "variables",
    "templates": "templates",
    "files": "files",
    "meta": "meta",
    "lookup_plugins": "for Ansible; the agent has its own",
    "filter_plugins": "links for Ansible to filters of the agent",
}
"""The folders that a role may have."""


def conditions(value: Any) -> tuple[Any, ...]:
    """Return `when` and its like as a list of conditions."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def action_mistake(name: str) -> str:
    """Say that a task's key is neither a keyword nor a module, and what it may have meant."""
    full = f"ansible.builtin.{name}"
    if full in ACTIONS:
        return f"write the module's full name: '{full}'"
    return f"unknown key or module '{name}'; {nearest(name, [*ACTIONS, *_KEYWORDS])}"


_KEYWORDS = tuple(TaskKeys.__dataclass_fields__)
KEYWORDS = frozenset(_KEYWORDS)
"""The keys a task may have beside its module."""
