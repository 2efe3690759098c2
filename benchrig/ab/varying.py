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
    default: object = ""
    """Its value without a session; the values that are compared are of the same type."""

    def variables(self, value: str) -> Mapping[str, object]:
        """Return the role variables that set a value."""
        return {self.variable: _typed(value, self.default), REQUIRED: [self.variable]}


REQUIRED = "tuning_required"
"""The role variable that names those which a machine must not refuse: a refused one would be measured as another."""

_FORMS: Mapping[type, tuple[str, str]] = {
    bool: (r"true|false|yes|no", "true or false"),
    int: (r"-?[0-9]{1,18}", "a whole number"),
    float: (r"-?[0-9]{1,18}(\.[0-9]{1,18})?", "a number"),
}
"""What values of a type look like, and what they are called."""


def parse(root: Path, text: str) -> Setting:
    """Read `variable=one,other`. Raises InputError for a variable that no role has, and unless there are two values."""
    name, equals, given = text.partition("=")
    values = [value.strip() for value in given.split(",")]
    if not equals or not name.strip():
        raise InputError(f"--vary takes variable=value,value, not '{short(text)}'")
    if len(values) != VALUES or not all(values):
        count = len([value for value in values if value])
        raise InputError(f"--vary {short(text)}: it takes two values, as in {short(name)}=1,2; {count} given")
    setting = of(root, name.strip(), (values[0], values[1]))
    if setting.variables(values[0]) == setting.variables(values[1]):
        raise InputError(f"--vary {short(text)}: both values are the same", "For an A/A session, name the row twice.")
    return setting


def of(root: Path, variable: str, values: tuple[str, str]) -> Setting:
    """Return a setting. Raises InputError for a variable that no role has or of several values, and for another type."""
    known = _variables(root)
    if variable not in known:
        raise unknown("role variable", variable, [name for name, value in known.items() if _is_single(value)])
    if not _is_single(known[variable]):
        kind = "a mapping" if isinstance(known[variable], Mapping) else "a list"
        raise InputError(f"'{variable}' is {kind}: --vary takes a role variable of one value")
    for value in values:
        _see_type(variable, value, known[variable])
    return Setting(variable, values, tuple(_users(root, variable)), known[variable])


def _see_type(variable: str, value: str, default: object) -> None:
    """Raise InputError for a value of another type than the role's own."""
    form = _FORMS.get(type(default))
    if form and not re.fullmatch(form[0], value, re.ASCII | re.IGNORECASE):
        raise InputError(f"--vary {variable}: it takes {form[1]}, as its default {default}, not '{short(value)}'")


def _typed(value: str, default: object) -> object:
    """Return a value in the type of the role's own: a role compares numbers with numbers."""
    if isinstance(default, bool):
        return value.lower() in ("true", "yes")
    return type(default)(value) if isinstance(default, (int, float)) else value


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
