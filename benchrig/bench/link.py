"""A connection to a bench agent: lines out, lines in, and signs of life, with a bound on whatever the agent sends.

A thread reads, so that the main thread only ever waits where Ctrl-C is heard.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time

from benchrig.agent.bench.lines import ALIVE, LONGEST_LINE, SILENCE_SECONDS, is_news
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import ship, ssh
from benchrig.remote.channel import Channel, NoAnswerError
from benchrig.remote.ssh import Remote

_WAITING_LINES = 8
"""Lines that wait to be looked at. An agent that sends more is not read until there is room."""

_LONGEST_NEWS = 4096
"""Bytes of a line of news that is kept."""

_STEP_SECONDS = 0.5


class LostError(Exception):
    """The connection has ended; the text is what is known of it. `fatal` when there is no use in making it anew.

    `of_program` when the program there has ended, or says nothing, over a connection that is there.
    """

    def __init__(self, why: str, *, fatal: bool = False, of_program: bool = False) -> None:
        super().__init__(why)
        self.fatal = fatal
        self.of_program = of_program


class Link:
    """A connection to a host's agent."""

    def __init__(self, host: Host) -> None:
        """Connect, and have the host start what leads to its agent. Raises HostError."""
        self.news: tuple[float, bytes] | None = None
        """The last line of news, and when it came (time.monotonic)."""
        self._lines: queue.Queue[bytes | LostError] = queue.Queue(_WAITING_LINES)
        self._sending = threading.Lock()
        self._lost: LostError | None = None
        self._dropped = False
        self._remote = ssh.connect(host)
        try:
            self._channel = ship.start(self._remote, "bench")
            # So neither reading nor sending waits for ever on a link that is dead.
            self._channel.wait_for(SILENCE_SECONDS)
        except BaseException:
            self._remote.close()
            raise
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, line: bytes) -> None:
        """Send a line. Raises LostError."""
        with self._sending:
            try:
                self._channel.send(line)
            except (HostError, OSError, EOFError) as error:
                raise LostError(str(error)) from None

    def receive(self, seconds: float) -> bytes | None:
        """Return the next line, without signs of life and news; None when none came within `seconds`. Raises LostError."""
        if self._lost:
            raise self._lost
        try:
            item = self._lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if isinstance(item, LostError):
            self._lost = item
            raise item
        return item

    def drop(self) -> None:
        """Close the connection; it is not waited for, because a dead one may take its time."""
        self._dropped = True
        threading.Thread(target=_close, args=(self._channel, self._remote), daemon=True).start()

    def _read(self) -> None:
        try:
            self._hand_on(LostError(self._read_lines(), of_program=True))
        except LostError as lost:
            self._hand_on(lost)
        except Exception as error:
            silent = isinstance(error, NoAnswerError)
            self._hand_on(LostError(str(error) or type(error).__name__, of_program=silent))

    def _read_lines(self) -> str:
        """Hand on line after line until the channel ends, and return why it ended. Raises LostError, HostError."""
        rest = bytearray()
        while data := self._channel.read():
            begin = len(rest)
            rest += data
            while (end := rest.find(b"\n", begin)) >= 0:
                self._take(bytes(rest[: end + 1]))
                del rest[: end + 1]
                begin = 0
            if len(rest) > LONGEST_LINE:
                raise LostError(f"it sent a line of more than {LONGEST_LINE >> 20} MB", fatal=True)
        return self._channel.reason() or "the program there ended"

    def _take(self, line: bytes) -> None:
        if line == ALIVE:
            self.send(ALIVE)
        elif is_news(line):
            if len(line) <= _LONGEST_NEWS:
                self.news = time.monotonic(), line
        else:
            self._hand_on(line)

    def _hand_on(self, item: bytes | LostError) -> None:
        """Wait until there is room for an item; nobody takes it any more once the connection was dropped."""
        while not self._dropped:
            with contextlib.suppress(queue.Full):
                self._lines.put(item, timeout=_STEP_SECONDS)
                return


def _close(channel: Channel, remote: Remote) -> None:
    try:
        channel.close()
    finally:
        remote.close()
