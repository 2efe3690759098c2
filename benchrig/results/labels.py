"""The label of a run: what its user calls it, one line in a small file in its folder.

It has a file of its own, which no bench writes: a run that is measured or resumed cannot lose it.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchrig import files, reading
from benchrig.agent.text import one_line, short
from benchrig.console import CONTROLS
from benchrig.errors import InputError

FILE = "label.txt"

LONGEST = 200
"""Characters of a label: it stands in headings and tables."""

MOST_BYTES = 16 << 10
"""Of the file: more than any label has."""

_JOINERS = re.compile("[\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}]")
"""They show nothing themselves, and some scripts and emoji need them."""

_CONTROLS = frozenset(map(chr, CONTROLS))


def read(folder: Path) -> str:
    """Return the label of a run's folder; empty of one that has none, or one that cannot be read."""
    try:
        text = reading.text(folder / FILE, MOST_BYTES)
    except reading.ReadError:
        return ""
    return one_line(text.strip(), LONGEST)


def checked(text: str) -> str:
    """Return a text as a label, without spaces around it. Raises InputError for one that is none."""
    label = text.strip(" ")
    if not label:
        raise InputError("a label has at least one character; --remove removes it")
    if len(label) > LONGEST:
        raise InputError(f"a label has at most {LONGEST} characters, not {len(label):,}")
    if not _JOINERS.sub("", label).isprintable() or not _CONTROLS.isdisjoint(label):
        raise InputError(f"a label is one line without control characters, not {short(ascii(label))}")
    return label


def write(folder: Path, label: str) -> None:
    """Give a run's folder a label that is `checked`, in place of the one it has. Raises OSError."""
    files.write(folder / FILE, f"{label}\n")


def remove(folder: Path) -> bool:
    """Remove the label of a run's folder, and say whether it had one. Raises OSError."""
    try:
        (folder / FILE).unlink()
    except FileNotFoundError:
        return False
    return True
