"""Time limits of a bench: how long each operation of an agent may take, and how long a lost connection is waited for."""

from __future__ import annotations

from typing import Any

from benchrig.agent.bench import protocol
from benchrig.agent.bench.protocol import Operation
from benchrig.bench.suite import Plan

QUICK_SECONDS = 120.0
"""For an operation that takes no time of its own: the programs that it runs have limits of 20 s each."""

DATABASE_SECONDS = 480.0
"""For several calls of psql, of 120 s each at most."""

SPARE_SECONDS = 30.0
RECONNECT_SECONDS = 60.0
"""How much longer than a cell both ends wait for a lost connection."""

_STARTING_SECONDS = 40.0
"""How long an app may take to answer, and to settle."""


def limit(operation: Operation[Any]) -> float:
    """Return how many seconds an operation may take on a host whose agent lives."""
    match operation:
        case protocol.RunLoad():
            return operation.kill_after_seconds + SPARE_SECONDS
        case protocol.AwaitAnswer():
            # Its last look may begin just before the end, and the app may then take long to settle.
            return 2 * operation.seconds + QUICK_SECONDS
        case protocol.Fetch():
            return 4 * operation.seconds + SPARE_SECONDS
        case protocol.FindDatabase() | protocol.ResetData() | protocol.FindDatabaseLoad():
            return DATABASE_SECONDS
        case _:
            return QUICK_SECONDS


def cell_seconds(plan: Plan) -> float:
    """Return how long a cell of a plan takes at most, where nothing hangs."""
    return _STARTING_SECONDS + plan.warm_up_seconds + 2 * plan.duration_seconds + plan.effective_timeout
