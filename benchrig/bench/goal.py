"""Rounds are added to a run until each row is precise enough, or the time is up: when that is, and which rows are left."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from benchrig.bench.order import Key, Turn, key_of, round_of
from benchrig.bench.suite import MOST_CELLS, Plan
from benchrig.bench.topology import Topology
from benchrig.bench.until import Until
from benchrig.results.model import Cell, Ended, RowLeft, Status
from benchrig.statistics import interval
from benchrig.units import percent


@dataclass(frozen=True)
class Repeat:
    """A cell that was tried, as far as the goal of its run needs it."""

    key: Key
    status: Status
    requests_per_second: float
    seconds: float
    """How long the whole cell took."""


def repeat_of(cell: Cell) -> Repeat:
    """Return what the goal of a run needs of a cell."""
    rate = cell.load.requests_per_second if cell.status == "measured" and cell.load else 0.0
    return Repeat(key_of(cell), cell.status, rate, sum(cell.phases.values()))


def within_percent(values: Sequence[float]) -> float | None:
    """Return how far the farther end of the interval of a median is from it, in percent; None where there is no interval."""
    found, median = interval.of_median(values), statistics.median(values) if values else 0.0
    return 100 * max(found.high - median, median - found.low) / median if found and median > 0 else None


class Goal:
    """Yields the rounds of a run until its goal is reached; `before` is what was measured before it was resumed.

    All rows go on until the last one is precise enough: only rows that were measured side by side, in the same rounds, are
    compared fairly. A row of which a repeat failed or is not possible is invalid anyway, and keeps no run going.
    """

    def __init__(self, plan: Plan, until: Until, topologies: Sequence[Topology], before: Iterable[Repeat] = ()) -> None:
        self.ended: Ended | None = None
        self._titles = {turn.key[:2]: turn.title for turn in round_of(replace(plan, seed=None), topologies, 1)}
        self._plan = plan
        self._until = until
        self._topologies = topologies
        self._known = {one.key: one for one in before}
        self._took = sum(one.seconds for one in self._known.values())
        self._began = time.monotonic()

    def rounds(self) -> Iterator[tuple[int, tuple[Turn, ...]]]:
        """Yield the number of each round and its cells that are to be measured. When there are no more, `ended` is set.

        Only whole rounds are measured, so the time is looked at before each of them.
        """
        self._began = time.monotonic()
        for number in count(1):
            every = round_of(self._plan, self._topologies, number)
            left = tuple(turn for turn in every if turn.key not in self._known)
            if len(left) == len(every) and number > 1 and (ended := self._judged(number - 1)):
                self.ended = ended
                return
            if left:
                yield number, left

    @property
    def titles(self) -> list[str]:
        """What the cells of a round are called, in the order of the suite."""
        return [*self._titles.values()]

    def note(self, cell: Cell) -> None:
        """Take note of a cell that was tried."""
        self._known[key_of(cell)] = repeat_of(cell)

    def seconds_left(self) -> float:
        """Return how long measuring may still take."""
        return max(0.0, self._until.at_most_seconds - self._seconds())

    def said(self, number: int) -> str:
        """Return how far the rows are after a round, in words; empty as long as no row has an interval."""
        found = self._within(number)
        known = {key: value for key, value in found.items() if value is not None}
        if not known:
            return ""
        widest = max(known, key=lambda key: known[key])
        near = sum(value <= self._until.percent for value in known.values())
        goal, rows = f"±{self._until.percent:g} %", "1 row" if len(known) == 1 else f"{len(known)} rows"
        if near == len(known):
            return f"round {number}: {near} of {rows} within {goal}"
        # The width of an interval shrinks as 1 / sqrt(repeats).
        needed = math.ceil(number * (known[widest] / self._until.percent) ** 2)
        return (
            f"round {number}: {near} of {rows} within {goal}; widest: {self._titles[widest]} ±{percent(known[widest])} %, "
            f"which would take about {needed:,} rounds"
        )

    def _seconds(self) -> float:
        return self._took + time.monotonic() - self._began

    def _within(self, rounds: int) -> dict[tuple[str, str], float | None]:
        """Return how precise each row is on each host; None where a repeat was not measured, or there are too few."""
        rates: dict[tuple[str, str], list[float]] = {}
        for name, host in self._titles:
            repeats = [self._known.get((name, host, number)) for number in range(1, rounds + 1)]
            rates[name, host] = [one.requests_per_second for one in repeats if one and one.status == "measured"]
        return {key: within_percent(values) if len(values) == rounds else None for key, values in rates.items()}

    def _judged(self, rounds: int) -> Ended | None:
        """Return how the run ends after these rounds; None when there is to be another one."""
        goal, seconds, size = self._until.percent, self._seconds(), len(self._titles)
        found = self._within(rounds)
        counts = [key for key in found if self._was_measured(key, rounds)]
        left = [key for key in counts if (value := found[key]) is None or value > goal]
        by: Literal["goal", "time", "size", "nothing"]
        if not counts:
            by = "nothing"
        elif not left and rounds >= self._plan.repeats:
            by = "goal"
        elif seconds * (rounds + 1) / rounds > self._until.at_most_seconds:
            by = "time"
        elif (rounds + 1) * size > MOST_CELLS:
            by = "size"
        else:
            return None
        wide = [RowLeft(*key, _rounded(found[key])) for key in left]
        missing = [RowLeft(*key, missing=True) for key in found if key not in counts]
        return Ended(by, rounds, round(seconds, 1), (*wide, *missing))

    def _was_measured(self, key: tuple[str, str], rounds: int) -> bool:
        repeats = [self._known.get((*key, number)) for number in range(1, rounds + 1)]
        return all(one is not None and one.status == "measured" for one in repeats)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
