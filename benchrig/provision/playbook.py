"""A playbook read into a plan: plays, roles, tasks. Every mistake in all its files is found before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.agent.nearest import nearest
from benchrig.agent.play.plan import Play, Role, Task
from benchrig.errors import InputError, Problem
from benchrig.provision.roles import read_role, variable_problems
from benchrig.provision.subset import PlayKeys, RoleEntry
from benchrig.provision.tasks import Inherited
from benchrig.yamlfile import Document


def read_playbook(path: Path) -> tuple[Play, ...]:
    """Read a playbook and the roles it names, from `roles/` beside it. Raises InputError with every mistake."""
    document = yamlfile.read(path)
    if not isinstance(document.data, list):
        raise InputError(problems=[document.problem((), f"expected a list of plays, found {spec.describe(document.data)}")])
    problems: list[Problem] = []
    plays = [_play(document, index, data, problems) for index, data in enumerate(document.data)]
    if problems:
        # A role in two plays is read twice, and its mistakes found twice.
        raise InputError(problems=list(dict.fromkeys(problems)))
    return tuple(play for play in plays if play is not None)


def _play(document: Document, index: int, data: Any, problems: list[Problem]) -> Play | None:
    try:
        keys = spec.build(PlayKeys, data, (index,))
    except spec.SpecError as error:
        problems.extend(document.problem(mistake.path, mistake.message) for mistake in error.mistakes)
        return None
    roles = tuple(_roles(document, index, keys, problems))
    variables = keys.vars or {}
    problems.extend(variable_problems(document, variables, (index, "vars")))
    problems.extend(_handler_problems(roles))
    return Play(keys.name or keys.hosts, document.where((index,)), keys.hosts, keys.gather_facts, variables, roles)


def _roles(document: Document, index: int, keys: PlayKeys, problems: list[Problem]) -> Iterator[Role]:
    folder = document.path.parent / "roles"
    known = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    seen: set[str] = set()
    for position, data in enumerate(keys.roles):
        place = (index, "roles", position)
        try:
            entry = spec.build(RoleEntry, {"role": data} if isinstance(data, str) else data, place)
        except spec.SpecError as error:
            problems.extend(document.problem(mistake.path, mistake.message) for mistake in error.mistakes)
            continue
        if entry.role not in known:
            problems.append(document.problem(place, f"unknown role '{entry.role}'; {nearest(entry.role, known)}"))
        elif entry.role in seen:
            problems.append(document.problem(place, f"role '{entry.role}' is in this play twice"))
        else:
            seen.add(entry.role)
            yield read_role(folder / entry.role, Inherited(tags=entry.tags, become=keys.become), problems)


def _handler_problems(roles: Sequence[Role]) -> Iterator[Problem]:
    """Find notifications that no handler of the play answers, and handlers that cannot be told apart."""
    handlers = [handler for role in roles for handler in role.handlers]
    topics = {handler.name for handler in handlers} | {topic for handler in handlers for topic in handler.listen}
    for task in _tasks(roles):
        for topic in task.notify:
            if topic not in topics:
                yield Problem(task.where, f"no handler '{topic}' in this play; {nearest(topic, topics)}")
    for role in roles:
        for name, count in Counter(handler.name for handler in role.handlers).items():
            if count > 1:
                where = [handler.where for handler in role.handlers if handler.name == name][-1]
                yield Problem(where, f"another handler of role '{role.name}' has the name '{name}'")


def _tasks(roles: Sequence[Role]) -> Iterator[Task]:
    for role in roles:
        yield from role.tasks
        yield from role.handlers


def tags_of(plays: Sequence[Play]) -> frozenset[str]:
    """Return every tag that a task of the plays has."""
    return frozenset(tag for play in plays for role in play.roles for task in role.tasks for tag in task.tags)
