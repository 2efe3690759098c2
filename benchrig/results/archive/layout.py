"""What an archive of a run may have: its manifest, the names and sizes of its files, the headers of their entries."""

from __future__ import annotations

import json
import re
import tarfile
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from benchrig import reading
from benchrig.agent import spec
from benchrig.agent.text import one_line
from benchrig.errors import InputError
from benchrig.results import labels, store
from benchrig.units import size as size_shown

FORMAT = 1
"""Of an archive."""

TOP = "benchrig-run"
"""The folder that all of an archive is in: `tar -xzf` of it makes a folder that `./inv report` takes."""

MANIFEST = "manifest.json"

BLOCK = 512
"""Bytes of a block of a tar archive."""

END = bytes(2 * BLOCK)
"""What ends a tar archive."""

MOST_FILES = 250_000
"""Of an archive: a run has at most 100,000 cells, with a text and perhaps a journal each, and a script for each row."""

MOST_MANIFEST_BYTES = 64 << 20
MOST_FILE_BYTES = 256 << 20
"""Of a text below `raw/`; a bench stores at most a part of that."""

MOST_CELLS_BYTES = 4 << 30
MOST_BYTES = 16 << 30
"""Of all files together."""

MOST_PACKED_BYTES = 4 << 30
"""Of the archive itself."""

MOST_RATIO = 250
"""How many times its own size the files of an archive may have; those of runs have about 10 times."""

ALWAYS_BYTES = 64 << 20
"""Files that have so much together are let in whatever their ratio is."""

LONGEST_VERSION = 50
"""Characters of the version of benchrig."""

LONGEST_NAME = 255
"""Bytes of a file's name: more fit into no file system."""

_RUN_BY_BROWSERS = (
    *("htm", "html", "xhtml", "xht", "shtml", "mht", "mhtml", "xml", "xsl", "xslt", "svg", "svgz"),
    *("js", "mjs", "wasm", "pdf", "swf", "hta", "url"),
)

_OWN = {
    store.RUN: reading.MOST_BYTES,
    store.CELLS: MOST_CELLS_BYTES,
    labels.FILE: labels.MOST_BYTES,
}
"""The files of a run beside `raw/`, each with the most bytes that it may have."""


class ArchiveError(InputError):
    """An archive cannot be read, or has what no run has: nothing of it is kept."""


@dataclass(frozen=True)
class File:
    """A file of an archive."""

    path: str
    """Below the run's folder: `raw/go-2000-1.txt`."""
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself, in its first entry."""

    format: int
    benchrig: str
    """The version that wrote it."""
    run: str
    """The name of the run's folder."""
    files: tuple[File, ...]
    """In the order of their paths, in which they follow."""

    @property
    def size(self) -> int:
        """All files together, in bytes."""
        return sum(file.size for file in self.files)


def text_of(manifest: Manifest) -> bytes:
    """Return a manifest as it stands in an archive."""
    return json.dumps(asdict(manifest), indent=1).encode() + b"\n"


def manifest_of(content: bytes) -> Manifest:
    """Return the manifest of an archive, in which nothing is checked yet. Raises ArchiveError."""
    try:
        data = reading.json_value(content, MOST_MANIFEST_BYTES)
        written = data.get("format", 0) if isinstance(data, dict) else 0
        if type(written) is int and written > FORMAT:
            raise ArchiveError(f"its format {written} is of a later benchrig", "Update benchrig.")
        return spec.build(Manifest, data)
    except (reading.ReadError, spec.SpecError) as error:
        raise ArchiveError(f"its {MANIFEST} cannot be read: {one_line(str(error), 300)}") from None


def header(path: str, size: int) -> bytes:
    """Return the header of a file's entry: the same for each owner, mode and time."""
    info = tarfile.TarInfo(f"{TOP}/{path}")
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> int:
    """Return how many bytes fill the last block of a file."""
    return -size % BLOCK


def check(manifest: Manifest, packed_bytes: int) -> None:
    """See that an archive of so many bytes may have what its manifest says. Raises ArchiveError."""
    if manifest.format != FORMAT:
        raise ArchiveError(f"its format is {manifest.format}, and this benchrig reads {FORMAT}")
    check_run_name(manifest.run)
    if len(manifest.benchrig) > LONGEST_VERSION or not manifest.benchrig.isprintable():
        raise ArchiveError("the version of benchrig that wrote it is none")
    if len(manifest.files) > MOST_FILES:
        raise ArchiveError(f"it has {len(manifest.files):,} files; a run has at most {MOST_FILES:,}")
    for file in manifest.files:
        _check_file(file)
    paths = [file.path for file in manifest.files]
    check_paths(paths)
    if paths != sorted(paths):
        raise ArchiveError("its files are not in the order of their names")
    if lacking := [name for name in (store.RUN, store.CELLS) if name not in paths]:
        raise ArchiveError(f"it lacks {lacking[0]}")
    most = min(MOST_BYTES, max(ALWAYS_BYTES, MOST_RATIO * packed_bytes))
    if manifest.size > most:
        limit = f"of an archive of {size_shown(packed_bytes)}, at most {size_shown(most)} is let in"
        raise ArchiveError(f"it would become {size_shown(manifest.size)}; {limit}")


def check_run_name(name: str) -> None:
    """See that a name can be that of a run's folder. Raises ArchiveError."""
    if not _is_name(name) or name == store.LATEST or PurePosixPath(name).suffix in (".md", ".sqlite"):
        raise ArchiveError(f"'{one_line(name, 100)}' cannot be the name of a run")


def check_paths(paths: Sequence[str]) -> None:
    """See that all paths are those of a run's files, and that each can be there beside the others. Raises ArchiveError."""
    for path in paths:
        _check_path(path)
    seen: dict[str, str] = {}
    folders = {_alike(str(parent)) for path in paths for parent in PurePosixPath(path).parents}
    for path in paths:
        other = seen.setdefault(_alike(path), path)
        if other is not path:
            how = "twice" if other == path else f"beside '{one_line(other, 100)}', which some systems take for the same"
            raise ArchiveError(f"it has '{one_line(path, 100)}' {how}")
        if _alike(path) in folders:
            raise ArchiveError(f"'{one_line(path, 100)}' is a file and a folder in it")


def _check_path(path: str) -> None:
    top, *rest = path.split("/")
    if path in _OWN:
        return
    if top != store.RAW or not 1 <= len(rest) <= 2 or not all(map(_is_name, rest)) or _is_run(rest[-1]):
        raise ArchiveError(f"'{one_line(path, 100)}' is no file of a run")


def _check_file(file: File) -> None:
    most = _OWN.get(file.path, MOST_FILE_BYTES)
    if not 0 <= file.size <= most:
        raise ArchiveError(f"'{one_line(file.path, 100)}' has {file.size:,} bytes; at most {most:,} are let in")
    if not re.fullmatch("[0-9a-f]{64}", file.sha256):
        raise ArchiveError(f"'{one_line(file.path, 100)}' has no SHA-256")


def _is_name(name: str) -> bool:
    """Say whether a name of a file is one that is the same everywhere, and is not hidden."""
    odd = not name or name[0] in ".-~ " or name[-1] in ". " or not name.isprintable() or "\\" in name or "/" in name
    return not odd and len(name.encode(errors="surrogatepass")) <= LONGEST_NAME


def _is_run(name: str) -> bool:
    """Say whether a browser may run what is in a file of this name: a report links to the files of its run."""
    return name.rpartition(".")[2].lower() in _RUN_BY_BROWSERS


def _alike(path: str) -> str:
    """Return what two paths have in common that a file system may take for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def unlisted(folder: Path) -> list[str]:
    """Return the names of what is in a run's folder, and that an archive leaves out."""
    return sorted(path.name for path in folder.iterdir() if path.name not in _OWN and path.name != store.RAW)
