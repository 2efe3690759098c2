"""Reads a playbook into a plan of plays, roles and tasks. Mistakes in all its files are reported before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.agent.nearest import nearest
from benchrig.agent.play.plan import Play, Role, Task
from benchrig.mistakes import Mistakes
from benchrig.provision.roles import check_variables, read_role
from benchrig.provision.subset import PlayKeys, RoleEntry
from benchrig.provision.tasks import Inherited
from benchrig.yamlfile import Document


def read_playbook(path: Path) -> tuple[Play, ...]:
    """Read a playbook and the roles it names, from `roles/` beside it. Raises InputError with every mistake."""
    document = yamlfile.read(path)
    if not isinstance(document.data, list):
        raise document.error((), f"expected a list of plays, found {spec.describe(document.data)}")
    mistakes = Mistakes()
    plays = [_play(document, index, data, mistakes) for index, data in enumerate(document.data)]
    mistakes.raise_all()
    return tuple(play for play in plays if play is not None)


def _play(document: Document, index: int, data: Any, mistakes: Mistakes) -> Play | None:
    keys = mistakes.attempt(document.where((index,)), document.part, PlayKeys, data, (index,))
    if keys is None:
        return None
    roles = tuple(_roles(document, index, keys, mistakes))
    variables = keys.vars or {}
    check_variables(mistakes, document, variables, (index, "vars"))
    _check_handlers(roles, mistakes)
    return Play(keys.name or keys.hosts, document.where((index,)), keys.hosts, keys.gather_facts, variables, roles)


def _roles(document: Document, index: int, keys: PlayKeys, mistakes: Mistakes) -> Iterator[Role]:
    folder = document.path.parent / "roles"
    known = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    seen: set[str] = set()
    for position, data in enumerate(keys.roles):
        place = (index, "roles", position)
        where, written = document.where(place), {"role": data} if isinstance(data, str) else data
        entry = mistakes.attempt(where, document.part, RoleEntry, written, place)
        if entry is None:
            continue
        if entry.role not in known:
            mistakes.add(where, f"unknown role '{entry.role}'; {nearest(entry.role, known)}")
        elif entry.role in seen:
            mistakes.add(where, f"role '{entry.role}' is in this play twice")
        else:
            seen.add(entry.role)
            yield read_role(folder / entry.role, Inherited(tags=entry.tags, become=keys.become), mistakes)


def _check_handlers(roles: Sequence[Role], mistakes: Mistakes) -> None:
    """Check that each notification has a handler in the play, and that no two handlers of a role share a name."""
    handlers = [handler for role in roles for handler in role.handlers]
    topics = {handler.name for handler in handlers} | {topic for handler in handlers for topic in handler.listen}
    for task in _tasks(roles):
        for topic in task.notify:
            if topic not in topics:
                mistakes.add(task.where, f"no handler '{topic}' in this play; {nearest(topic, topics)}")
    for role in roles:
        for name, count in Counter(handler.name for handler in role.handlers).items():
            if count > 1:
                where = [handler.where for handler in role.handlers if handler.name == name][-1]
                mistakes.add(where, f"another handler of role '{role.name}' has the name '{name}'")


def _tasks(roles: Sequence[Role]) -> Iterator[Task]:
    for role in roles:
        yield from role.tasks
        yield from role.handlers


def tags_of(plays: Sequence[Play]) -> frozenset[str]:
    """Return every tag that a task of the plays has."""
    return frozenset(tag for play in plays for role in play.roles for task in role.tasks for tag in task.tags)
