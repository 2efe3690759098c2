"""Signs of life of the agent, by which the controller tells a hung agent from a task that takes long."""

from __future__ import annotations

import signal
import threading

from .pipes import Outbox

BEAT_SECONDS = 5.0
"""How often the agent shows that it lives, when it has nothing else to send."""


def start(outbox: Outbox) -> threading.Event:
    """Send signs of life until the event that is returned is set."""
    over = threading.Event()
    threading.Thread(target=_beat, args=(outbox, over), daemon=True).start()
    return over


def _beat(outbox: Outbox, over: threading.Event) -> None:
    # Signals are for the main thread, whose waits they end.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while not over.wait(BEAT_SECONDS):
        outbox.beat()
