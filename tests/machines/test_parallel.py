"""Doing something to several machines at once: all errors are told, and Ctrl-C does not wait for the slowest."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from benchrig.errors import MachineError
from benchrig.machines.parallel import each


def test_all_errors_are_told_in_one() -> None:
    def fail(name: str) -> None:
        raise MachineError(f"{name}: no")

    with pytest.raises(MachineError) as caught:
        each(["a", "b"], fail)
    assert str(caught.value) == "a: no\nb: no"


def test_ctrl_c_does_not_wait_for_the_slowest_and_lets_the_quick_ones_clean_up() -> None:
    stop, cleaned = threading.Event(), []

    def work(name: str) -> None:
        try:
            stop.wait(0.3 if name == "quick" else 20)
        finally:
            cleaned.append(name)

    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        each(["quick", "slow"], work)
    assert time.monotonic() - began < 3
    assert cleaned == ["quick"]
    stop.set()
