"""Wait until a machine's SSH server answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from benchrig.errors import HostError
from benchrig.remote.refusals import UnreachableError

NO_ANSWER = "its SSH server did not answer"

ANSWER_SECONDS = 5.0
"""How long a server may take to send its first bytes; an emulated machine needs seconds."""

PAUSE_SECONDS = 0.02
CHECK_SECONDS = 0.3
"""How often to check that the machine still runs, and to repeat a login that failed."""


def wait_for_ssh(
    address: str,
    port: int,
    seconds: float,
    *,
    login: Callable[[], object] = lambda: None,
    check: Callable[[], None] = lambda: None,
) -> str:
    """Wait until the SSH server at an address answers and `login` succeeds. Return why that did not happen, or "".

    `login` raises HostError; one with a hint, such as a changed host key, is passed on at once unless it is an
    UnreachableError, because waiting does not help. `check` raises an error of its own when the machine no longer runs.
    """
    deadline = time.monotonic() + seconds
    next_check = time.monotonic() + CHECK_SECONDS
    reason = NO_ANSWER
    while time.monotonic() < deadline:
        pause = PAUSE_SECONDS
        if _answers(address, port):
            try:
                login()
                return ""
            except HostError as error:
                if error.hint and not isinstance(error, UnreachableError):
                    raise
                reason, pause = str(error), CHECK_SECONDS
        if time.monotonic() > next_check:
            check()
            next_check = time.monotonic() + CHECK_SECONDS
        time.sleep(pause)
    return reason


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=ANSWER_SECONDS) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
