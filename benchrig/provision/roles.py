"""A role read and checked from its folder: Ansible's layout, and nothing in it that would be passed over in silence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.agent.nearest import nearest
from benchrig.agent.play.plan import Role
from benchrig.errors import InputError, Problem
from benchrig.provision import templates
from benchrig.provision.subset import ROLE_FOLDERS, Meta
from benchrig.provision.tasks import Inherited, TaskReader, texts
from benchrig.yamlfile import Document, shown


def read_role(folder: Path, inherited: Inherited, problems: list[Problem]) -> Role:
    """Read the role in a folder; every mistake goes to `problems`."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in ROLE_FOLDERS:
            message = f"a role has no folder '{path.name}'; {nearest(path.name, ROLE_FOLDERS)}"
            problems.append(Problem(shown(path), message))
    reader = TaskReader(problems)
    tasks, handlers = folder / "tasks/main.yml", folder / "handlers/main.yml"
    _check_meta(folder / "meta/main.yml", problems)
    problems.extend(_unread(folder))
    for path in sorted((folder / "templates").rglob("*")):
        if path.is_file():
            problems.extend(templates.file_problems(path))
    return Role(
        name=folder.name,
        defaults=_variables(folder / "defaults/main.yml", problems),
        vars=_variables(folder / "vars/main.yml", problems),
        tasks=tuple(reader.read(tasks, inherited)) if tasks.is_file() else (),
        handlers=tuple(reader.read(handlers, inherited, handlers=True)) if handlers.is_file() else (),
    )


def _unread(folder: Path) -> list[Problem]:
    """Return what Ansible would read of a role, and we do not: `main.yaml`, or a folder `main`."""
    return [
        Problem(f"{shown(path)}:1", f"is not read here; write it in {kind}/main.yml")
        for kind in ("tasks", "handlers", "defaults", "vars", "meta")
        for path in sorted((folder / kind).glob("main*"))
        if path.stem == "main" and path.name != "main.yml"
    ]


def _document(path: Path, problems: list[Problem]) -> Document | None:
    """Read a YAML file that need not be there."""
    if not path.is_file():
        return None
    try:
        return yamlfile.read(path)
    except InputError as error:
        problems.extend(error.problems or [Problem(shown(path), str(error))])
        return None


def _variables(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    document = _document(path, problems)
    if document is None or document.data is None:
        return {}
    if not isinstance(document.data, Mapping):
        problems.append(document.problem((), f"expected variables, found {spec.describe(document.data)}"))
        return {}
    problems.extend(variable_problems(document, document.data, ()))
    return document.data


def variable_problems(document: Document, variables: Mapping[str, Any], path: spec.Path) -> list[Problem]:
    """Return what is wrong with variables at a place of a file: their names, and the templates in them."""
    found = [
        document.problem((*path, name), f"'{name}' is not a variable name")
        for name in variables
        if not str(name).isidentifier()
    ]
    for place, text in texts(variables, path):
        found.extend(templates.problems(document, place, text, "value"))
    return found


def _check_meta(path: Path, problems: list[Problem]) -> None:
    document = _document(path, problems)
    if document is None or document.data is None:
        return
    try:
        meta = spec.build(Meta, document.data)
    except spec.SpecError as error:
        problems.extend(document.problem(mistake.path, mistake.message) for mistake in error.mistakes)
        return
    if meta.dependencies:
        problems.append(document.problem(("dependencies",), "a role has no dependencies here; list the roles in the play"))
