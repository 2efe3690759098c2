"""Writes a run as an archive: the same run and version give the same bytes, whoever writes them and wherever."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import benchrig
from benchrig.agent.text import one_line
from benchrig.errors import InputError
from benchrig.results import labels, sessions, store
from benchrig.results.archive import layout
from benchrig.results.archive.layout import ArchiveError, File, Manifest
from benchrig.results.lock import RunLock
from benchrig.yamlfile import shown

CHUNK = 1 << 20

_MADE = ("report.", "imported.txt")
"""Begins the names of files that are left out without a word: they are computed anew, or are of this copy alone."""


@dataclass(frozen=True)
class Packed:
    """A run that was written as an archive."""

    files: int
    size: int
    """Of its files, in bytes."""
    left_out: tuple[str, ...]
    """What else is in its folder, and is not of the run."""


def pack(folder: Path, to: BinaryIO) -> Packed:
    """Write the run in a folder as an archive. Nobody can measure it meanwhile.

    Raises InputError for a run that is being measured, that cannot be read, or that has files which no archive takes, and
    OSError.
    """
    lock = RunLock(folder)
    try:
        _see_run(folder)
        files = files_of(folder)
        manifest = Manifest(layout.FORMAT, benchrig.__version__, folder.name, files)
        try:
            layout.check(manifest, layout.MOST_PACKED_BYTES)
        except ArchiveError as error:
            raise InputError(f"{shown(folder)} cannot be exported: {error}") from None
        _write(folder, manifest, to)
    finally:
        lock.release()
    others = [name for name in layout.unlisted(folder) if not name.startswith(_MADE)]
    return Packed(len(files), manifest.size, tuple(others))


def files_of(folder: Path) -> tuple[File, ...]:
    """Return the files of a run as an archive has them. Raises InputError for one that is no regular file, and OSError."""
    paths = [name for name in (store.RUN, store.CELLS, labels.FILE) if os.path.lexists(folder / name)]
    for base, folders, names in os.walk(folder / store.RAW, onerror=_raised):
        if links := [name for name in folders if (Path(base) / name).is_symlink()]:
            raise InputError(f"{shown(Path(base) / links[0])} is a link: a run has files alone")
        paths += [(Path(base) / name).relative_to(folder).as_posix() for name in names]
    return tuple(_file(folder, path) for path in sorted(paths))


def _raised(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _see_run(folder: Path) -> None:
    """See that a folder is that of a run which can be read. Raises InputError."""
    if (folder / sessions.FILE).exists():
        raise InputError(f"{shown(folder)} is an A/B session: only runs can be exported")
    store.look(folder)
    if not store.has_cells(folder):
        raise InputError(f"{shown(folder)} cannot be exported: no cell of it was measured")


def _file(folder: Path, path: str) -> File:
    digest, size = hashlib.sha256(), 0
    with _opened(folder / path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return File(path, size, digest.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file, and no other. Raises InputError, and OSError."""
    kind = path.lstat().st_mode
    if not stat.S_ISREG(kind):
        raise InputError(f"{shown(path)} is no regular file: a run has files alone")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        yield file


def _write(folder: Path, manifest: Manifest, to: BinaryIO) -> None:
    # Without a name and a time in its header, unlike that of gzip's program.
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)

    def put(content: bytes) -> None:
        to.write(deflate.compress(content))

    text = layout.text_of(manifest)
    put(layout.header(layout.MANIFEST, len(text)) + text + bytes(layout.padding(len(text))))
    for file in manifest.files:
        put(layout.header(file.path, file.size))
        digest, left = hashlib.sha256(), file.size
        with _opened(folder / file.path) as content:
            while chunk := content.read(min(CHUNK, left)):
                digest.update(chunk)
                left -= len(chunk)
                put(chunk)
        if left or digest.hexdigest() != file.sha256:
            raise InputError(f"'{one_line(file.path, 100)}' of {shown(folder)} changed while it was read: export it again")
        put(bytes(layout.padding(file.size)))
    put(layout.END)
    to.write(deflate.flush())
