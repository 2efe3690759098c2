"""Pending handlers, stored on the host: after a run that failed or was killed, the next one runs them."""

from __future__ import annotations

import json
from pathlib import Path

from .replacing import replace

Handler = tuple[str, str]
"""Role and name."""


class Pending:
    """The notified handlers. Each change is written to disk at once, except in check mode."""

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        self._path = path
        self._keep = keep
        self._handlers: dict[Handler, None] = dict.fromkeys(self._read())
        self.earlier = frozenset(self._handlers)
        """Those an earlier run left behind."""

    def __contains__(self, handler: Handler) -> bool:
        return handler in self._handlers

    def names(self) -> tuple[str, ...]:
        """Return the names of those that are still to run."""
        return tuple(name for _, name in self._handlers)

    def notify(self, handler: Handler) -> None:
        """Note that a handler is to run."""
        if handler not in self._handlers:
            self._handlers[handler] = None
            self._write()

    def done(self, handler: Handler) -> None:
        """Note that a handler has run."""
        if self._handlers.pop(handler, "") is None:
            self._write()

    def _read(self) -> list[Handler]:
        try:
            return [(role, name) for role, name in json.loads(self._path.read_text(encoding="utf-8"))]
        except (OSError, ValueError):
            return []

    def _write(self) -> None:
        if not self._keep:
            return
        if self._handlers:
            replace(self._path, json.dumps(list(self._handlers)).encode())
        else:
            self._path.unlink(missing_ok=True)
