"""Bounded reads: a file or a JSON text is read up to a limit, and what is no regular file is not read.

So a FIFO, /dev/zero or a disk image in place of a file is one line. It neither waits nor takes all memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from benchrig.agent import spec

T = TypeVar("T")

MOST_BYTES = 16 << 20
"""Of a file that is read as a whole; the largest of this project has 60 KB."""

MOST_SKIPPED = 1 << 28
"""Bytes of a line that is too long: a file with a longer one is none of lines."""

MOST_SENT_BYTES = 64 << 20
"""Of a file that is sent to every host."""

DEEPEST = 100
"""Levels of lists and mappings within each other, in YAML and JSON."""

LONGEST_NUMBER = 100
"""Characters of a number in YAML: Python reads longer ones slowly, and cannot write them all."""


class ReadError(ValueError):
    """A file or a text cannot be read; the message says why, and stands behind `cannot be read: `."""


def is_file(path: Path) -> bool:
    """Return whether there is a file to read; true also where only reading it can say why not."""
    try:
        return path.is_file()
    except OSError as error:
        return error.errno == errno.EACCES


def is_there(path: Path) -> bool:
    """Return whether anything is in the place of a file, such as a socket or a broken link; reading it says what."""
    return is_file(path) or os.path.lexists(path)


def is_larger(path: Path, most: int) -> bool:
    """Return whether a file has more than `most` bytes; false also where only reading it can say why not."""
    try:
        return path.stat().st_size > most
    except OSError:
        return False


def is_below(path: Path, *folders: Path) -> bool:
    """Return whether a file is below one of some folders, when every link is followed."""
    try:
        found = path.resolve()
        return any(found.is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, RuntimeError, ValueError):
        return False


def content(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return a file's bytes, at most `most`. Raises ReadError."""
    with _opened(path) as file:
        # First as much as it has, because Python makes room for all that is asked for.
        found = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
        found += file.read(most + 1 - len(found)) if found else b""
    if len(found) > most:
        raise ReadError(f"it is larger than {size(most)}")
    return found


def lines(path: Path, longest: int = MOST_BYTES) -> Iterator[bytes]:
    """Yield the lines of a file, each without its end: \\n alone. None of a file that is not there. Raises ReadError.

    Of a line with more than `longest` bytes, one byte more than these is yielded, so that its reader refuses it.
    """
    if not path.exists():
        return
    with _opened(path) as file:
        while line := file.readline(longest + 1):
            yield line.removesuffix(b"\n")
            skipped = 0
            while len(line) > longest and not line.endswith(b"\n"):
                line = file.readline(longest + 1)
                skipped += len(line)
                if skipped > MOST_SKIPPED:
                    raise ReadError(f"it has a line of more than {size(MOST_SKIPPED)}")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file. Raises ReadError, also for an error of the system's in reading it."""
    try:
        # Without waiting: the open of a FIFO would last until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise ReadError("it is a socket" if error.errno == errno.ENXIO else error.strerror) from None
    except ValueError:
        raise ReadError("its name has a NUL character") from None
    try:
        _see_regular(os.fstat(descriptor).st_mode)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    except OSError as error:
        raise ReadError(error.strerror) from None
    finally:
        os.close(descriptor)


def text(path: Path, most: int = MOST_BYTES) -> str:
    """Return a file's text, which is UTF-8 and at most `most` bytes. Raises ReadError."""
    try:
        return content(path, most).decode()
    except UnicodeDecodeError:
        raise ReadError("not UTF-8 text") from None


def json_value(source: str | bytes, most: int = MOST_BYTES) -> Any:
    """Return what a JSON text of at most `most` characters says. Raises ReadError: `not valid JSON: ...`."""
    if len(source) > most:
        raise ReadError(f"it is larger than {size(most)}")
    try:
        written = source.decode() if isinstance(source, bytes) else source
        value = json.loads(written)
    except UnicodeDecodeError:
        raise ReadError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1}"
        raise ReadError(f"not valid JSON: {error.msg} ({place})") from None
    except RecursionError:
        raise ReadError(_too_deep("JSON")) from None
    except ValueError:
        raise ReadError("not valid JSON: a number has too many digits") from None
    # Most texts have fewer brackets than levels are allowed, and need no second look.
    if written.count("[") + written.count("{") > DEEPEST and _is_too_deep(value):
        raise ReadError(_too_deep("JSON"))
    return value


def record(cls: type[T], path: Path) -> T:
    """Return the JSON of a file as an instance of a dataclass. Raises ReadError."""
    try:
        return spec.build(cls, json_value(content(path)))
    except spec.SpecError as error:
        raise ReadError(str(error)) from None


def _too_deep(language: str) -> str:
    return f"not valid {language}: nested too deeply, more than {DEEPEST} levels"


def _is_too_deep(value: object) -> bool:
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [one for within in inner for one in within]
        if not level:
            return False
    return True


def _see_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    raise ReadError(f"it is {kinds.get(stat.S_IFMT(mode), 'no regular file')}")


def size(number: int) -> str:
    """Return a number of bytes in words."""
    return f"{number >> 20} MiB" if number >= 1 << 20 else f"{number >> 10} KiB"
