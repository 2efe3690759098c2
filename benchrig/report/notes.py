"""What the numbers in the remarks column stand for: one note a kind of remark, naming the rows and what holds for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.report.table import Row


@dataclass(frozen=True)
class Note:
    """A kind of remark, and a line for each different text of it: the rows it is about, and the text."""

    kind: str
    lines: tuple[str, ...]


def notes_of(rows: Sequence[Row]) -> tuple[Note, ...]:
    """Return the notes on the rows of a table; the first is number 1."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for kind, text in _doubts(row).items():
            found.setdefault(kind, {}).setdefault(text, []).append(row.name)
    return tuple(
        Note(kind, tuple(f"{', '.join(names)}: {text}" for text, names in texts.items())) for kind, texts in found.items()
    )


def reference(row: Row, notes: Sequence[Note]) -> str:
    """Return what the remarks column says of a row: `invalid 1,4`, `failed 2`, `3`, or nothing."""
    numbers = [str(number) for number, note in enumerate(notes, 1) if note.kind in _doubts(row)]
    word = _words(row.status) if row.status != "measured" else "invalid" if row.invalid else ""
    return " ".join(filter(None, [word, ",".join(numbers)]))


def _doubts(row: Row) -> dict[str, str]:
    doubts = {_words(remark.code): remark.text for remark in row.remarks}
    return doubts if row.status == "measured" else {**doubts, _words(row.status): row.reason}


def _words(code: str) -> str:
    return code.replace("_", " ")
