"""Waits that end: work that may block in a library or in the kernel is left to a thread after its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

CLOSE_SECONDS = 1.0
"""How long closing anything may take."""


def left(deadline: float | None, most: float) -> float:
    """Return the seconds until a deadline (time.monotonic), at most `most`, never negative."""
    return most if deadline is None else max(0.0, min(most, deadline - time.monotonic()))


def within(seconds: float, work: Callable[[], object]) -> None:
    """Do something that may block, for so long at most. After that it goes on in a thread that nothing waits for.

    What it raises is passed over.
    """

    def run() -> None:
        with suppress(Exception):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
