"""Archives of runs made by hand: sound ones, and such as only an attacker or a broken disk makes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchrig.results.archive import layout
from tests.support import ROOT

RUN = ROOT / "tests" / "cases" / "results" / "v2"
NAME = "20250102-030405-web-frameworks"

Entry = tuple[str, bytes]


def contents() -> dict[str, bytes]:
    """Return the files of a small run, by their paths."""
    return {
        "cells.jsonl": (RUN / "cells.jsonl").read_bytes(),
        "raw/flask-sync-1.txt": b"a text\n",
        "run.json": (RUN / "run.json").read_bytes(),
    }


def listed(files: Iterable[Entry]) -> list[dict[str, object]]:
    """Return the entries of a manifest for some files."""
    return [{"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files]


def manifest(files: Iterable[Entry], /, **changes: object) -> bytes:
    """Return the text of a manifest for some files, with changes."""
    data = {"format": 1, "benchrig": "0.2.0", "run": NAME, "files": listed(files), **changes}
    return json.dumps(data).encode()


def member(path: str, data: bytes) -> bytes:
    """Return a regular entry of a tar archive, as benchrig writes it."""
    return layout.header(path, len(data)) + data + bytes(layout.padding(len(data)))


def odd_member(path: str, data: bytes = b"", **changes: object) -> bytes:
    """Return an entry of a tar archive as Python's tarfile writes it, with any fields: a link, a device, an owner."""
    info = tarfile.TarInfo(f"{layout.TOP}/{path}")
    info.size = len(data)
    for name, value in changes.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(layout.padding(len(data)))


def archive(*parts: bytes, end: bytes = layout.END) -> bytes:
    """Return parts of a tar archive as one in gzip's format."""
    return gzip.compress(b"".join(parts) + end, mtime=0)


def of_files(files: Mapping[str, bytes] | Iterable[Entry], /, *more: bytes, **changes: object) -> bytes:
    """Return an archive of some files, with a manifest that fits them but for `changes`, and further entries behind them."""
    entries = list(files.items()) if isinstance(files, Mapping) else list(files)
    members = [member(path, data) for path, data in entries]
    return archive(member(layout.MANIFEST, manifest(entries, **changes)), *members, *more)


def stored(archive_: bytes, folder: Path) -> Path:
    """Write an archive to a file and return that."""
    path = folder / "run.tar.gz"
    path.write_bytes(archive_)
    return path


def opened(archive_: bytes) -> io.BytesIO:
    """Return an archive as a file that is open."""
    return io.BytesIO(archive_)
