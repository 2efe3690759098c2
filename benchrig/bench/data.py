"""Data sets: folders of `configs/data/` with SQL that puts a database into a defined state, and that state's fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchrig import yamlfile
from benchrig.errors import unknown
from benchrig.mistakes import Mistakes, check_title

DESCRIPTION = "data.yml"
LOAD = "load.sql"
FINGERPRINT = "fingerprint.sql"


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by name, as they must lie on a host."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@dataclass(frozen=True)
class DataFile:
    """`data.yml` as it is written."""

    title: str
    fingerprint: str
    """What `fingerprint.sql` prints when `load.sql` has just been run."""
    tables: tuple[str, ...]


@dataclass(frozen=True)
class DataSet:
    """A data set: its name (the folder's, and that of its database), where it lies, and its `data.yml`."""

    name: str
    folder: Path
    file: DataFile
    document: yamlfile.Document

    def where(self, *keys: str) -> str:
        """Return `file:line` of a value in its `data.yml`."""
        return self.document.where(keys)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file that must lie on the database's host, by name."""
        paths = [path for path in sorted(self.folder.iterdir()) if path.is_file() and path.name != DESCRIPTION]
        return digests(paths)


def read_data(root: Path, name: str) -> DataSet:
    """Read a data set of `root/configs/data`. Raises InputError: there is none of that name; a mistake with its line."""
    sets = root / "configs" / "data"
    known = {path.parent.name for path in sets.glob(f"*/{DESCRIPTION}")}
    if name not in known:
        raise unknown("data set", name, known)
    folder = sets / name
    document = yamlfile.read(folder / DESCRIPTION)
    file = document.build(DataFile)
    mistakes = Mistakes()
    check_title(mistakes, document.where(("title",)), file.title)
    for needed in (LOAD, FINGERPRINT):
        if not (folder / needed).is_file():
            mistakes.add(document.where(), f"there is no file '{needed}' beside this")
    mistakes.raise_all()
    return DataSet(name, folder, file, document)
