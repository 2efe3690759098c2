"""The runtimes of apps: what an `app.yml` may name as its `runtime`, read from the table of the role `app`.

The table is in the role's variables, because the role has to run under ansible-playbook too. To add a runtime, add an
entry there; if it has to be installed on the machine, also a role, and a line for it in `site.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from benchrig import yamlfile
from benchrig.agent.bench.probe import VersionProbe

TABLE = Path(__file__).parents[2] / "roles" / "app" / "vars" / "main.yml"
KEY = "app_runtimes"

Needed = Literal["requirements", "build"]


@dataclass(frozen=True)
class Runtime:
    """One entry of the table; the comment above the table explains each key."""

    home: str
    role: str = ""
    needs: tuple[Needed, ...] = ()
    made_of: Literal["requirements", "source"] = "source"
    install: str = ""
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    probes: tuple[VersionProbe, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    def title(self, versions: Mapping[str, str]) -> str:
        """Return the title of what really ran, by its versions; empty when the app's own title holds."""
        for name, title in self.titles.items():
            if name in versions:
                return re.sub(r"\{([^{}]+)\}", lambda part: versions.get(part[1], ""), title)
        return ""


@cache
def runtimes() -> Mapping[str, Runtime]:
    """Return the runtimes by name. Raises InputError for a mistake in the table."""
    document = yamlfile.read(TABLE)
    entries: Mapping[str, object] = document.data[KEY]
    return {name: document.part(Runtime, entry, (KEY, name)) for name, entry in entries.items()}


def probes(name: str) -> tuple[VersionProbe, ...]:
    """Return the probes for an app of a runtime; those of all runtimes where its own has none, as it may run any program."""
    table = runtimes()
    return table[name].probes or tuple(probe for runtime in table.values() for probe in runtime.probes)


def version_commands() -> Mapping[str, tuple[str, ...]]:
    """Return the commands that print the versions of the runtimes' programs on a machine, by the program's name."""
    return {name: command for runtime in runtimes().values() for name, command in runtime.programs.items()}


def roles() -> tuple[str, ...]:
    """Return the roles that install runtimes, each once."""
    return tuple(dict.fromkeys(runtime.role for runtime in runtimes().values() if runtime.role))
