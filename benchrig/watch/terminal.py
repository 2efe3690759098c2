"""Follows a bench on a terminal, where the last lines are renewed, or in a pipe, which gets plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.drawing import bars, signs_of
from benchrig.results import running
from benchrig.results.running import Running
from benchrig.watch.view import View, view

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

STEP_SECONDS = 0.5
"""Between two looks: a state is renewed each second."""

PLAIN_SECONDS = 5.0
"""Between two lines about the same load in a pipe."""


def follow(root: Path, state: Running) -> None:
    """Show a bench until it ends."""
    if sys.stdout.isatty() and console.is_terminal():
        _draw(root, state)
    else:
        _print(root, state)


def views(root: Path, state: Running) -> Iterator[View]:
    """Yield what is shown, again and again, until the bench has ended; the last one says how."""
    lives = True
    while lives:
        state, lives = running.look(root, state)
        yield view(state, lives=lives)
        if lives:
            time.sleep(STEP_SECONDS)


def _print(root: Path, state: Running) -> None:
    """Write plain lines, until the bench has ended or nobody reads them."""
    plain = PlainLines()
    for seen in views(root, state):
        for text in plain.of(seen, time.monotonic()):
            if not console.result(text):
                return


class PlainLines:
    """Chooses what is worth a line of its own."""

    def __init__(self) -> None:
        self._heading = ""
        self._number = 0
        self._now = ""
        self._due = 0.0
        self._notices: set[str] = set()

    def of(self, seen: View, at: float) -> Iterator[str]:
        """Yield the lines that a view adds to those before it; `at` is the time in seconds."""
        if seen.heading != self._heading:
            self._heading = seen.heading
            yield seen.heading
        for line in seen.finished:
            if line.number > self._number:
                self._number = line.number
                yield line.whole
        if seen.now:
            yield from self._load(seen, at)
        if seen.ended:
            yield seen.ended

    def _load(self, seen: View, at: float) -> Iterator[str]:
        is_new = seen.now != self._now
        if is_new:
            self._notices.clear()
            self._due = 0.0
        if is_new or (seen.rate and at >= self._due):
            self._now, self._due = seen.now, at + PLAIN_SECONDS if seen.rate else 0.0
            yield "  ".join(filter(None, (seen.now, seen.rate, seen.left)))
        for notice in seen.notices:
            # Its number grows; that it is there is said once for each load.
            if (what := notice.partition(":")[0]) not in self._notices:
                self._notices.add(what)
                yield f"{seen.now}  {notice}"


def _draw(root: Path, state: Running) -> None:
    """Write what is over, and renew the lines about what runs below it."""
    from rich.console import Console
    from rich.live import Live

    terminal = Console(file=sys.stdout)
    number = 0
    with Live(console=terminal, transient=True, refresh_per_second=4) as live:
        for seen in views(root, state):
            for line in seen.finished:
                if line.number > number:
                    number = line.number
                    _write(terminal, line.whole, console.STYLES[line.style])
            if not seen.ended:
                live.update(_lines(terminal, seen))
    _write(terminal, seen.heading, "")
    _write(terminal, seen.ended, console.STYLES["bad" if seen.failed else "good"])


def _lines(terminal: Console, seen: View) -> RenderableType:
    from rich.text import Text

    width = max(10, terminal.width - 1)
    course = bars(seen.rates[-width:], signs_of(terminal.encoding), from_zero=True, unknown=" ")
    lines = [
        (seen.heading, "bold"),
        ("  ".join(filter(None, (seen.now or "between two rows", seen.left))), ""),
        (seen.rate, "bold"),
        (course if seen.course else "", "cyan"),
        (seen.course, "dim"),
        *((notice, console.STYLES["warning"]) for notice in seen.notices),
    ]
    return Text("\n").join(Text(text, style) for text, style in lines if text)


def _write(terminal: Console, text: str, style: str) -> None:
    terminal.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)
