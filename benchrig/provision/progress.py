"""Progress of a play on the terminal: the running task as a live line, and a permanent line for each task that changed
something, failed, or showed a message."""

from __future__ import annotations

import time
from collections.abc import Iterable

from benchrig import console
from benchrig.agent.play.events import Earlier, Event, ItemDone, Notice, TaskStarted

_STDERR_LINES = 15
_LABELS = 3
"""How many items of a loop are named; the others are counted."""


class Progress:
    """Shows the events of one host's run."""

    def __init__(self, host: str, *, name_host: bool, check: bool) -> None:
        self._prefix = f"{host}: " if name_host else ""
        self._change = "would change" if check else "changed"
        self._task = TaskStarted("", "", "")
        self._started = time.monotonic()
        self._labels: list[str] = []
        """The first items that changed in the running loop."""
        self._changes = 0
        """How many items of it changed."""
        self._message: str | None = ""
        """The message of all of them; None when they differ."""
        self.failure = ""
        """The failed task and where it is written; empty while all is well."""

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, ItemDone):
            self._item(event)
        elif isinstance(event, Earlier):
            self._earlier(event)
        elif isinstance(event, Notice):
            console.warn(f"{self._prefix}{event.text}")
        elif isinstance(event, TaskStarted):
            self.end_task()
            self._task = event
            self._started = time.monotonic()
            console.status(f"{self._prefix}{self._title()}")

    def running(self) -> str:
        """Return the title of the running task; empty before the first."""
        return self._title() if self._task.name else ""

    def end_task(self) -> None:
        """Write the line of a loop that changed something: one for all its items."""
        if self._changes:
            named = ", ".join(self._labels)
            more = self._changes - len(self._labels)
            items = f"{named} and {more} more" if more else named
            message = "" if self._message is None else f": {self._message}"
            self._changed_line(f" ({items}){message}", time.monotonic() - self._started)
            self._labels, self._changes = [], 0

    def _title(self) -> str:
        return _title(self._task.role, self._task.name, handler=self._task.handler)

    def _earlier(self, event: Earlier) -> None:
        """Write what a task did that nobody heard of."""
        when = "while the connection was lost"
        if event.who:
            when = f"after the connection of {event.who} was lost"
        if event.cut_off:
            when = f"in a run of {event.who} that was cut off; some of it may have been shown"
        label = f" ({event.label})" if event.label else ""
        title = _title(event.role, event.name, handler=event.handler)
        text = f"{self._prefix}finished {when}: {event.status}: {title}{label}: {event.message}"
        console.line(text, "bad" if event.status == "failed" else "changed")

    def _item(self, item: ItemDone) -> None:
        label = f" ({item.label})" if item.label else ""
        if item.label:
            console.status(f"{self._prefix}{self._title()} ({item.label}: {item.status})")
        if item.status == "changed":
            self._changed_item(item, label)
        if item.output:
            self._block(f"{self._prefix}{self._title()}{label}: ", item.output.splitlines())
        if item.status == "ignored":
            console.line(f"{self._prefix}failed, and ignored: {self._title()}{label}: {item.message}", "faint")
        if item.status == "failed":
            self._failed(item, label)

    def _changed_item(self, item: ItemDone, label: str) -> None:
        if item.label and not item.diff:
            if len(self._labels) < _LABELS:
                self._labels.append(item.label)
            self._message = item.message if self._message == item.message or not self._changes else None
            self._changes += 1
            return
        self._changed_line(f"{label}: {item.message}" if item.message else label, item.seconds)
        for line in item.diff.removesuffix("\n").split("\n") if item.diff else ():
            console.line(f"  {line}", _diff_style(line))

    def _changed_line(self, what: str, seconds: float) -> None:
        took = f" ({seconds:.1f} s)" if seconds >= 1 else ""
        console.line(f"{self._prefix}{self._change}: {self._title()}{what}{took}", "changed")

    def _failed(self, item: ItemDone, label: str) -> None:
        self.end_task()
        self.failure = self.failure or f"{self._title()}{label}: {item.message} ({self._task.where})"
        console.line(f"{self._prefix}failed: {self._title()}{label}: {item.message}", "bad")
        said = (item.stderr.strip() or item.stdout.strip()).splitlines()
        # A single line is often the whole message already.
        for line in said[-_STDERR_LINES:] if len(said) > 1 or (said and said[0] not in item.message) else ():
            console.line(f"  {line}")
        if item.hint:
            console.line(f"  {item.hint}")
        code = f", exit code {item.rc}" if item.rc is not None else ""
        console.line(f"  at {self._task.where}{code}", "faint")

    def _block(self, first: str, lines: Iterable[str]) -> None:
        """Write text that a task shows: on the title's line if it is one line, below it otherwise."""
        shown = list(lines)
        if len(shown) == 1:
            console.line(f"{first}{shown[0]}")
            return
        console.line(first.rstrip())
        for line in shown:
            console.line(f"  {line}")


def _title(role: str, name: str, *, handler: bool) -> str:
    name = f"handler: {name}" if handler else name
    return f"{role} : {name}" if role else name


def _diff_style(line: str) -> str:
    return "good" if line.startswith("+") else "bad" if line.startswith("-") else "faint"
