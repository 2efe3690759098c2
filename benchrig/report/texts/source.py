"""The files that `./inv audit` reads: each may have any number of texts, or none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchrig import reading
from benchrig.bench.generators.base import LoadGenerator
from benchrig.errors import BenchrigError, FiguresError, InputError
from benchrig.report.texts.judge import Judged, Verdict, judge

STDIN = "-"

_JOURNAL = "\n# the app's journal\n"
"""What stands between the command and the journal of a cell that failed before its load."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Source:
    """A file, and the texts in it."""

    name: str
    texts: tuple[Judged, ...]
    refused: str
    """Why there are none; empty where there are some, or where none is wanted."""
    skipped: str = ""
    """What of a run's raw output it is, if that has no text by its nature; else empty."""


def read(name: str, generator: LoadGenerator, pipeline: int | None = None) -> Source:
    """Read a file, or standard input for `-`, and judge the texts in it."""
    shown = "standard input" if name == STDIN else name
    try:
        text = decoded(_content(name))
    except reading.ReadError as error:
        return Source(shown, (), f"cannot be read: {error}")
    texts = tuple(judge(pasted, generator, pipeline) for pasted in generator.find_printed(text))
    skipped = "" if texts else _without_text(name, text, generator)
    return Source(shown, texts, "" if texts or skipped else f"it has no text of {generator.name}", skipped)


def _without_text(name: str, text: str, generator: LoadGenerator) -> str:
    """Return what a file is that stands beside the texts of a run and has none; empty of any other file."""
    if Path(name).suffix == generator.script_suffix:
        return f"it is a script of {generator.name}"
    command, _, rest = text.partition("\n")
    if command.startswith(f"$ {generator.name} ") and rest.startswith(_JOURNAL):
        return f"its cell failed before {generator.name} printed anything, and it has the app's journal"
    return ""


def failure(sources: Sequence[Source]) -> BenchrigError | None:
    """Return what a script must know: that a file or a text could not be read, or else that figures must not be used."""
    verdicts = [judged.verdict for source in sources for judged in source.texts]
    refused = sum(bool(source.refused) for source in sources)
    counts = [f"{refused} of {len(sources)} files: no text could be read"] if refused else []
    if unreadable := verdicts.count(Verdict.UNREADABLE):
        counts.append(f"{unreadable} of {len(verdicts)} texts cannot be read")
    if counts:
        return InputError("; ".join(counts))
    if not verdicts:
        return InputError("there is no text to check")
    if invalid := verdicts.count(Verdict.INVALID):
        return FiguresError(f"{invalid} of {len(verdicts)} texts have figures that must not be used")
    return None


def _content(name: str) -> bytes:
    if name != STDIN:
        return reading.content(_file(Path(name)))
    if sys.stdin is None:
        raise reading.ReadError("it is closed")
    try:
        found = sys.stdin.buffer.read(reading.MOST_BYTES + 1)
    except OSError as error:
        raise reading.ReadError(error.strerror or str(error)) from None
    if len(found) > reading.MOST_BYTES:
        raise reading.ReadError(f"it is larger than {reading.size(reading.MOST_BYTES)}")
    return found


def _file(path: Path) -> Path:
    """Return the path of a file. Raises ReadError for a folder of a run, with the files to name."""
    for pattern in ("*.txt", "raw/*.txt", "raw/*/*.txt"):
        if path.is_dir() and any(path.glob(pattern)):
            raise reading.ReadError(f"it is a folder; name its files: {path}/{pattern}")
    return path


def decoded(content: bytes) -> str:
    """Return the text of a file, in UTF-8, UTF-16 as Windows writes it, or Windows' own encoding. Raises ReadError."""
    if content.startswith(_UTF16):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise reading.ReadError("it is no text")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
