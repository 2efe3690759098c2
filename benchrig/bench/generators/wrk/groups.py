"""The parts of each text of wrk in a file: where one ends and the next one begins.

wrk's order is fixed: statistics, total, errors, rate, transfer. So a rate begins no text that goes on to a total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchrig.bench.generators.wrk.grammar import Part

MOST_PARTS = 10_000
"""Parts of a text: wrk2 prints up to some hundred lines of each spectrum."""

_OPENING = frozenset({"header", "making"})
_SUMMARY = frozenset({"total", "errors", "status", "rate", "transfer"})
_STATISTICS = frozenset({"calibration", "columns", "row", "distribution", "percentile", "spectrum", "point", "footer"})
_PROGRAMS = {"go": "go-wrk", "bombardier": "bombardier"}
"""Programs that print some of wrk's words, by the names of the words that only they print."""

_BEHIND = {"rate": frozenset({"total"}), "transfer": frozenset({"total", "rate"})}
"""What comes before these two; they may stand in prose too, alone."""

_LETTERS = re.compile(r"[^\W_]")
_LINE = 300
"""Characters before a part, on its line, that are looked at."""


@dataclass
class Group:
    """The parts of a text."""

    parts: list[Part] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    """Names of the rows of its statistics, in lower case."""
    percentiles: int = 0
    left_out: int = 0
    """Parts beyond MOST_PARTS."""

    def add(self, part: Part) -> None:
        """Add a part, unless there are too many."""
        if len(self.parts) >= MOST_PARTS:
            self.left_out += 1
            return
        self.parts.append(part)
        self.kinds.add(part.kind)
        self.percentiles += part.kind == "percentile"
        if part.kind == "row":
            self.rows.add(row_name(part))

    def is_text(self) -> bool:
        """Return whether these are a text, and not words of it in other prose."""
        kinds = self.kinds
        return bool(
            kinds & {*_OPENING, "other_program"}
            or "latency" in self.rows
            or (kinds & {"total", "rate"} and len(kinds & _SUMMARY) > 1)
            or ("distribution" in kinds and self.percentiles > 1)
            or {"spectrum", "point"} <= kinds
        )

    def program(self) -> str:
        """Return the other program whose text this is; empty where it is wrk's."""
        words = next((part.words for part in self.parts if part.kind == "other_program"), {})
        return next((_PROGRAMS[word] for word in words if word in _PROGRAMS), "")


def groups(parts: Iterable[Part], text: str) -> Iterator[Group]:
    """Yield the parts of each text: it ends where one begins anew, behind its last line, or with its block of code."""
    group = Group()
    for part in parts:
        if _is_prose(part, group, text):
            continue
        if group.parts and _begins(part, group):
            yield group
            group = Group()
        if part.kind != "fence":
            group.add(part)
        if part.kind == "transfer":
            yield group
            group = Group()
    if group.parts:
        yield group


def row_name(part: Part) -> str:
    """Return the name of a row of the statistics in lower case."""
    return part.words["name"].lower()


def _is_prose(part: Part, group: Group, text: str) -> bool:
    """Return whether a rate stands behind other words on its line, and not behind what wrk prints before it."""
    if part.kind not in _BEHIND or group.kinds & _BEHIND[part.kind]:
        return False
    start = max(text.rfind("\n", max(part.start - _LINE, 0), part.start) + 1, part.start - _LINE)
    if group.parts:
        start = max(start, group.parts[-1].end)
    return bool(_LETTERS.search(text, start, part.start))


def _begins(part: Part, group: Group) -> bool:
    """Return whether a part is of another text than those before it."""
    kinds, kind = group.kinds, part.kind
    if kind == "fence":
        # The statistics may be a table behind a block with the first lines.
        return bool(kinds - _OPENING - {"threads", "key"})
    if kind in _OPENING:
        # ^C may be echoed before the first line.
        return kinds != {"key"}
    if kind in ("threads", "other_program"):
        return bool(kinds - _OPENING - {"key"})
    if kind in _STATISTICS:
        again = kind == "columns" and bool(kinds & {"columns", "other_program"})
        again = again or (kind == "row" and row_name(part) in group.rows)
        return again or bool(kinds & _SUMMARY)
    if kind == "total":
        return bool(kinds & {"total", "rate"})
    return kind in ("rate", "errors", "status") and "rate" in kinds
