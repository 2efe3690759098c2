"""The bundles on the host: each in a folder named by the hash of its content, which is checked whenever it is used."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import stored

_KEPT = 3


class DamagedError(Exception):
    """What arrived is not the bundle that was asked for."""


def digest(content: Iterable[tuple[str, bool, bytes]]) -> str:
    """Return the name of a bundle: a hash over the name, executable bit and content of each file, sorted by name."""
    hashed = hashlib.sha256()
    for name, executable, data in sorted(content):
        hashed.update(f"{name}\0{executable}\0{len(data)}\0".encode(errors="surrogateescape"))
        hashed.update(data)
    return hashed.hexdigest()[:24]


class Store:
    """The bundles in a folder that only root can enter; those not used for longest are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, sha: str) -> Path | None:
        """Return the folder of a bundle; None when it is not here, or is damaged: then it is moved aside."""
        folder = self._folder / sha
        if not os.path.lexists(folder):
            return None
        # A power cut leaves files that are short or full of zeros, so that only their content tells.
        if folder.is_symlink() or not _is_whole(folder, sha):
            self._put_aside(folder)
            return None
        os.utime(folder)
        return folder

    def _put_aside(self, folder: Path) -> None:
        """Make room for a new bundle of that name. What can be removed of the damaged one is removed."""
        aside = folder.with_name(f".damaged.{folder.name}.{os.getpid()}")
        folder.rename(aside)
        _remove(aside)

    def add(self, sha: str, archive: bytes) -> Path:
        """Unpack a bundle, whole or not at all, and return its folder. Raises DamagedError, and OSError on a full disk."""
        import io
        import tarfile
        import zlib

        folder = self._folder / sha
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        temporary = self._folder / f".{sha}.{os.getpid()}"
        try:
            with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as content:
                content.extractall(temporary)
            if digest(_content(temporary)) != sha:
                raise DamagedError("the bundle that arrived is not the one that was asked for")
            temporary.replace(folder)
        except (tarfile.TarError, zlib.error, EOFError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise DamagedError(f"the bundle that arrived cannot be unpacked: {error}") from None
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError) and not error.filename:
                # A write does not know its file.
                error.filename = str(self._folder)
            raise
        self._remove_oldest(folder)
        return folder

    def _remove_oldest(self, new: Path) -> None:
        # Not by its time: the clock may have been set back since the others were used.
        others = [path for path in self._folder.iterdir() if path != new]
        for old in sorted(others, key=lambda path: path.lstat().st_mtime, reverse=True)[_KEPT - 1 :]:
            _remove(old)


def _remove(path: Path) -> None:
    """Remove a folder, or whatever lies in its place, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_whole(folder: Path, sha: str) -> bool:
    try:
        return digest(_content(folder)) == sha
    except OSError:
        return False


def _content(folder: Path) -> Iterator[tuple[str, bool, bytes]]:
    """Yield the name, executable bit and content of a bundle's files. Hidden ones, such as caches, are not of it."""
    for name, path in _files(str(folder)):
        with stored.opened(path) as file:
            yield name, bool(os.fstat(file.fileno()).st_mode & 0o100), file.read()


def _files(folder: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", entry.path
