"""SIGTERM and SIGHUP end the program as Ctrl-C does: by KeyboardInterrupt, so that everything is cleaned up.

A second signal ends it at once. A signal that is ignored when the program starts, as SIGHUP under `nohup`, stays ignored.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from benchrig.errors import ExitCode

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HUNG_UP,
}

_received: list[int] = []


def install() -> None:
    """Have each of these signals interrupt the program, unless it is ignored."""
    for number in CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _ignored


def restore() -> None:
    """Have these signals end the program at once: nothing is left to clean up."""
    for number in CODES:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def received() -> bool:
    """Return whether one of these signals came."""
    return bool(_received)


def exit_code() -> ExitCode:
    """Return the exit code of a program that was interrupted: of the first signal that came."""
    return CODES[signal.Signals(_received[0])] if _received else ExitCode.INTERRUPTED


def said() -> str:
    """Return what ended the program, in words."""
    code = exit_code()
    return "interrupted" if code is ExitCode.INTERRUPTED else f"interrupted by {signal.Signals(_received[0]).name}"


def _ignored(unraisable: sys.UnraisableHookArgs) -> None:
    """Send a signal again that came while Python ran a finalizer, such as after an import: it ignores errors in there."""
    if _received and issubclass(unraisable.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, os.kill, (os.getpid(), _received.pop())).start()
    else:
        sys.__unraisablehook__(unraisable)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    if _received:
        # Whoever sends a second signal does not want to wait for anything.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    _received.append(number)
    raise KeyboardInterrupt
