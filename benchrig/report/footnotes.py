"""What the numbers in the remarks column stand for: one note a kind of remark, naming the rows and what holds for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchrig.report.table import Row

SAME_TEXTS = 3
"""More texts than these that differ in their numbers alone are told as one."""

_NUMBER = re.compile(r"(?<!\w)\d+(?:\.\d+)?")
"""Not one at the end of a name, such as a host's."""


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
            found.setdefault(kind, {}).setdefault(text, []).append(row.label)
    measured = [row.label for row in rows if row.status == "measured"]
    return tuple(
        Note(kind, tuple(f"{_named(names, measured)}: {text}" for text, names in _merged(texts).items()))
        for kind, texts in found.items()
    )


def _named(names: Sequence[str], measured: Sequence[str]) -> str:
    return "every row" if len(measured) > SAME_TEXTS and set(names) == set(measured) else ", ".join(names)


def _merged(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Make one of texts that differ in their numbers alone, where they are many; each row's own are in the other exports."""
    alike: dict[str, list[str]] = {}
    for text in texts:
        alike.setdefault(_NUMBER.sub("#", text), []).append(text)
    merged: dict[str, list[str]] = {}
    for same in alike.values():
        for group in [same] if len(same) > SAME_TEXTS else [[text] for text in same]:
            merged[_ranged(group)] = [name for text in group for name in texts[text]]
    return merged


def _ranged(texts: Sequence[str]) -> str:
    """Return a text with the range of each of its numbers: `used 30 to 81 % of the time`."""
    numbers = [sorted(set(column), key=float) for column in zip(*map(_NUMBER.findall, texts), strict=True)]
    ranges = iter(values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}" for values in numbers)
    return _NUMBER.sub(lambda _: next(ranges), texts[0])


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
