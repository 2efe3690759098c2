"""Settings that a session varies: role variables, set by the playbook before each measurement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchrig import reading
from benchrig.ab.commits import PLAYBOOK
from benchrig.agent.text import short
from benchrig.errors import InputError, unknown

VALUES = 2
"""Of a setting: those of A and of B."""


@dataclass(frozen=True)
class Setting:
    """A role variable with the values that are compared."""

    variable: str
    values: tuple[str, str]
    roles: tuple[str, ...]
    """The roles that use it: they are run to set it."""


def parse(root: Path, text: str) -> Setting:
    """Read `variable=one,other`. Raises InputError for a variable that no role has, and unless there are two values."""
    name, equals, given = text.partition("=")
    values = [value.strip() for value in given.split(",")]
    if not equals or not name.strip():
        raise InputError(f"--vary takes variable=value,value, not '{short(text)}'")
    if len(values) != VALUES or not all(values):
        count = len([value for value in values if value])
        raise InputError(f"--vary {short(text)}: it takes two values, as in {short(name)}=1,2; {count} given")
    if values[0] == values[1]:
        raise InputError(f"--vary {short(text)}: both values are the same", "For an A/A session, name the row twice.")
    return of(root, name.strip(), (values[0], values[1]))


def of(root: Path, variable: str, values: tuple[str, str]) -> Setting:
    """Return a setting. Raises InputError for a variable that no role of the playbook has, or of several values."""
    known = _variables(root)
    if variable not in known:
        raise unknown("role variable", variable, [name for name, value in known.items() if _is_single(value)])
    if not _is_single(known[variable]):
        kind = "a mapping" if isinstance(known[variable], Mapping) else "a list"
        raise InputError(f"'{variable}' is {kind}: --vary takes a role variable of one value")
    return Setting(variable, values, tuple(_users(root, variable)))


def _variables(root: Path) -> dict[str, object]:
    """Return the variables of the playbook's roles that a user may set, with their defaults."""
    # Late: to read all roles takes a while, and most sessions vary no setting.
    from benchrig.provision.playbook import read_playbook

    roles = [role for play in read_playbook(root / PLAYBOOK) for role in play.roles]
    return {str(name): value for role in roles for name, value in role.defaults.items()}


def _users(root: Path, variable: str) -> Iterator[str]:
    """Yield the roles of which a file names a variable."""
    word = re.compile(rf"\b{re.escape(variable)}\b")
    for folder in sorted((root / "roles").iterdir()):
        paths = (path for path in sorted(folder.rglob("*.*")) if path.suffix in (".yml", ".j2") and reading.is_file(path))
        if any(word.search(_text(path)) for path in paths):
            yield folder.name


def _text(path: Path) -> str:
    try:
        return reading.text(path)
    except reading.ReadError:
        return ""


def _is_single(value: object) -> bool:
    return not isinstance(value, (Mapping, list, tuple))
