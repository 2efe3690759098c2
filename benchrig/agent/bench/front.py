"""The relay between a controller's SSH channel and the bench agent on the same host, which it starts where there is none.

It is all that SSH starts. When it ends, for whatever reason, the agent lives on and waits for the controller.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import lock
from . import daemon

_IN, _OUT = 0, 1
_CHUNK = 1 << 16
_LONGEST_HELLO = 1 << 16
_HELLO_SECONDS = 10.0
"""An agent that takes longer to answer a greeting hangs."""

_STUCK_SECONDS = 30.0
"""How long the controller may take nothing, once the agent is gone."""


_TURN_SECONDS = 60.0
"""How long another controller may take to start its agent."""


class NoAgentError(Exception):
    """There is no agent to talk to, and none can be started."""


def main() -> int:
    """Join the controller to its agent until one of them ends."""
    hello = _first_line(_IN, _LONGEST_HELLO)
    if not hello:
        return 1
    try:
        agent, answer = _resume(hello) if _wants_resume(hello) else _begin(hello)
    except (NoAgentError, OSError) as error:
        _write(json.dumps({"operation": "Hello", "error": str(error)}).encode() + b"\n")
        return 1
    _relay(agent, answer)
    return 0


def _begin(hello: bytes) -> tuple[socket.socket, bytes]:
    """Greet the agent that runs, or start one; return the socket to it and its answer. Raises NoAgentError, OSError."""
    with _one_at_a_time():
        agent = daemon.connect()
        for _ in range(2):
            if agent is None:
                agent = _start()
            if answer := _greet(agent, hello):
                return agent, answer
            # Its own controller is gone and it is ending, or it hangs.
            agent.close()
            daemon.stop()
            agent = None
    raise NoAgentError("the agent ends as soon as it is started")


def _start() -> socket.socket:
    folder = Path(__file__).parents[2]
    started = daemon.start(folder)
    if started.returncode:
        # The one before may be about to end.
        daemon.stop()
        started = daemon.start(folder)
    agent = daemon.connect()
    if agent is None:
        reason = started.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoAgentError(f"systemd cannot start the agent: {reason or 'no reason given'}")
    return agent


def _resume(hello: bytes) -> tuple[socket.socket, bytes]:
    """Greet the agent that runs; return the socket to it and its answer. Raises NoAgentError when there is none."""
    agent = daemon.connect()
    if agent and (answer := _greet(agent, hello)):
        return agent, answer
    if agent and daemon.connect():
        raise NoAgentError("the agent shows no sign of life")
    raise NoAgentError(f"the agent ended: {daemon.ending()}")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep two controllers that come at once from ending each other's agents. Raises NoAgentError."""
    lock.PATH.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (lock.PATH.parent / "starting").open("w") as file:
        deadline = time.monotonic() + _TURN_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise NoAgentError("another controller is starting an agent") from None
                time.sleep(0.05)
        yield


def _greet(agent: socket.socket, hello: bytes) -> bytes:
    """Send the greeting and return what the agent says to it; empty when it says nothing."""
    with contextlib.suppress(OSError):
        agent.settimeout(_HELLO_SECONDS)
        agent.sendall(hello)
        return agent.recv(_CHUNK)
    return b""


def _wants_resume(hello: bytes) -> bool:
    try:
        return json.loads(hello)["value"]["resume"] is True
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _first_line(descriptor: int, longest: int) -> bytes:
    """Read a line, which nothing follows before it is answered; empty when there is none."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(descriptor, _CHUNK)
        line += data
        if not data or len(line) > longest:
            return b""
    return line


def _relay(agent: socket.socket, answer: bytes) -> None:
    """Copy both ways until either end is gone. A controller that takes nothing does not keep a dead agent's relay."""
    agent.settimeout(None)
    _Copy(lambda: os.read(_IN, _CHUNK), agent.sendall, agent).start()
    back = _Copy(lambda: agent.recv(_CHUNK), _write, agent, answer)
    back.start()
    poll = select.poll()
    poll.register(agent, select.POLLRDHUP)
    poll.poll()
    back.join(_STUCK_SECONDS)


class _Copy(threading.Thread):
    """Copies one way until its end, and then closes the agent's socket, which ends the other way too."""

    def __init__(
        self, read: Callable[[], bytes], write: Callable[[bytes], None], agent: socket.socket, first: bytes = b""
    ) -> None:
        super().__init__(daemon=True)
        self._read, self._write, self._agent, self._first = read, write, agent, first

    def run(self) -> None:
        with contextlib.suppress(OSError):
            data = self._first or self._read()
            while data:
                self._write(data)
                data = self._read()
        with contextlib.suppress(OSError):
            self._agent.shutdown(socket.SHUT_RDWR)


def _write(data: bytes) -> None:
    """Write to the controller. One write may take only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(_OUT, rest) :]
