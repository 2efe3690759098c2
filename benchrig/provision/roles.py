"""Reads and checks a role's folder in Ansible's layout; anything that would be ignored is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.agent.nearest import nearest
from benchrig.agent.play.plan import Role
from benchrig.mistakes import Mistakes
from benchrig.provision import templates
from benchrig.provision.subset import ROLE_FOLDERS, Meta
from benchrig.provision.tasks import Inherited, TaskReader, texts
from benchrig.yamlfile import Document, shown


def read_role(folder: Path, inherited: Inherited, mistakes: Mistakes) -> Role:
    """Read and check the role in a folder."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in ROLE_FOLDERS:
            message = f"a role has no folder '{path.name}'; {nearest(path.name, ROLE_FOLDERS)}"
            mistakes.add(shown(path), message)
    reader = TaskReader(mistakes)
    tasks, handlers = folder / "tasks/main.yml", folder / "handlers/main.yml"
    _check_meta(folder / "meta/main.yml", mistakes)
    _check_names(folder, mistakes)
    for path in sorted((folder / "templates").rglob("*")):
        if path.is_file():
            templates.check_file(mistakes, path)
    return Role(
        name=folder.name,
        defaults=_variables(folder / "defaults/main.yml", mistakes),
        vars=_variables(folder / "vars/main.yml", mistakes),
        tasks=tuple(reader.read(tasks, inherited)) if tasks.is_file() else (),
        handlers=tuple(reader.read(handlers, inherited, handlers=True)) if handlers.is_file() else (),
    )


def _check_names(folder: Path, mistakes: Mistakes) -> None:
    """Refuse what Ansible would read of a role, and we do not: `main.yaml`, or a folder `main`."""
    for kind in ("tasks", "handlers", "defaults", "vars", "meta"):
        for path in sorted((folder / kind).glob("main*")):
            if path.stem == "main" and path.name != "main.yml":
                mistakes.add(f"{shown(path)}:1", f"benchrig does not read this; write it in {kind}/main.yml")


def _document(path: Path, mistakes: Mistakes) -> Document | None:
    """Read an optional YAML file."""
    return mistakes.attempt(shown(path), yamlfile.read, path) if path.is_file() else None


def _variables(path: Path, mistakes: Mistakes) -> Mapping[str, Any]:
    document = _document(path, mistakes)
    if document is None or document.data is None:
        return {}
    if not isinstance(document.data, Mapping):
        mistakes.add(document.where(), f"expected variables, found {spec.describe(document.data)}")
        return {}
    check_variables(mistakes, document, document.data, ())
    return document.data


def check_variables(mistakes: Mistakes, document: Document, variables: Mapping[str, Any], path: spec.Path) -> None:
    """Check variables at a place of a file: their names, and the templates in them."""
    for name in variables:
        if not str(name).isidentifier():
            mistakes.add(document.where((*path, name)), f"'{name}' is not a variable name")
    for place, text in texts(variables, path):
        templates.check(mistakes, document.where(place), text, "value")


def _check_meta(path: Path, mistakes: Mistakes) -> None:
    document = _document(path, mistakes)
    if document is None or document.data is None:
        return
    meta = mistakes.attempt(document.where(), document.build, Meta)
    if meta is not None and meta.dependencies:
        message = "benchrig does not read dependencies of roles; list the roles in the play"
        mistakes.add(document.where(("dependencies",)), message)
