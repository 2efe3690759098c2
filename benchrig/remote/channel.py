"""Byte streams to programs on a host, over channels of an SSH connection.

Whatever the other end sends or withholds, a stream ends: what is kept has bounds, each wait has a limit or ends with the
connection, and Ctrl-C gets through within a second. One thread may read while another sends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, cast

from benchrig.agent.text import last_line
from benchrig.errors import Hint, HostError, Inv
from benchrig.inventory import Host
from benchrig.remote import waits

if TYPE_CHECKING:
    import paramiko

    from benchrig.remote.transport import Transport

LONGEST_LINE = 1 << 20
"""Bytes of a line of standard output, where nothing else is said."""

MOST_OUTPUT = 64 << 20
"""Bytes of the whole standard output of a program that is run to its end."""

KEPT_STDERR = 64 << 10
"""Bytes of standard error that are kept: the last ones."""

_SLICE = 0.5
"""Seconds: how long a wait lasts at most before it looks around again."""

_PIECE = 1 << 15
"""Bytes that are sent at a time while output is read as well."""


@dataclass(frozen=True)
class Completed:
    """A program that has ended on a host: its exit code, all its standard output, and the end of its standard error."""

    code: int
    stdout: bytes
    stderr: bytes


class ConnectionLostError(HostError):
    """The connection to a host was lost. The host may be reached again."""


class NoAnswerError(HostError):
    """A program said nothing for too long; the connection may be there."""


class _News(threading.Event):
    """Says that something came on a channel. paramiko clears it whenever one of two buffers is empty; that does nothing."""

    def clear(self) -> None:
        """Do nothing."""

    def forget(self) -> None:
        """Clear it."""
        super().clear()


class Channel:
    """A byte stream to a program on a host. Closing it closes the program's standard input and output."""

    def __init__(self, host: Host, channel: paramiko.Channel, timeout: float | None, longest_line: int) -> None:
        self._host = host
        self._channel = channel
        self._transport = cast("Transport", channel.get_transport())
        self._timeout = timeout
        self._longest_line = longest_line
        self._buffer = bytearray()
        """Standard output that was read and not yet returned."""
        self._complaints = b""
        """The end of standard error."""
        self._news = _News()
        channel.in_buffer.set_event(self._news)
        channel.in_stderr_buffer.set_event(self._news)
        # Reading never waits within paramiko; sending does, in slices.
        channel.settimeout(_SLICE)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes to the program's standard input.

        Raises HostError when the connection is lost, when the program has ended, and when it takes nothing for the time
        allowed.
        """
        view = memoryview(data)
        deadline = self._deadline()
        while view:
            try:
                sent = self._channel.send(bytes(view[:_PIECE]))
            except TimeoutError:
                self._check(deadline)
                continue
            except Exception:
                sent = 0
            if not sent:
                raise self._ended() from None
            view = view[sent:]
            deadline = self._deadline()

    def end_input(self) -> None:
        """Let the program see the end of its standard input."""
        # If the connection is broken, whoever reads will say so.
        with suppress(Exception):
            self._channel.shutdown_write()

    def read(self) -> bytes:
        """Return some of the program's standard output as it arrives, or nothing at its end.

        Standard error is read meanwhile. Raises HostError when the connection is lost or nothing came for the time allowed.
        """
        if not self._buffer:
            self._more(self._deadline())
        data, self._buffer = bytes(self._buffer), bytearray()
        return data

    def read_line(self) -> bytes | None:
        """Return the next line of standard output without its newline; None at the end.

        Raises HostError as `read` does, and when a line does not end within the length that was allowed.
        """
        looked = 0
        while (end := self._buffer.find(b"\n", looked)) < 0:
            looked = len(self._buffer)
            if looked > self._longest_line:
                raise self._too_much(f"a line of more than {_megabytes(self._longest_line)}")
            if not self._more(self._deadline()):
                rest = self.read() if self._buffer else b""
                return rest or None
        if end > self._longest_line:
            raise self._too_much(f"a line of more than {_megabytes(self._longest_line)}")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of standard output as they arrive. Raises HostError as `read_line` does."""
        while (line := self.read_line()) is not None:
            yield line

    def expect(self, line: bytes, prompt: bytes, seconds: float) -> bool:
        """Wait until `line` comes on standard output, or `prompt` on standard error; it and all before it is taken away.

        What a shell's start files write comes before it. Returns whether it was the prompt. Raises HostError when neither
        came within `seconds`, or the program ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._news.forget()
            ended = self._has_ended()
            self._drain()
            if (at := self._buffer.find(line)) >= 0:
                del self._buffer[: at + len(line)]
                return False
            if len(self._buffer) > self._longest_line:
                raise self._too_much(f"more than {_megabytes(self._longest_line)} before it started")
            told, found, self._complaints = self._complaints.partition(prompt)
            if found:
                return True
            self._complaints = told
            if ended:
                if not self._is_connected():
                    raise self.lost()
                raise HostError(f"{self._host.name}: {self.reason() or 'the program ended before it started'}")
            self._check(deadline, seconds)
            self._news.wait(waits.left(deadline, _SLICE))

    def complete(self, stdin: bytes) -> Completed:
        """Give the program its whole input and wait for its end. It may end, or answer, before it has read all.

        Raises HostError as `read` does, and when the output has no end.
        """
        view = memoryview(stdin)
        deadline = self._deadline()
        while view and not self._has_ended():
            self._news.forget()
            came = self._drain()
            if len(self._buffer) > MOST_OUTPUT:
                break
            try:
                sent = self._channel.send(bytes(view[:_PIECE])) if self._channel.send_ready() else 0
            except TimeoutError:
                sent = 0
            except Exception:
                break
            view = view[sent:]
            if sent or came:
                deadline = self._deadline()
            else:
                self._check(deadline)
                self._news.wait(0.02)
        self.end_input()
        while self._more(self._deadline()):
            if len(self._buffer) > MOST_OUTPUT:
                raise self._too_much(f"more than {_megabytes(MOST_OUTPUT)}")
        code, stderr = self.finish()
        stdout, self._buffer = bytes(self._buffer), bytearray()
        return Completed(code, stdout, stderr)

    def wait_for(self, seconds: float | None) -> None:
        """Bound each wait for the program's output from now on; None waits as long as the connection lives."""
        self._timeout = seconds

    def finish(self) -> tuple[int, bytes]:
        """Return the exit code and the end of standard error, once standard output has ended.

        A code of -1 is death by signal. Raises HostError when the connection is lost before the program has ended.
        """
        deadline = self._deadline()
        while True:
            self._news.forget()
            # The status may come before the last output.
            ended = self._has_ended() and self._channel.exit_status_ready()
            self._drain()
            if ended:
                break
            self._check(deadline)
            # The status itself is no news.
            self._news.wait(waits.left(deadline, 0.02 if self._has_ended() else _SLICE))
        code = self._channel.recv_exit_status()
        if code < 0 and not self._is_connected():
            raise self.lost()
        return code, self._complaints

    def reason(self) -> str:
        """Return the last line that came on standard error so far; empty when none did."""
        self._drain_stderr()
        return last_line(self._complaints)

    def close(self) -> None:
        """Close the stream, within a second; a program that still runs sees the end of its input."""
        if not self._channel.closed:
            waits.within(waits.CLOSE_SECONDS, self._channel.close)

    def lost(self) -> ConnectionLostError:
        """Return the error of a lost connection, with its cause as far as that is known."""
        return lost(self._host, self._transport.reason)

    def _more(self, deadline: float | None) -> bool:
        """Wait until more standard output is in the buffer; return False when it has ended."""
        while True:
            self._news.forget()
            # Looked at before the buffers: what comes between is read in the next round.
            ended = self._has_ended()
            if self._drain():
                return True
            if ended:
                if not self._is_connected() and self._channel.exit_status < 0:
                    raise self.lost()
                return False
            self._check(deadline)
            self._news.wait(waits.left(deadline, _SLICE))

    def _drain(self) -> bool:
        """Take what has come, without waiting; return whether there was standard output."""
        # Reading answers the peer, which may be gone; what came before is read all the same.
        with suppress(Exception):
            self._drain_stderr()
        if not self._channel.recv_ready():
            return False
        with suppress(Exception):
            self._buffer += self._channel.recv(1 << 18)
        return True

    def _drain_stderr(self) -> None:
        # A program that floods standard error would fill the channel's window and stop.
        while self._channel.recv_stderr_ready():
            self._complaints = (self._complaints + self._channel.recv_stderr(1 << 16))[-KEPT_STDERR:]

    def _deadline(self) -> float | None:
        return None if self._timeout is None else time.monotonic() + self._timeout

    def _check(self, deadline: float | None, seconds: float | None = None) -> None:
        """Raise HostError when the connection is lost, NoAnswerError after the deadline, `seconds` after its start."""
        if not self._is_connected():
            raise self.lost()
        if deadline is not None and time.monotonic() > deadline:
            raise NoAnswerError(f"{self._host.name}: no answer for {seconds or self._timeout:.0f} s")

    def _has_ended(self) -> bool:
        """Return whether no more output will come than has come already."""
        return bool(self._channel.eof_received or self._channel.closed)

    def _is_connected(self) -> bool:
        return self._transport.is_connected()

    def _ended(self) -> HostError:
        """Return the error of a stream that takes nothing more: the connection is lost, or the program has ended."""
        if not self._is_connected():
            return self.lost()
        return HostError(f"{self._host.name}: the program ended early: {self.reason() or 'no reason given'}")

    def _too_much(self, what: str) -> HostError:
        self.close()
        return HostError(f"{self._host.name}: the program wrote {what}")


def lost(host: Host, cause: str = "") -> ConnectionLostError:
    """Return the error of a connection that was lost; `cause` may be empty."""
    said = f": {cause}" if cause else ""
    hint = Hint("Is the machine still up? See ", Inv("status"), ".")
    return ConnectionLostError(f"{host.name}: the connection was lost{said}", hint)


def _megabytes(count: int) -> str:
    return f"{count >> 20} MB" if count >> 20 else f"{count >> 10} kB"
