"""The bench agent on a host: a service that does one operation after the other for one controller.

It listens on a Unix socket, which `front.py` joins to the controller's SSH channel. So it outlives a lost connection: it
goes on with the operation in hand, keeps the answer, and waits for its controller to come back. However it ends, systemd
ends what it started (`daemon.py`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import selectors
import socket
import threading
import time
from pathlib import Path

from .. import lock
from . import daemon, pinning
from .lines import (
    ALIVE,
    BEAT_SECONDS,
    BYE,
    LONGEST_LINE,
    SILENCE_SECONDS,
    Envelope,
    Hello,
    news_line,
    read_envelope,
    read_hello,
    read_operation,
    welcome,
)
from .operations import Bench
from .protocol import News
from .sampler import NEWS_SECONDS

GREETING_SECONDS = 30.0
"""How long an agent waits for its first controller."""

_GONE_SECONDS = SILENCE_SECONDS + BEAT_SECONDS
_KEPT_SECONDS = 60.0
"""How long newcomers are kept out for a controller that fell silent: its link may be down."""

_KEPT_AFTER_END_SECONDS = 5.0
"""The same where its connection ended, as it does when the controller was killed. One that lives is back at once."""

_FLUSH_SECONDS = 2.0


class Link:
    """A connection from a controller, by way of `front.py`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heard = time.monotonic()
        self.unsent = bytearray()
        self._unread = bytearray()
        sock.setblocking(False)

    def read(self) -> list[bytes]:
        """Return the whole lines that have come. Raises OSError at the end, and when a line is too long."""
        with contextlib.suppress(BlockingIOError):
            data = self.sock.recv(1 << 16)
            if not data:
                raise ConnectionError("the controller is gone")
            self.heard = time.monotonic()
            self._unread += data
        *lines, rest = self._unread.split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ConnectionError("a line is too long")
        self._unread = bytearray(rest)
        return [bytes(line) for line in lines if line.strip()]

    def write(self, data: bytes = b"") -> None:
        """Send as much as goes at once, and keep the rest. Raises OSError."""
        self.unsent += data
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                del self.unsent[: self.sock.send(self.unsent)]


class Worker:
    """Does one operation at a time in a thread of its own, and keeps the last answer."""

    def __init__(self, bench: Bench) -> None:
        self.at_work = 0
        """The id of the request in work; 0 when there is none."""
        self.done = Envelope()
        """The last answer."""
        self.woken, self._wake = socket.socketpair()
        self._bench = bench
        self._requests: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def begin(self, request: Envelope) -> None:
        """Begin with a request; when it is done, `woken` has a byte."""
        self.at_work = request.id
        self._requests.put(request)

    def finish(self) -> Envelope:
        """Take in that a request is done, and return its answer."""
        self.woken.recv(1)
        self.at_work = 0
        return self.done

    def _work(self) -> None:
        while True:
            request = self._requests.get()
            try:
                answer = self._bench.answer(read_operation(request))
            except ValueError as error:
                answer = Envelope(error=str(error))
            self.done = dataclasses.replace(answer, id=request.id)
            self._wake.send(b"x")


class Agent:
    """Serves one controller until it says goodbye, or stays away for too long."""

    def __init__(self, listener: socket.socket, bench: Bench, lock_path: Path) -> None:
        self._listener = listener
        self._bench = bench
        self._worker = Worker(bench)
        self._lock_path = lock_path
        self._lock: lock.HostLock | None = None
        self._hello: Hello | None = None
        self._link: Link | None = None
        """The controller's; None while it is gone."""
        self._deadline = time.monotonic() + GREETING_SECONDS
        """When the agent ends, if no controller comes."""
        self._selector = selectors.DefaultSelector()
        self._ended = False
        self._told: News | None = None
        """What was told last of the load that runs."""

    def run(self) -> None:
        """Serve; when this returns, all that was started is stopped."""
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._worker.woken, selectors.EVENT_READ, self._answer)
        next_beat = 0.0
        try:
            while not self._ended:
                if time.monotonic() >= next_beat:
                    self._beat()
                    next_beat = time.monotonic() + BEAT_SECONDS
                for key, _ in self._selector.select(self._wait(next_beat)):
                    key.data()
                self._tell()
        finally:
            self._bench.abandon()
            self._say_bye()

    def _beat(self) -> None:
        """Give a sign of life, and look whether the controller gave one."""
        if self._link and self._hello:
            daemon.extend(self._hello.linger_seconds + GREETING_SECONDS)
        daemon.notify("WATCHDOG=1")
        if self._link is None:
            self._ended = time.monotonic() > self._deadline
        elif time.monotonic() - self._link.heard > _GONE_SECONDS:
            self._lose(self._link, silent=True)
        elif not self._link.unsent:
            self._send(self._link, ALIVE)

    def _wait(self, next_beat: float) -> float:
        """Return for how long nothing is to be done, unless something comes."""
        wait = max(0.0, next_beat - time.monotonic())
        return min(wait, NEWS_SECONDS) if self._bench.is_sampling else wait

    def _tell(self) -> None:
        """Tell the controller what the sampler has counted, if it is new. It is left out where the link is slow."""
        news = self._bench.news
        if news is not None and news is not self._told and self._link and not self._link.unsent:
            self._told = news
            self._send(self._link, news_line(news))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            link = Link(self._listener.accept()[0])
            self._selector.register(link.sock, selectors.EVENT_READ, lambda: self._serve(link))

    def _serve(self, link: Link) -> None:
        """Read what a link has brought, and write what it could not take before."""
        try:
            link.write()
            for line in link.read():
                self._take(link, line)
        except (OSError, ValueError):
            self._lose(link)
        else:
            self._watch(link)

    def _take(self, link: Link, line: bytes) -> None:
        """Take in one line. Raises ValueError when a link begins with anything but a greeting."""
        if link is not self._link:
            self._greet(link, read_hello(read_envelope(line)))
        elif line + b"\n" == BYE:
            self._ended = True
        elif line + b"\n" != ALIVE:
            self._request(link, line)

    def _greet(self, link: Link, hello: Hello | None) -> None:
        """Attach a controller, or refuse it. A newcomer ends an agent whose own controller is gone, unless it is kept."""
        if self._hello is None or self._lock is None:
            if not self._begin(link, hello):
                self._ended = True
                return
        elif hello is None or (hello.session, hello.client) != (self._hello.session, self._hello.client):
            if self._link is None and not self._lock.owner.kept_seconds:
                self._ended = True
            else:
                self._refuse(link, str(self._lock.owner))
            return
        before, self._link = self._link, link
        if before:
            self._drop(before)
        if self._lock:
            self._lock.note_back()
        self._send(link, welcome().line())

    def _begin(self, link: Link, hello: Hello | None) -> bool:
        """Lock the host for the first controller; return whether that was possible."""
        if hello is None:
            self._refuse(link, "the agent there is of another version")
            return False
        owner = lock.Owner("bench", hello.session, hello.who, os.getpid(), time.time(), daemon.UNIT)
        try:
            self._lock = lock.take(self._lock_path, owner)
        except (lock.HeldError, OSError) as error:
            self._refuse(link, str(error))
            return False
        self._hello = hello
        return True

    def _request(self, link: Link, line: bytes) -> None:
        """Begin with a request, or answer it again: each is done exactly once."""
        try:
            request = read_envelope(line)
        except ValueError as error:
            self._send(link, Envelope(error=str(error)).line())
            return
        if self._worker.at_work:
            if request.id != self._worker.at_work:
                self._send(link, Envelope(error="another operation is in work", id=request.id).line())
        elif request.id == self._worker.done.id:
            self._send(link, self._worker.done.line())
        else:
            self._worker.begin(request)

    def _answer(self) -> None:
        answer = self._worker.finish()
        if self._link:
            self._send(self._link, answer.line())

    def _send(self, link: Link, data: bytes) -> None:
        try:
            link.write(data)
        except OSError:
            self._lose(link)
        else:
            self._watch(link)

    def _refuse(self, link: Link, why: str) -> None:
        self._send(link, welcome(why).line())

    def _watch(self, link: Link) -> None:
        """Wait for a link to take more only while there is more for it."""
        if link.sock.fileno() >= 0:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.unsent else 0)
            self._selector.modify(link.sock, events, lambda: self._serve(link))

    def _lose(self, link: Link, *, silent: bool = False) -> None:
        """Take in that a link is gone. The agent lives on for as long as its controller has asked for."""
        self._drop(link)
        if link is self._link and self._hello and self._lock:
            self._link = None
            self._deadline = time.monotonic() + self._hello.linger_seconds
            self._lock.note_deserted(_KEPT_SECONDS if silent else _KEPT_AFTER_END_SECONDS)

    def _drop(self, link: Link) -> None:
        if link.sock.fileno() >= 0:
            self._selector.unregister(link.sock)
            link.sock.close()

    def _say_bye(self) -> None:
        """Tell the controller that all is stopped."""
        if self._link:
            with contextlib.suppress(OSError):
                self._link.sock.settimeout(_FLUSH_SECONDS)
                self._link.sock.sendall(bytes(self._link.unsent) + BYE)


def main() -> int:
    """Serve one controller."""
    folder = daemon.folder()
    listener = daemon.listen(folder)
    if any(mark.exists() for mark in pinning.MARKS):
        # Of an agent whose end nobody could clean up after.
        pinning.main()
    daemon.notify("READY=1")
    Agent(listener, Bench(folder), lock.PATH).run()
    # Not by returning: a thread may still be at an operation.
    os._exit(0)
