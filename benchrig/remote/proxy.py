"""ProxyCommand of ssh_config(5): a command whose standard input and output lead to a host, in place of a socket."""

from __future__ import annotations

import atexit
import errno
import os
import select
import signal
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress

from benchrig.agent.text import last_line

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTERM)

_END_SECONDS = 0.5
"""How long a command may take to end after it was asked to; then it is killed."""


class ProxyCommand:
    """A command that runs as long as this is open; what paramiko needs of a socket.

    It is run as ssh runs it: by the user's shell, with `exec` before it. It has a process group of its own, so that Ctrl-C
    does not cut the connection before we have cleaned up over it, and the default signals, also under nohup.
    """

    def __init__(self, command: str) -> None:
        """Start it. Raises OSError when the shell cannot be started."""
        self.command = command
        shell = os.environ.get("SHELL") or "/bin/sh"
        if not os.access(shell, os.X_OK):
            raise FileNotFoundError(errno.ENOENT, f"no program {shell}")
        ends = [*os.pipe(), *os.pipe(), *os.pipe()]
        theirs_in, self._in, self._out, theirs_out, err, theirs_err = ends
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((theirs_in, theirs_out, theirs_err))]
        try:
            self._pid = os.posix_spawn(
                shell, [shell, "-c", f"exec {command}"], os.environ, file_actions=actions, setpgroup=0, setsigdef=_SIGNALS
            )
        except OSError:
            for fd in (self._in, self._out, err):
                os.close(fd)
            # By then these numbers may be others' files.
            self._in = self._out = -1
            raise
        finally:
            for fd in (theirs_in, theirs_out, theirs_err):
                os.close(fd)
        os.set_blocking(self._in, False)
        self._timeout: float | None = None
        self._closed = False
        self._stderr = b""
        self._lock = threading.Lock()
        self._reaped = False
        self._ended = threading.Event()
        _running.add(self)
        threading.Thread(target=self._follow, args=(err,), daemon=True).start()

    def __del__(self) -> None:
        # Not before: another thread may still wait for them, and their numbers would be others' files.
        for fd in (getattr(self, "_in", -1), getattr(self, "_out", -1)):
            with suppress(OSError):
                os.close(fd)

    @property
    def closed(self) -> bool:
        """Say whether we have closed it."""
        return self._closed

    def settimeout(self, seconds: float | None) -> None:
        """Bound each wait of `recv` and `send`."""
        self._timeout = seconds

    def recv(self, size: int) -> bytes:
        """Return some of the command's output; nothing at its end. Raises TimeoutError."""
        if not self._closed:
            self._wait(self._out, select.POLLIN)
        return b"" if self._closed else os.read(self._out, size)

    def send(self, data: bytes) -> int:
        """Give the command some input; return how much it took. Raises TimeoutError, or OSError when it has ended."""
        if self._closed:
            raise BrokenPipeError
        self._wait(self._in, select.POLLOUT)
        try:
            return os.write(self._in, data)
        except BlockingIOError:
            raise TimeoutError from None

    def close(self) -> None:
        """End the command, and all in its process group."""
        _end([self])

    def has_ended(self, seconds: float) -> bool:
        """Wait for its end for so long; return whether it has ended."""
        return self._ended.wait(seconds)

    def complaint(self) -> str:
        """Return the last line of its standard error so far."""
        return last_line(self._stderr)

    def ask_to_end(self) -> None:
        """Begin to close it."""
        self._closed = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without its consent."""
        self._signal(signal.SIGKILL)

    def _wait(self, fd: int, event: int) -> None:
        waiting = select.poll()
        waiting.register(fd, event)
        if not waiting.poll(None if self._timeout is None else self._timeout * 1000):
            raise TimeoutError

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            # Once it is reaped, the number may be another's.
            if not self._reaped:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._pid, number)

    def _follow(self, err: int) -> None:
        """Keep the end of its standard error, then wait for its end."""
        waiting = select.poll()
        waiting.register(err, select.POLLIN)
        # A program that it left behind, such as ssh's ControlPersist, may keep standard error open.
        while waiting.poll(500) or not os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            if not waiting.poll(0):
                continue
            if not (data := os.read(err, 4096)):
                os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
                break
            self._stderr = (self._stderr + data)[-4096:]
        os.close(err)
        # What it started ends with it.
        self._signal(signal.SIGTERM)
        with self._lock:
            os.waitpid(self._pid, 0)
            self._reaped = True
        _running.discard(self)
        self._ended.set()


_running: weakref.WeakSet[ProxyCommand] = weakref.WeakSet()
"""Those that have not ended, for the end of the program."""


def _end(commands: Sequence[ProxyCommand]) -> None:
    for command in commands:
        command.ask_to_end()
    deadline = time.monotonic() + _END_SECONDS
    for command in commands:
        if not command.has_ended(max(0.0, deadline - time.monotonic())):
            command.kill()


@atexit.register
def end_all() -> None:
    """End all commands that still run, within half a second. `os._exit` does not call it."""
    _end(list(_running))
