"""The progress display of a bench: the current cell and step, the time left, and a line for each finished cell."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from benchrig import console
from benchrig.agent.text import short
from benchrig.bench.suite import Plan
from benchrig.results.model import Cell, Load
from benchrig.results.warnings import Warning
from benchrig.units import REQUESTS_PER_SECOND, about

LONGEST_CAUSE = 300
"""Characters of the cause of a failure that a line shows."""


class Progress:
    """Counts the cells of a run; `titles` are what they are called. `done` were measured before it was resumed.

    Of a run whose number of rounds is not fixed, it counts the rounds that `begin_round` begins.
    """

    def __init__(self, plan: Plan, titles: Sequence[str], done: int = 0) -> None:
        self._cells = done + len(titles)
        self._expected = plan.cell_seconds
        self._round = 0
        self._until = 0.0
        self._done = done
        self._took = 0.0
        self._timed = 0
        self._title = ""
        self._began = time.monotonic()
        self._width = max(map(len, titles), default=0)

    def begin_round(self, number: int, seconds_left: float) -> None:
        """Go on to a round of a run whose number of rounds is not fixed. It may go on for so long."""
        self._round = number
        self._until = time.monotonic() + seconds_left

    def begin(self, title: str) -> None:
        """Go on to a cell."""
        self._title = title
        self._began = time.monotonic()

    def say(self, step: str) -> None:
        """Show what is being done."""
        left = f"{'at most' if self._round else 'about'} {about(self.seconds_left())} left"
        console.status(f"{self._title}  {self._count(self._done + 1)}  {step}  {left}")

    def _count(self, cells: int) -> str:
        return f"round {self._round}" if self._round else f"{cells:{len(str(self._cells))}}/{self._cells}"

    def seconds_left(self) -> float:
        """Return how long the cells that are left will take, as those did that were measured; at most, where that is set."""
        if self._round:
            return max(self._until - time.monotonic(), 0.0)
        each = self._took / self._timed if self._timed else self._expected
        return max((self._cells - self._done) * each - (time.monotonic() - self._began), 0.0)

    def finish(self, cell: Cell, run: str, warnings: Sequence[Warning] = ()) -> None:
        """Write the line of a finished cell with its warnings; `run` is the run's name, or its folder's path."""
        if cell.status == "measured":
            self._took += time.monotonic() - self._began
            self._timed += 1
        self._done += 1
        style = ("warning" if warnings else "") if cell.status == "measured" else "changed"
        console.line(
            f"{self._title:{self._width}}  {self._count(self._done)}  {outcome(cell, run)}{warned(warnings)}", style
        )


def outcome(cell: Cell, run: str) -> str:
    """Return the result of a cell of this run in one line; `run` is empty where the run is not kept."""
    if cell.status == "not_possible":
        return f"not possible here: {short(cell.reason, LONGEST_CAUSE)}"
    if cell.status == "failed" or cell.load is None:
        cause = short(cell.reason, LONGEST_CAUSE)
        where = (cell.raw or ("cells.jsonl" if cause != cell.reason else "")) if run else ""
        folder = run if "/" in run else f"reports/{run}"
        return f"failed: {cause}; more in {folder}/{where}" if where else f"failed: {cause}"
    rate = REQUESTS_PER_SECOND.text(cell.load.requests_per_second)
    return "  ".join([f"{rate:>9} requests/s", *_latencies(cell.load), f"errors {cell.load.errors.total}"])


def _latencies(load: Load) -> Iterator[str]:
    """Yield mean and p99 as measured, else the corrected ones, as far as they are known."""
    latency, kind = (load.measured, "") if load.measured else (load.corrected, "corrected ")
    if latency:
        yield f"{kind}mean {latency.mean_us / 1e3:.1f} ms"
        p99 = latency.percentiles_us.get("99")
        yield from [f"{kind}p99 {p99 / 1e3:.1f} ms"] if p99 is not None else ()


def warned(warnings: Sequence[Warning]) -> str:
    """Return the warnings about a cell for the end of its line, the invalid ones first; empty when there are none."""
    invalid = dict.fromkeys(warning.code for warning in warnings if warning.invalid)
    others = [code for code in dict.fromkeys(warning.code for warning in warnings) if code not in invalid]
    names = [", ".join(code.value.replace("_", " ") for code in codes) for codes in (invalid, others)]
    labels = ("INVALID: ", "warnings: ")
    return "".join(f"  {label}{text}" for label, text in zip(labels, names, strict=True) if text)
