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
from .lines import ALIVE, BEAT_SECONDS, WAIT, Envelope, welcome

_IN, _OUT = 0, 1
_CHUNK = 1 << 16
_LONGEST_HELLO = 1 << 16
_HELLO_SECONDS = daemon.WATCHDOG_SECONDS + 5.0
"""How long an agent may take to answer a greeting. One that hangs is killed by its watchdog before."""

_STUCK_SECONDS = 30.0
"""How long the controller may take nothing, once the agent is gone."""

_TURN_SECONDS = 120.0
"""How long another controller may take to get its agent."""

_STEP_SECONDS = 0.05


class NoAgentError(Exception):
    """There is no agent to talk to, and none can be started."""


def main() -> int:
    """Join the controller to its agent until one of them ends."""
    hello = _first_line(_IN, _LONGEST_HELLO)
    if not hello:
        return 1
    asks = _values(hello)
    try:
        with _signs_of_life():
            agent, answer = _resume(hello) if asks.get("resume") is True else _begin(hello, str(asks.get("session")))
    except (NoAgentError, OSError) as error:
        _write(welcome(str(error)).line())
        return 1
    _relay(agent, answer)
    return 0


def _begin(hello: bytes, session: str) -> tuple[socket.socket, bytes]:
    """Greet the agent that runs, or start one; return the socket to it and its answer. Raises NoAgentError, OSError."""
    with _one_at_a_time():
        _await_return(session)
        agent = daemon.connect()
        for _ in range(2):
            if agent is None:
                agent = _start()
            if answer := _greet(agent, hello):
                return agent, answer
            # Its own controller is gone and it is ending, or it hung and its watchdog has ended it.
            agent.close()
            owner = lock.read_owner(lock.PATH)
            if owner and owner.unit == daemon.UNIT and owner.lives() and not owner.deserted:
                raise NoAgentError(f"the agent there does not answer: {owner}")
            daemon.stop()
            agent = None
    raise NoAgentError("the agent ends as soon as it is started")


def _await_return(session: str) -> None:
    """Wait while the host is kept for another controller, whose link is down. Raises NoAgentError when ours goes."""
    told = False
    while (owner := lock.read_owner(lock.PATH)) and owner.kept_seconds and owner.session != session and owner.lives():
        if not told:
            _write(Envelope(WAIT, error=f"{owner}; waiting for it").line())
            told = True
        _pause()


def _pause() -> None:
    """Wait for a moment. Raises NoAgentError when the controller is gone."""
    poll = select.poll()
    poll.register(_IN, select.POLLRDHUP)
    if poll.poll(1000 * _STEP_SECONDS):
        raise NoAgentError("the controller is gone")


@contextlib.contextmanager
def _signs_of_life() -> Iterator[None]:
    """Give the controller signs of life, which it answers, until an agent does."""
    done = threading.Event()

    def beat() -> None:
        with contextlib.suppress(OSError):
            while not done.wait(BEAT_SECONDS):
                _write(ALIVE)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


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
    if daemon.is_active():
        # Nobody could end its load any more.
        daemon.stop()
        raise NoAgentError(
            f"the agent could not be reached, and was stopped: its socket {daemon.FOLDER / daemon.SOCKET} is gone"
        )
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
                _pause()
        yield


def _greet(agent: socket.socket, hello: bytes) -> bytes:
    """Send the greeting and return what the agent says to it; empty when it says nothing."""
    with contextlib.suppress(OSError):
        agent.settimeout(_HELLO_SECONDS)
        agent.sendall(hello)
        return agent.recv(_CHUNK)
    return b""


def _values(hello: bytes) -> dict[str, object]:
    """Return what a greeting says; nothing where it is none. The agent checks it."""
    try:
        values = json.loads(hello)["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


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
