"""What the user sees of a play: the running task as a live line, a permanent line for all that changed, failed or was to be
shown, and at the end Ansible's recap."""

from __future__ import annotations

import time
from collections.abc import Iterable

from benchrig import console
from benchrig.agent.events import Event, ItemDone, Notice, TaskStarted

_STDERR_LINES = 15


class Progress:
    """Shows the events of one host's run."""

    def __init__(self, host: str, *, name_host: bool, check: bool) -> None:
        self._prefix = f"{host}: " if name_host else ""
        self._check = check
        self._task = TaskStarted("", "", "")
        self._started = time.monotonic()
        self.failure = ""
        """The failed task and where it is written; empty while all is well."""

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, TaskStarted):
            self._task = event
            self._started = time.monotonic()
            console.status(f"{self._prefix}{self._title()}")
        elif isinstance(event, ItemDone):
            self._item(event)
        elif isinstance(event, Notice):
            console.warn(f"{self._prefix}{event.text}")

    def _title(self) -> str:
        name = f"handler: {self._task.name}" if self._task.handler else self._task.name
        return f"{self._task.role} : {name}" if self._task.role else name

    def _item(self, item: ItemDone) -> None:
        label = f" ({item.label})" if item.label else ""
        if item.status == "changed":
            changed = "would change" if self._check else "changed"
            message = f": {item.message}" if item.message else ""
            took = f" ({item.seconds:.1f} s)" if item.seconds >= 1 else ""
            console.line(f"{self._prefix}{changed}: {self._title()}{label}{message}{took}", "changed")
        if item.output:
            self._block(f"{self._prefix}{self._title()}{label}: ", item.output.splitlines())
        if item.diff:
            for line in item.diff.splitlines():
                console.line(f"  {line}", _diff_style(line))
        if item.status == "ignored":
            console.line(f"{self._prefix}failed, and ignored: {self._title()}{label}: {item.message}", "faint")
        if item.status == "failed":
            self._failed(item, label)

    def _failed(self, item: ItemDone, label: str) -> None:
        self.failure = f"{self._title()}{label}: {item.message} ({self._task.where})"
        console.line(f"{self._prefix}failed: {self._title()}{label}: {item.message}", "bad")
        said = item.stderr.strip() or item.stdout.strip()
        for line in said.splitlines()[-_STDERR_LINES:]:
            console.line(f"  {line}")
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


def _diff_style(line: str) -> str:
    return "good" if line.startswith("+") else "bad" if line.startswith("-") else "faint"
