"""The bundle that a host needs to run a play: the plan, files and templates, and the content of every YAML file.

A bundle is named by the hash of its content: a host stores it, and it is sent only when something in it has changed.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchrig import reading, yamlfile
from benchrig.agent.play import wire
from benchrig.agent.play.lookups import PLAN, YAML, yaml_key
from benchrig.agent.play.plan import Play, to_json
from benchrig.agent.play.store import digest
from benchrig.mistakes import Mistakes

_FOLDERS = ("apps", "configs", "files", "templates")
"""Folders of the project that lookups and modules may read."""

_DATA = ("apps/", "configs/")
"""What `from_yaml` may be asked about; a role's files may be YAML only after they have been rendered."""

_ROLE_FOLDERS = ("files", "templates")
"""The rest of a role is in the plan."""


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle by file name; files that may be executed are named in `executable`."""

    content: Mapping[str, bytes]
    executable: frozenset[str]

    @cached_property
    def sha(self) -> str:
        """The bundle's name: a hash over all that is in it."""
        return digest((name, name in self.executable, data) for name, data in self.content.items())

    @cached_property
    def archive(self) -> bytes:
        """The bundle as a gzipped tar archive; the same content makes the same bytes."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, data in sorted(self.content.items()):
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), 0o755 if name in self.executable else 0o644
                archive.addfile(info, io.BytesIO(data))
        return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)


def make(root: Path, plays: Sequence[Play]) -> Bundle:
    """Return the bundle of plays of the project in `root`.

    Raises InputError when a YAML file in it is none, a file cannot be read, its name is no text, or a link leads out of the
    project.
    """
    files = dict(_files(root, plays))
    content = _read_bytes(root, files)
    content[YAML] = wire.dumps(_read_all(files)).encode()
    content[PLAN] = to_json(plays).encode()
    return Bundle(content, frozenset(name for name, path in files.items() if path.stat().st_mode & 0o100))


def _files(root: Path, plays: Sequence[Play]) -> Iterator[tuple[str, Path]]:
    """Yield the project's files that a host may read, with their names in the bundle; hidden ones are left out."""
    roles = sorted({role.name for play in plays for role in play.roles})
    folders = [root / name for name in _FOLDERS] + [root / "roles" / role / name for role in roles for name in _ROLE_FOLDERS]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in name.parts):
                yield name.as_posix(), path


def _read_bytes(root: Path, files: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the content of every file, by its name."""
    content: dict[str, bytes] = {}
    mistakes = Mistakes()
    for name, path in files.items():
        try:
            if not _is_text(name):
                raise reading.ReadError("its name is not UTF-8 text; rename it")
            if path.is_symlink() and not reading.is_below(path, root):
                raise reading.ReadError("it leads out of the project, and would be sent to the hosts; copy it")
            content[name] = reading.content(path, reading.MOST_SENT_BYTES)
        except reading.ReadError as error:
            mistakes.add(os.fsencode(name).decode(errors="backslashreplace"), f"cannot be read: {error}")
    mistakes.raise_all()
    return content


def _is_text(name: str) -> bool:
    """Return whether the bytes of a file's name are UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _read_all(files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the content of every YAML file of our data, by the key of its text, for `from_yaml` on the host."""
    result: dict[str, Any] = {}
    mistakes = Mistakes()
    for name, path in files.items():
        if name.startswith(_DATA) and name.endswith((".yml", ".yaml")):
            document = mistakes.attempt(yamlfile.shown(path), yamlfile.read, path)
            if document is not None:
                result[yaml_key(path.read_text(encoding="utf-8"))] = document.data
    mistakes.raise_all()
    return result
