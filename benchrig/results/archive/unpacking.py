"""Reads the archive of a run: all of it is checked before anything is written, then it appears in `reports/` as a whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchrig import files, reading
from benchrig.agent.text import one_line
from benchrig.errors import InputError
from benchrig.results import labels, store
from benchrig.results.archive import layout
from benchrig.results.archive.layout import ArchiveError, File, Manifest
from benchrig.results.archive.packing import CHUNK, files_of
from benchrig.results.lock import folder_lock
from benchrig.results.recorder import NEEDED_BYTES, NEEDED_FILES, check_room
from benchrig.yamlfile import shown

STAGING = ".importing"
"""The hidden folder of `reports/` that a run is unpacked in. One that is left behind is of an import that was killed."""

_KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a FIFO"}

Sink = Callable[[bytes], object]
"""Takes a part of a file."""


@dataclass(frozen=True)
class Unpacked:
    """A run that came from an archive."""

    folder: Path
    was_there: bool
    """It was in `reports/` already, with the same content: nothing was changed."""
    lost: int
    """Damaged lines of its cells."""


def unpack(archive: BinaryIO, reports: Path, others: Collection[str] = ()) -> Unpacked:
    """Put the run of an archive, a file that can be read twice, into `reports`, as a whole or not at all.

    `others` are names that mean something else, such as published figures: a run of one would be taken for it. Raises
    ArchiveError for an archive with anything that a run has not, InputError where `reports` has another run of its
    name, and OSError where it cannot be written.
    """
    packed_bytes = archive.seek(0, os.SEEK_END)
    if packed_bytes > layout.MOST_PACKED_BYTES:
        raise ArchiveError(f"it is larger than {reading.size(layout.MOST_PACKED_BYTES)}")
    with tempfile.TemporaryDirectory(prefix="benchrig-") as beside:
        manifest = _read(archive, packed_bytes, lambda file: _to_check(Path(beside), file))
        lost = _see_records(Path(beside))
    if manifest.run in others:
        raise ArchiveError(f"'{manifest.run}' is the name of a set of published figures, which it would be taken for")
    target = reports / manifest.run
    reports.mkdir(exist_ok=True)
    with folder_lock(reports):
        if os.path.lexists(target):
            _see_same(target, manifest)
            return Unpacked(target, True, lost)
        check_room(reports, NEEDED_BYTES + manifest.size, NEEDED_FILES + len(manifest.files))
        _place(archive, packed_bytes, manifest, target)
    return Unpacked(target, False, lost)


def _read(archive: BinaryIO, packed_bytes: int, sink: Callable[[File], Iterator[Sink]]) -> Manifest:
    """Read an archive from its beginning to its end, and hand each file to a sink. Raises ArchiveError."""
    archive.seek(0)
    stream = _Stream(archive)
    manifest = layout.manifest_of(_first(stream))
    layout.check(manifest, packed_bytes)
    for file in manifest.files:
        stream.see(layout.header(file.path, file.size), file.path)
        digest = hashlib.sha256()
        with contextmanager(sink)(file) as put:
            for chunk in stream.chunks(file.size):
                digest.update(chunk)
                put(chunk)
        if digest.hexdigest() != file.sha256:
            raise ArchiveError(f"'{one_line(file.path, 100)}' is damaged: its SHA-256 is not that of the {layout.MANIFEST}")
        stream.see(bytes(layout.padding(file.size)), file.path)
    stream.see(layout.END, "")
    stream.end()
    return manifest


def _first(stream: _Stream) -> bytes:
    """Return the content of the first entry, the manifest."""
    block = stream.take(layout.BLOCK)
    try:
        size = int(block[124:135], 8)
    except ValueError:
        size = -1
    if not 0 <= size <= layout.MOST_MANIFEST_BYTES or block != layout.header(layout.MANIFEST, size):
        raise ArchiveError("it is no archive of ./inv export")
    content = stream.take(size)
    stream.see(bytes(layout.padding(size)), layout.MANIFEST)
    return content


class _Stream:
    """The inflated bytes of an archive, a few at a time. Its methods raise ArchiveError."""

    def __init__(self, archive: BinaryIO) -> None:
        self._archive = archive
        self._inflate = zlib.decompressobj(31)
        self._have = b""

    def chunks(self, count: int) -> Iterator[bytes]:
        """Yield the next `count` bytes in parts."""
        while count:
            self._have = self._have or self._more()
            part, self._have = self._have[:count], self._have[count:]
            if not part:
                raise ArchiveError("it ends too early")
            count -= len(part)
            yield part

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        return b"".join(self.chunks(count))

    def see(self, expected: bytes, path: str) -> None:
        """See that the bytes that follow are those which the manifest makes them."""
        found = self.take(len(expected))
        if found != expected:
            raise ArchiveError(_other(found, path))

    def end(self) -> None:
        """See that nothing follows."""
        if self._have or self._more():
            raise ArchiveError(f"it has more than its {layout.MANIFEST} says")
        if self._inflate.unused_data or self._archive.read(1):
            raise ArchiveError("something follows behind its end")

    def _more(self) -> bytes:
        while not self._inflate.eof:
            source = self._inflate.unconsumed_tail or self._archive.read(CHUNK)
            if not source:
                raise ArchiveError("it ends too early")
            try:
                found = self._inflate.decompress(source, CHUNK)
            except zlib.error:
                raise ArchiveError("it is damaged, or no file in gzip's format") from None
            if found:
                return found
        return b""


def _other(found: bytes, path: str) -> str:
    """Return what is wrong with a header that is not the one that the manifest makes."""
    if not path:
        return f"it has more than its {layout.MANIFEST} says"
    is_header = found[257:262] == b"ustar"
    if is_header and (kind := _KINDS.get(found[156:157])):
        return f"it has {kind} in place of '{one_line(path, 100)}'"
    name = found[:100].rstrip(b"\0").decode(errors="replace") if is_header else ""
    return f"it has '{one_line(name, 100)}' in place of '{one_line(path, 100)}'" if name else f"'{path}' is damaged"


def _to_check(folder: Path, file: File) -> Iterator[Sink]:
    """Yield a sink for a file: the records go to a folder to be read, the other files nowhere."""
    if "/" in file.path:
        yield len
    else:
        with (folder / file.path).open("xb") as content:
            yield content.write


def _see_records(folder: Path) -> int:
    """See that the records of a run can be read, and return how many lines of its cells cannot. Raises ArchiveError."""
    try:
        lost = store.look(folder)
        if os.path.lexists(folder / labels.FILE):
            text = reading.text(folder / labels.FILE, labels.MOST_BYTES)
            if text != f"{labels.checked(text.removesuffix(chr(10)))}\n":
                raise ArchiveError(f"its {labels.FILE} is no label")
    except (InputError, reading.ReadError) as error:
        raise ArchiveError(str(error).replace(f"{shown(folder)}/", "its ").replace(f"{folder}/", "its ")) from None
    if not store.has_cells(folder):
        raise ArchiveError("no cell of the run was measured")
    return lost


def _see_same(target: Path, manifest: Manifest) -> None:
    """See that a run that is there has the content of an archive, but for its label. Raises InputError."""
    with suppress(OSError, InputError):
        if not target.is_symlink() and _content(files_of(target)) == _content(manifest.files):
            return
    raise InputError(
        f"{shown(target)} is there already, and has another content",
        f"Rename its folder to keep both, or remove it first: ./inv rm {manifest.run}",
    )


def _content(of: tuple[File, ...]) -> list[File]:
    return [file for file in of if file.path != labels.FILE]


def _place(archive: BinaryIO, packed_bytes: int, manifest: Manifest, target: Path) -> None:
    """Unpack a run into a hidden folder, see it on the disk, and give it its name. Raises ArchiveError and OSError."""
    staging = target.with_name(STAGING)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        found = _read(archive, packed_bytes, lambda file: _to_keep(staging, file))
        if found != manifest:
            raise ArchiveError("it changed while it was read")
        files.write(staging / store.IMPORTED, f"from an archive of benchrig {manifest.benchrig}, at {store.now()}\n")
        for folder, _, _ in os.walk(staging):
            files.sync_folder(Path(folder))
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    files.sync_folder(target.parent)


def _to_keep(folder: Path, file: File) -> Iterator[Sink]:
    """Yield a sink that writes a file, and see it on the disk."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as content:
        yield content.write
        content.flush()
        os.fsync(content.fileno())
