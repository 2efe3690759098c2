"""What is shown of a bench that runs, in words: the same on the terminal, in a pipe and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.bench.meter import noticed
from benchrig.console import printable
from benchrig.results.running import Finished, Running
from benchrig.units import REQUESTS_PER_SECOND, about

KILLED = "the bench ended without a word: its process was killed"


@dataclass(frozen=True)
class Line:
    """A cell that is over."""

    number: int
    text: str
    invalid: str
    """What makes it invalid; empty where nothing does."""
    warnings: str
    """The other warnings; empty where it has none."""
    style: str
    """As of `console.line`."""

    @property
    def whole(self) -> str:
        """All of it in one line."""
        return "  ".join(filter(None, (self.text, self.invalid, self.warnings)))


@dataclass(frozen=True)
class View:
    """A state in words. Every text is safe for a terminal."""

    heading: str
    now: str
    """The row and what is done with it; empty between two rows."""
    rate: str
    """Empty where it is not known."""
    left: str
    notices: tuple[str, ...]
    rates: tuple[float | None, ...]
    most: str
    """The highest of them, which the top of the curve is; empty where none is known."""
    course: str
    """What the rates are, for who does not see them drawn."""
    finished: tuple[Line, ...]
    ended: str
    report: str
    """The command that shows the results; empty while the bench runs, and where it has none."""
    failed: bool


def view(state: Running, *, lives: bool = True) -> View:
    """Return what is shown of a state; `lives` says whether its process still runs."""
    ended = state.ended or ("" if lives else KILLED)
    return View(
        heading=printable(named(state)),
        now=printable("  ".join(filter(None, (state.title, state.count if state.title else "", state.step)))),
        rate="" if state.rate is None else f"about {_rate(state.rate)}",
        left=""
        if state.seconds_left is None
        else f"{'at most' if state.at_most else 'about'} {about(state.seconds_left)} left",
        notices=tuple(map(noticed, state.notices)),
        rates=state.rates,
        most=_rate(max(known)) if (known := [rate for rate in state.rates if rate is not None]) else "",
        course=_course(state.rates),
        finished=tuple(map(_line, state.finished)),
        ended=printable(ended),
        report=printable(f"./inv report {state.run}") if ended and state.run else "",
        failed=state.failed or not (lives or state.ended),
    )


def named(state: Running) -> str:
    """Return which bench it is: `web-frameworks, run 20261130-…, process 1234`."""
    return ", ".join([state.suite, *([f"run {state.run}"] if state.run else []), f"process {state.pid}"])


def _rate(value: float) -> str:
    return f"{REQUESTS_PER_SECOND.text(value)} requests/s"


def _course(rates: Sequence[float | None]) -> str:
    known = [rate for rate in rates if rate is not None]
    return f"requests/s in the last minute: {_bounds(known)}" if known else ""


def _bounds(known: Sequence[float]) -> str:
    low, high = (REQUESTS_PER_SECOND.text(value) for value in (min(known), max(known)))
    return low if low == high else f"{low} to {high}"


def _line(one: Finished) -> Line:
    style = ("bad" if one.invalid else "warning" if one.warnings else "") if one.status == "measured" else "changed"
    text = printable(f"{one.title}  {one.count}  {one.text}")
    invalid = f"INVALID: {', '.join(one.invalid)}" if one.invalid else ""
    warnings = f"warnings: {', '.join(one.warnings)}" if one.warnings else ""
    return Line(one.number, text, printable(invalid), printable(warnings), style)
