"""The texts in a file, with what our script has added to those of our own runs: the line that begins with its marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchrig.bench.generators.base import OutputError, Pasted, Unread
from benchrig.bench.generators.wrk.output import MARKER, read_load
from benchrig.bench.generators.wrk.pasted import split
from benchrig.bench.generators.wrk.printed import find_printed


def find(text: str) -> tuple[Pasted, ...]:
    """Return the texts of wrk and wrk2 in a file of any kind; those that our script wrote with its exact figures."""
    found = find_printed(text)
    if not found or MARKER not in text:
        return found
    lines = split(text)
    ends = [*(pasted.first_line for pasted in found[1:]), len(lines) + 1]
    return tuple(_with_load(pasted, lines, end) for pasted, end in zip(found, ends, strict=True))


def _with_load(pasted: Pasted, lines: Sequence[str], end: int) -> Pasted:
    """Return a text with the figures of a marker line that follows it, before the line `end`."""
    for number in range(pasted.last_line + 1, end):
        _, marker, rest = lines[number - 1].partition(MARKER)
        if marker:
            # The marker stands at the start of its line, however the text was quoted.
            own = "\n".join([*lines[pasted.first_line - 1 : pasted.last_line], f"{MARKER}{rest.rstrip()}"])
            try:
                return replace(pasted, load=read_load(own))
            except OutputError as error:
                return replace(pasted, unread=(*pasted.unread, Unread(number, f"{MARKER.strip()} {error}")))
    return pasted
