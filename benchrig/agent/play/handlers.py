"""Pending handlers, stored on the host: after a run that failed or was killed, the next one runs them.

A handler is on the disk before the change that notifies it, so that no moment exists at which the change is made and its
handler is unknown. If the change is not made after all, the handler is taken back.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import plan, stored
from .events import Status
from .modules.base import ModuleError
from .replacing import replace

Handler = tuple[str, str]
"""Role and name."""

ALL = "all"
"""In place of a list of handlers, this text stands for every handler of the run."""


class UnreadableError(Exception):
    """The list of pending handlers cannot be read; `cure` says what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the list of pending handlers, {path}, cannot be read: {reason}")
        self.cure = (
            "It names the handlers that an earlier run did not come to. To run all handlers in the next run, "
            f"do on the host: rm -rf {path}; echo '\"{ALL}\"' > {path}. To run none of them, remove the file."
        )


class Pending:
    """The notified handlers. Each change is written to disk at once, except in check mode. Raises UnreadableError."""

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        self.path = path
        self._keep = keep
        read = self._read()
        self.all = read is None
        """An administrator asks for every handler."""
        self._handlers: dict[Handler, None] = dict.fromkeys(read or ())
        self.earlier = frozenset(self._handlers)
        """Those an earlier run left behind."""

    def __contains__(self, handler: Handler) -> bool:
        return handler in self._handlers

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers)

    def notify(self, handlers: Sequence[Handler]) -> tuple[Handler, ...]:
        """Note that handlers are to run; return those that were not pending before. Raises OSError; then none is noted."""
        new = tuple(handler for handler in dict.fromkeys(handlers) if handler not in self._handlers)
        if new:
            before = dict(self._handlers)
            self._handlers |= dict.fromkeys(new)
            try:
                self._write()
            except OSError:
                self._handlers = before
                raise
        return new

    def done(self, *handlers: Handler) -> None:
        """Note that handlers have run, or need not."""
        gone = [handler for handler in handlers if self._handlers.pop(handler, "") is None]
        if gone:
            # On a full disk the longer list stays: to run a handler once too often does no harm.
            with contextlib.suppress(OSError):
                self._write()

    def add_all(self, handlers: Sequence[Handler]) -> None:
        """Take in every handler of the run, as an administrator asked."""
        self._handlers |= dict.fromkeys(handlers)
        self._write()
        self.earlier = frozenset(self._handlers)

    def _read(self) -> list[Handler] | None:
        """Return the list on the disk; None when it stands for every handler."""
        try:
            with stored.opened(self.path) as file:
                data = json.loads(file.read())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UnreadableError(self.path, (error.strerror or str(error)).lower()) from None
        except (ValueError, RecursionError):
            size = self.path.stat().st_size
            raise UnreadableError(self.path, f"its {size} bytes are no list; it was cut short or damaged") from None
        if data == ALL:
            return None
        if not (isinstance(data, list) and all(map(_is_handler, data))):
            raise UnreadableError(self.path, "it has other things than pairs of a role and a handler")
        return [(role, name) for role, name in data]

    def _write(self) -> None:
        if not self._keep:
            return
        if self._handlers:
            replace(self.path, json.dumps(list(self._handlers)).encode())
        else:
            self.path.unlink(missing_ok=True)


def _is_handler(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


class Notifications:
    """The handlers that the running item of a task notifies: noted before it changes anything, taken back if it did not.

    An item that fails may have changed something before: what was noted for it stays. Of a failure that is ignored nothing
    stays, as in Ansible: a command that fails in every run would otherwise have its handler run in every run.
    """

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._handlers: Sequence[tuple[plan.Role, plan.Task]] = ()
        self._task: plan.Task | None = None
        self._new: tuple[Handler, ...] = ()

    def enter(self, play: plan.Play) -> None:
        """Take the handlers of a play from now on."""
        self._handlers = tuple(of_play(play))

    def begin(self, task: plan.Task) -> None:
        """Begin an item of a task."""
        self._task = task if task.notify else None
        self._new = ()

    def before_change(self) -> None:
        """Note the handlers, now that the item is about to change something. Raises ModuleError when that cannot be done."""
        # A task that never counts as changed notifies nobody.
        if self._task is None or any(condition is False for condition in self._task.changed_when):
            return
        wanted = self._notified(self._task)
        try:
            self._new += self._pending.notify(wanted)
        except OSError as error:
            names = ", ".join(f"'{name}'" for _, name in wanted)
            reason = f"{error.filename or 'the list of pending handlers'}: {(error.strerror or str(error)).lower()}"
            raise ModuleError(
                f"nothing was changed, because it cannot be noted that {names} must run then: {reason}"
            ) from None

    def end(self, status: Status) -> None:
        """End the item. Raises ModuleError when it notifies, nothing was noted before, and cannot be now."""
        if status == "changed":
            self.before_change()
        elif self._new and status != "failed":
            self._pending.done(*self._new)
        self._new = ()

    def _notified(self, task: plan.Task) -> list[Handler]:
        """Return the handlers that a task's topics name, and those that listen to them."""
        found: list[Handler] = []
        for topic in task.notify:
            found += [(role.name, handler.name) for role, handler in self._handlers if handler.name == topic][-1:]
            found += [(role.name, handler.name) for role, handler in self._handlers if topic in handler.listen]
        return found


def of_play(play: plan.Play) -> Iterator[tuple[plan.Role, plan.Task]]:
    """Yield a play's handlers with their roles, in the order in which they run."""
    for role in play.roles:
        for handler in role.handlers:
            yield role, handler
