"""The record of how a run ended whose number of rounds was not fixed: `bench --until`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchrig.units import about, percent


@dataclass(frozen=True)
class RowLeft:
    """A row that was not as precise as was asked for when its run ended."""

    row: str
    host: str
    within_percent: float | None = None
    """How far the farther end of its interval is from its median; None: it has no interval."""
    missing: bool = False
    """A repeat of it was not measured: it is invalid, and the run did not go on for it."""


@dataclass(frozen=True)
class Ended:
    """The end of a run to which rounds were added until its rows were precise enough."""

    by: Literal["goal", "time", "size", "nothing"]
    """Each row that counts was as precise as was asked for; the time was up; a run has no more cells; no row counted."""
    rounds: int
    """How many repeats each row has."""
    seconds: float
    """How long measuring took, in all parts of the run."""
    left: tuple[RowLeft, ...] = ()

    def line(self, until_percent: float, at_most_seconds: float, name_host: bool) -> str:
        """Return it in words: `7 rounds in 1 min 10 s: each row is within ±5 %`."""
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        within = f"within ±{until_percent:g} %"
        said = {
            "goal": f"each row is {within}" if not self.left else f"each row that was measured in each round is {within}",
            "time": f"the time of {about(at_most_seconds)} is up",
            "size": "a run has no more cells",
            "nothing": "no row was measured in each round",
        }[self.by]
        return "; ".join([f"{rounds} in {about(self.seconds)}: {said}", *self._left(within, name_host)])

    def _left(self, within: str, name_host: bool) -> Iterator[str]:
        names = {one: f"{one.row} on {one.host}" if name_host else one.row for one in self.left}
        if wide := [f"{names[one]}{_reached(one)}" for one in self.left if not one.missing]:
            yield f"not {within}: {', '.join(wide)}"
        if missing := [names[one] for one in self.left if one.missing]:
            yield f"not measured in each round: {', '.join(missing)}"


def _reached(row: RowLeft) -> str:
    return " (no interval)" if row.within_percent is None else f" ±{percent(row.within_percent)} %"
