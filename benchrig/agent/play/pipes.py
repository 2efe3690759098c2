"""The agent's two ends of the connection to the controller: what it receives, and the events that it sends."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, BinaryIO, Protocol

from .events import HEARD, Beat, Event, ItemDone, Shown, encode


class Gone(BaseException):
    """The controller is not there any more; no error of a task, and not to be taken for one."""


_LAST_WORD_SECONDS = 1.0
"""How long an agent that is to stop waits until it can write."""


class Stop:
    """A signal's request to stop after the running task. A wait for the controller, which may be gone, ends at once."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def __call__(self, *_: object) -> None:
        """Handle the signal."""
        self.asked = True
        if self._waiting:
            raise Gone

    def check(self) -> None:
        """Raise Gone when it was asked for."""
        if self.asked:
            raise Gone

    def __enter__(self) -> None:
        self._waiting = True

    def __exit__(self, *_: object) -> None:
        self._waiting = False


class Inbox:
    """What the controller sends. Its end of the stream is the run's life line."""

    def __init__(self, stream: BinaryIO, stop: Stop | None = None) -> None:
        self._stream = stream
        self.stop = stop or Stop()

    def line(self) -> bytes:
        """Wait for a line, an answer to what was asked. Raises Gone when the controller has closed its end."""
        with self.stop:
            self.stop.check()
            line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise Gone
        return line

    def read(self, size: int) -> bytes:
        """Wait for so many bytes. Raises Gone when the controller has closed its end before."""
        with self.stop:
            self.stop.check()
            data = self._stream.read(size)
        if len(data) < size:
            raise Gone
        return data

    def confirmed(self, seconds: float) -> bool:
        """Wait for HEARD; return whether it came. For the last thing that is read."""
        deadline, got = time.monotonic() + seconds, b""
        while got != HEARD and (left := deadline - time.monotonic()) > 0:
            with self.stop:
                ready, _, _ = select.select([self._stream], [], [], left)
                data = os.read(self._stream.fileno(), len(HEARD) - len(got)) if ready else b""
            if not data:
                return False
            got += data
        return got == HEARD

    def still_there(self) -> None:
        """Raise Gone when the controller has closed its end, or the run is to stop. What it sends unasked is nothing."""
        self.stop.check()
        ready, _, _ = select.select([self._stream], [], [], 0)
        if ready and not os.read(self._stream.fileno(), 1):
            raise Gone


class Keeper(Protocol):
    """Keeps redacted events until the controller has them: the journal."""

    def note(self, event: Event) -> None:
        """Keep what the user must hear of an event."""

    def sent(self) -> None:
        """Note that all events so far are on their way."""

    def lost(self) -> None:
        """Note that the events since then are not."""


class Outbox:
    """Sends events, many in one write: they wait until something slow begins or something worth seeing happens."""

    def __init__(self, descriptor: int, redact: Callable[[str], str], stop: Stop | None = None) -> None:
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self._stop = stop or Stop()
        self.redact = redact
        self.keeper: Keeper | None = None
        self.lost = False
        """Nobody listens any more."""
        self._writing = threading.Lock()
        self._wrote = False
        """Something was sent since the last `beat`."""

    def send(self, event: Event) -> None:
        """Send an event soon."""
        if isinstance(event, Shown):
            event = _redacted(event, self.redact)
            if self.keeper is not None:
                self.keeper.note(event)
        self._waiting.append(encode(event))
        if len(self._waiting) > 64 or (isinstance(event, ItemDone) and event.status in ("changed", "failed")):
            self.flush()

    def flush(self) -> None:
        """Send what waits now. When nobody listens any more, the running task goes on, and what it did is kept."""
        if not self._waiting:
            # A child that works as another user comes here too: it must not wait for a lock that it can never get.
            return
        data = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        try:
            with self._writing:
                self._wrote = True
                while data and not self.lost:
                    data = data[self._write(data) :]
        except (BrokenPipeError, ConnectionResetError, Gone):
            self.lost = True
        if self.keeper is not None:
            self.keeper.lost() if self.lost else self.keeper.sent()

    def beat(self) -> None:
        """Send a sign of life, from another thread, if nothing was sent since the last call."""
        with self._writing:
            idle, self._wrote = not self._wrote, False
            # Where nobody reads, a write would block.
            if idle and not self.lost and select.select([], [self._descriptor], [], 0)[1]:
                with contextlib.suppress(OSError):
                    os.write(self._descriptor, encode(Beat()))

    def _write(self, data: memoryview) -> int:
        if not self._stop.asked:
            with self._stop:
                return os.write(self._descriptor, data)
        # Another agent waits for this one's end, perhaps because nobody reads what it writes.
        if not select.select([], [self._descriptor], [], _LAST_WORD_SECONDS)[1]:
            raise Gone
        return os.write(self._descriptor, data[: select.PIPE_BUF])


def _redacted(event: Shown, redact: Callable[[str], str]) -> Shown:
    texts: dict[str, Any] = {
        item.name: redact(value) for item in fields(event) if isinstance(value := getattr(event, item.name), str)
    }
    return replace(event, **texts)
