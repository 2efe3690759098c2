"""Which runs have like conditions, and what differs between two runs of a series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchrig.agent.text import short
from benchrig.report.history.entry import MEMORY
from benchrig.units import size

FIRST = ("commit", "benchrig")
"""The facts of a run that come before those of its rows."""

SAME_MEMORY = 0.03
"""Share that the memory of the same machine may differ by: each kernel keeps another part of it."""


@dataclass(frozen=True)
class Change:
    """Something that differs between two runs: its name, and its value in each."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name}: {short(self.before)} -> {short(self.after)}"


@dataclass(frozen=True)
class Unlike:
    """Runs that were left out of a series because a condition is another one."""

    condition: str
    here: str
    there: str
    runs: int

    def __str__(self) -> str:
        runs = "1 run has" if self.runs == 1 else f"{self.runs:,} runs have"
        return f"{runs} another '{self.condition}': {self.there}, not {self.here}"


def unlike(here: Mapping[str, str], there: Mapping[str, str]) -> Change | None:
    """Return the first condition of a row that another run has otherwise; None where the two are alike.

    What one of them does not say is alike: earlier versions stored less.
    """
    for name, value in here.items():
        other = there.get(name, "")
        if value and other and not _same(name, value, other):
            return Change(name, _shown(name, other), _shown(name, value))
    return None


def _same(name: str, one: str, other: str) -> bool:
    if one == other:
        return True
    if not (name.startswith(MEMORY) and one.isdecimal() and other.isdecimal()):
        return False
    return abs(int(one) - int(other)) <= SAME_MEMORY * max(int(one), int(other))


def _shown(name: str, value: str) -> str:
    return size(int(value)) if name.startswith(MEMORY) and value.isdecimal() else value


def shown(conditions: Mapping[str, str]) -> Mapping[str, str]:
    """Return conditions as people read them."""
    return {name: _shown(name, value) for name, value in conditions.items() if value}


Facts = tuple[Mapping[str, str], Mapping[str, str]]
"""What may explain a difference, of a whole run and of one row of it."""


def changes(before: Facts, after: Facts) -> tuple[Change, ...]:
    """Return the facts that differ between two runs of a row: what may explain a step. The likeliest come first.

    A fact of the run that only one of them states is left out: an earlier version did not know it.
    """
    of_run = [one for one in _changes(before[0], after[0]) if one.before and one.after]
    of_row = [Change(one.name, one.before or "none", one.after or "none") for one in _changes(before[1], after[1])]
    first = [one for one in of_run if one.name in FIRST]
    found = [*first, *of_row, *(one for one in of_run if one.name not in FIRST)]
    names = [one.name for one in found]
    # Where the files themselves are listed, all of them together say nothing more.
    return tuple(one for one in found if not any(name.startswith(f"{one.name}: ") for name in names))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other:
            yield Change(name, one, other)
