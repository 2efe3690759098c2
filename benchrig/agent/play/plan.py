"""What is to be done, as the controller read it from playbook and roles: plays, roles and tasks, with file and line.

The controller makes and checks it, it travels in the bundle as JSON, the host runs it. Templates in it are still text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from . import wire

T = TypeVar("T")

Condition = str | bool
"""A Jinja expression without braces, or simply yes or no."""


@dataclass(frozen=True)
class Task:
    """One task or handler of a role. Conditions, tags and variables of what imported it are already its own."""

    name: str
    where: str
    """`file:line`"""
    module: str
    """Fully qualified, e.g. `ansible.builtin.copy`."""
    arguments: Any = None
    """A mapping, or text for the modules that take a free form."""
    when: Sequence[Condition] = ()
    loop: Any = None
    loop_var: str = "item"
    label: str = ""
    register: str = ""
    notify: Sequence[str] = ()
    listen: Sequence[str] = ()
    tags: Sequence[str] = ()
    changed_when: Sequence[Condition] = ()
    failed_when: Sequence[Condition] = ()
    ignore_errors: Condition = False
    check_mode: bool | None = None
    """Check mode on or off for this task; None follows the run."""
    become_user: str = ""
    vars: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    no_log: bool = False


@dataclass(frozen=True)
class Role:
    """A role as its folder says: variables, tasks, handlers."""

    name: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    tasks: Sequence[Task] = ()
    handlers: Sequence[Task] = ()


@dataclass(frozen=True)
class Play:
    """Which roles the hosts of a pattern get."""

    name: str
    where: str
    hosts: str
    gather_facts: bool = True
    vars: Mapping[str, Any] = field(default_factory=dict)
    roles: Sequence[Role] = ()


def to_json(plays: Sequence[Play]) -> str:
    """Return plays as JSON text, without what stands at its default."""
    return wire.dumps([_brief(play) for play in plays])


def from_json(text: str) -> tuple[Play, ...]:
    """Read plays from the JSON text that `to_json` made."""
    return tuple(Play(**{**play, "roles": [_role(role) for role in play.get("roles", ())]}) for play in wire.loads(text))


def texts(text: str) -> frozenset[str]:
    """Return every text that stands in plays, read from the JSON text that `to_json` made."""
    return frozenset(_texts(wire.loads(text)))


def made(plays: Sequence[Play]) -> frozenset[str]:
    """Return the names of the variables that tasks of the plays make: what they register, and the facts they set."""
    tasks = [task for play in plays for role in play.roles for task in (*role.tasks, *role.handlers)]
    facts = {name for task in tasks if task.module == "ansible.builtin.set_fact" for name in task.arguments}
    return frozenset(facts | {task.register for task in tasks if task.register})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        # A condition is compiled without the white space around it.
        yield value.strip()
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _role(data: dict[str, Any]) -> Role:
    tasks = {key: [Task(**task) for task in data.get(key, ())] for key in ("tasks", "handlers")}
    return Role(**{**data, **tasks})


def _brief(value: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in fields(value):
        content = getattr(value, item.name)
        if item.name in ("roles", "tasks", "handlers"):
            content = [_brief(part) for part in content]
        default = {} if item.default is MISSING else item.default
        if content != default:
            result[item.name] = content
    return result
