"""Signs of life of the agent, by which the controller tells a hung agent from a task that takes long."""

from __future__ import annotations

import signal
import threading
import time

from .pipes import Outbox

BEAT_SECONDS = 5.0
"""How often the agent shows that it lives, when it has nothing else to send."""


def start(outbox: Outbox) -> None:
    """Send signs of life as long as the process lives."""
    threading.Thread(target=_beat, args=(outbox,), daemon=True).start()


def _beat(outbox: Outbox) -> None:
    # Signals are for the main thread, whose waits they end.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(BEAT_SECONDS)
        outbox.beat()
