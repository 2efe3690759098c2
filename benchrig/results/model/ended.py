"""The record of how a run ended whose number of rounds was not fixed: `bench --until`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchrig.language import say, say_count
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
        rounds = say_count("{count} round", "{count} rounds", self.rounds)
        percent = f"{until_percent:g}"
        said = {
            "goal": say("each row that was measured in each round is within ±{percent} %", percent=percent)
            if self.left
            else say("each row is within ±{percent} %", percent=percent),
            "time": say("the time of {time} is up", time=about(at_most_seconds)),
            "size": say("a run has no more cells"),
            "nothing": say("no row was measured in each round"),
        }[self.by]
        first = say("{rounds} in {time}: {said}", rounds=rounds, time=about(self.seconds), said=said)
        return say("; ").join([first, *self._left(percent, name_host)])

    def _left(self, until_percent: str, name_host: bool) -> Iterator[str]:
        names = {one: say("{row} on {host}", row=one.row, host=one.host) if name_host else one.row for one in self.left}
        if wide := [f"{names[one]}{_reached(one)}" for one in self.left if not one.missing]:
            yield say("not within ±{percent} %: {rows}", percent=until_percent, rows=say(", ").join(wide))
        if missing := [names[one] for one in self.left if one.missing]:
            yield say("not measured in each round: {rows}", rows=say(", ").join(missing))


def _reached(row: RowLeft) -> str:
    return say(" (no interval)") if row.within_percent is None else f" ±{percent(row.within_percent)} %"
