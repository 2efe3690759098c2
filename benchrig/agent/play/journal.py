"""The journal of a run on the host: what its tasks changed, kept until the controller has heard all of it.

A connection may break while a task runs. The agent finishes the task, and the next agent on this host tells what it did.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import events, replacing, stored

_MOST_BYTES = 1 << 20
"""A journal of more than that grows no further: results are told while they happen, and few are ever told again."""


@dataclass(frozen=True)
class _Earlier:
    """The journal that an earlier agent left: whose it is, its results, and how many were sent before it was alone.

    `sent` is None when the agent did not come to say so.
    """

    run: str = ""
    who: str = ""
    results: Sequence[events.Earlier] = ()
    sent: int | None = None


class Journal:
    """What this run changed on the host. Without `keep`, as in check mode, it is only read.

    A full disk ends no run here: each result is on its way to the controller as well.
    """

    def __init__(self, path: Path, run: str, who: str, *, keep: bool) -> None:
        self._path = path
        self._run = run
        self._who = who
        self._keep = keep
        self._there = False
        """The file on the disk is this run's."""
        self._task = events.TaskStarted("", "", "")
        self._count = 0
        self._sent = 0
        self._marked = False
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._there

    def take_over(self, heard: int) -> Sequence[events.Earlier]:
        """Return the results of earlier agents that their controller did not hear; they are part of this journal now.

        Of this run, the controller has heard the first `heard` results.
        """
        earlier = _read(self._path)
        ours = earlier.run == self._run
        results = earlier.results if ours else [_of_another(result, earlier) for result in earlier.results]
        unheard = results[heard if ours else earlier.sent or 0 :]
        if self._keep and results:
            kept = results if ours else unheard
            self._count = self._sent = len(kept)
            if kept:
                self._write(kept)
            else:
                self._path.unlink(missing_ok=True)
        return unheard

    def note(self, event: events.Event) -> None:
        """Keep what the user must hear of a redacted event."""
        if isinstance(event, events.TaskStarted):
            self._task = event
        elif isinstance(event, events.ItemDone) and event.status in ("changed", "failed") and self._keep:
            self._count += 1
            result = {name: getattr(event, name) for name in ("status", "label", "message", "seconds")}
            self._append(events.encode(events.Earlier(**vars(self._task), **result)))

    def sent(self) -> None:
        """Note that all results so far are on their way to the controller."""
        self._sent = self._count

    def lost(self) -> None:
        """Note that the results since `sent` are not, nor those that come."""
        if self._there and not self._marked:
            self._marked = True
            self._append(json.dumps({"sent": self._sent}).encode() + b"\n")

    def heard(self) -> None:
        """Forget all results: the controller has them."""
        self._path.unlink(missing_ok=True)
        self._there = False

    def _append(self, line: bytes) -> None:
        self._bytes += len(line)
        if self._bytes > _MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            if not self._there:
                self._write(())
            with self._path.open("ab", buffering=0) as file:
                file.write(line)

    def _write(self, results: Iterable[events.Earlier]) -> None:
        header = json.dumps({"run": self._run, "who": self._who}).encode() + b"\n"
        with contextlib.suppress(OSError):
            replacing.replace(self._path, header + b"".join(map(events.encode, results)))
            self._there = True


def _of_another(result: events.Earlier, run: _Earlier) -> events.Earlier:
    """Return a result of another run, or of one that was before that already."""
    return result if result.who else replace(result, who=run.who, cut_off=run.sent is None)


def _read(path: Path) -> _Earlier:
    """Read a journal as far as it is whole."""
    try:
        with stored.opened(path) as file:
            # In the middle of a line, the rest of the last one is none.
            first, *lines = file.read(2 * _MOST_BYTES).split(b"\n")[:-1] or [b""]
        header = json.loads(first)
        run, who = str(header["run"]), str(header["who"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _Earlier()
    results: list[events.Earlier] = []
    sent = None
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
            if line.startswith(b'{"sent":'):
                sent = max(0, min(int(json.loads(line)["sent"]), len(results)))
            elif isinstance(event := events.decode(line), events.Earlier):
                results.append(event)
    return _Earlier(run, who, results, sent)
