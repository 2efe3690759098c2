"""The progress display of a bench: the current cell and step, the time left, and a line for each finished cell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from benchrig import console
from benchrig.agent.text import short
from benchrig.bench.board import Board
from benchrig.bench.meter import Meter, noticed, per_reply_of
from benchrig.bench.suite import Plan
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Load
from benchrig.results.running import Finished, Running
from benchrig.results.warnings import Warning
from benchrig.units import REQUESTS_PER_SECOND, about

LONGEST_CAUSE = 300
"""Characters of the cause of a failure that a line shows."""


class Progress:
    """Counts the cells of a run; `titles` are what they are called. `done` were measured before it was resumed.

    Of a run whose number of rounds is not fixed, it counts the rounds that `begin_round` begins. With a `board`, the line of
    the terminal is renewed each second, and others can watch.
    """

    def __init__(self, plan: Plan, titles: Sequence[str], done: int = 0, board: Board | None = None) -> None:
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
        self._step = ""
        """What is being done; empty between two cells."""
        self._meter = Meter()
        self._per_reply: dict[str, float] = {}
        """How many segments a reply took in an earlier repeat of a row."""
        self._showing = threading.Lock()
        self._board = board
        if board:
            board.follow(self._look)

    def begin_round(self, number: int, seconds_left: float) -> None:
        """Go on to a round of a run whose number of rounds is not fixed. It may go on for so long."""
        self._round = number
        self._until = time.monotonic() + seconds_left

    def begin(self, title: str) -> Meter:
        """Go on to a cell, and return what reads its figures while its load runs."""
        self._title = title
        self._began = time.monotonic()
        self._meter = Meter(self._per_reply.get(title))
        return self._meter

    def say(self, step: str) -> None:
        """Show what is being done."""
        with self._showing:
            self._step = step
            self._show()

    def rest(self) -> None:
        """Show nothing until the next cell."""
        with self._showing:
            self._step = ""
            console.status("")

    def _show(self) -> None:
        if not self._step:
            return
        left = f"{'at most' if self._round else 'about'} {about(self.seconds_left())} left"
        rate = [] if self._meter.rate is None else [f"about {REQUESTS_PER_SECOND.text(self._meter.rate)} requests/s"]
        notices = [noticed(notice) for notice in self._meter.notices]
        console.status("  ".join([self._title, self._count(self._done + 1), self._step, *rate, *notices, left]))

    def _look(self, state: Running) -> Running:
        """Renew what is shown, and return it for others."""
        self._meter.look()
        with self._showing:
            self._show()
            return replace(
                state,
                title=self._title if self._step else "",
                count=self._count(self._done + 1),
                step=self._step,
                seconds_left=round(self.seconds_left(), 1),
                at_most=self._round > 0,
                rate=self._meter.rate,
                notices=self._meter.notices if self._step else (),
            )

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
        if known := per_reply_of(cell):
            self._per_reply[self._title] = known
        place, text = self._count(self._done + 1), outcome(cell, run)
        with self._showing:
            # Between two cells nobody draws the line of the terminal, which others then write to.
            self._step = ""
            self._done += 1
        if self._board:
            self._board.add(_finished(self._title, place, cell, text, warnings), run)
        style = ("warning" if warnings else "") if cell.status == "measured" else "changed"
        console.line(f"{self._title:{self._width}}  {place}  {text}{warned(warnings)}", style)


def _finished(title: str, place: str, cell: Cell, text: str, warnings: Sequence[Warning]) -> Finished:
    invalid, others = _codes(warnings)
    return Finished(title, place, cell.status, text, invalid, others)


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
    labels = ("INVALID: ", "warnings: ")
    return "".join(f"  {label}{', '.join(names)}" for label, names in zip(labels, _codes(warnings), strict=True) if names)


def _codes(warnings: Sequence[Warning]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the warnings about a cell are called, each once: those that make it invalid, and the others."""
    invalid = dict.fromkeys(warning.code for warning in warnings if warning.invalid)
    others = dict.fromkeys(warning.code for warning in warnings if warning.code not in invalid)
    return _named(invalid), _named(others)


def _named(codes: Iterable[Code]) -> tuple[str, ...]:
    return tuple(code.label for code in codes)
