"""What templates may ask of the files that came with the play: lookups, and YAML that was read before they left.

Lookups read the controller's files, as in Ansible; on the host those are the bundle's, and nothing else may be read. The
host has no YAML reader: the controller read every YAML file of the bundle, and `from_yaml` finds what became of a text by
its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from . import wire

PLAN = "plan.json"
YAML = "yaml.json"


def yaml_key(text: str) -> str:
    """Return the key of a YAML text's content in the bundle; white space around the text does not count."""
    return hashlib.sha256(text.strip().encode()).hexdigest()


class Bundle:
    """The files of a play on the host, in a folder laid out like the project's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.role = ""
        """Name of the role whose tasks now run: its `files/` are searched first."""

    def role_path(self) -> Path:
        """Return the folder of the role that now runs."""
        return self.folder / "roles" / self.role

    def find(self, name: str, kind: str = "files") -> Path:
        """Return a file of the bundle: of the role's `files/` or `templates/`, of the role, or of the project.

        Raises LookupError when there is none, or when it lies outside.
        """
        bases = (
            [self.folder] if not self.role else [self.role_path() / kind, self.role_path(), self.folder / kind, self.folder]
        )
        for base in bases:
            path = base / name
            if path.exists():
                if not path.resolve().is_relative_to(self.folder.resolve()):
                    raise LookupError(f"'{name}' is not a file of the project; templates can read no other file")
                return path
        raise LookupError(f"there is no file '{name}' in {kind}/ of the role or below the project's folder")

    @cached_property
    def _yaml(self) -> dict[str, Any]:
        content: dict[str, Any] = wire.loads((self.folder / YAML).read_text(encoding="utf-8"))
        return content

    def from_yaml(self, text: Any) -> Any:
        """Return the content of a YAML text: one of the bundle's files, or JSON, which is YAML too."""
        if not isinstance(text, str):
            return text
        key = yaml_key(text)
        if key in self._yaml:
            return self._yaml[key]
        try:
            return json.loads(text)
        except ValueError:
            raise ValueError(
                "from_yaml reads the YAML files of apps/ and configs/, and JSON; this text is neither"
            ) from None

    def lookup(self, plugin: str, *terms: Any, wantlist: bool = False, **options: Any) -> Any:
        """Ansible's `lookup`: `file` or `fileglob`; the results as text joined by commas, or as a list."""
        found = self.query(plugin, *terms, **options)
        return found if wantlist else ",".join(found)

    def query(self, plugin: str, *terms: Any, **options: Any) -> list[str]:
        """Ansible's `query`: a lookup whose results are a list."""
        name = plugin.removeprefix("ansible.builtin.")
        if name not in LOOKUPS:
            raise LookupError(f"unknown lookup '{plugin}'; known: {', '.join(LOOKUPS)}")
        flat = [item for term in terms for item in (term if isinstance(term, list) else [term])]
        return [result for term in flat for result in LOOKUPS[name](self, str(term), options)]

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters that need the bundle."""
        return dict.fromkeys(FILTERS, self.from_yaml)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return what templates may call."""
        return {"lookup": self.lookup, "query": self.query, "q": self.query}


def _file(bundle: Bundle, name: str, options: dict[str, Any]) -> list[str]:
    text = bundle.find(name).read_text(encoding="utf-8")
    text = text.lstrip() if options.get("lstrip", False) else text
    return [text.rstrip() if options.get("rstrip", True) else text]


def _fileglob(bundle: Bundle, pattern: str, options: dict[str, Any]) -> list[str]:
    if pattern.startswith("/"):
        return [path for path in _glob(bundle, pattern, options) if Path(path).is_file()]
    for base in (bundle.role_path() / "files", bundle.role_path(), bundle.folder / "files", bundle.folder):
        if paths := sorted(str(path) for path in base.glob(pattern) if path.is_file()):
            return paths
    return []


def _glob(bundle: Bundle, pattern: str, _options: dict[str, Any]) -> list[str]:
    folder = bundle.folder.resolve()
    return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")) if path.resolve().is_relative_to(folder))


FILTERS = ("from_yaml", "ansible.builtin.from_yaml")

LOOKUPS: dict[str, Callable[[Bundle, str, dict[str, Any]], list[str]]] = {
    "file": _file,
    "fileglob": _fileglob,
    "glob": _glob,
}
"""The lookups there are. `glob` is the roles' own: Ansible finds it in their `lookup_plugins/`."""
