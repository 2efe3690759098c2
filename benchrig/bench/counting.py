"""Has the hosts of a cell count its connections shortly before the load ends, when the load generator closes them."""

from __future__ import annotations

from benchrig.agent.bench import protocol
from benchrig.bench import records
from benchrig.bench.attempt import Attempt
from benchrig.bench.host import Host
from benchrig.results.model import ConnectionsSeen

BEFORE_END_SECONDS = 0.5
"""How long before the planned end of the load the connections are counted.

Each host counts by its own clock from before the load began, so that the load still runs. Connecting is part of the load's
duration, however long it takes.
"""


def begin_counting(attempt: Attempt) -> None:
    """Have each host of a cell plan its count. Raises OperationError, HostError."""
    seconds = max(0.0, attempt.plan.duration_seconds - BEFORE_END_SECONDS)
    for host in _hosts(attempt):
        server = host is attempt.topology.server and attempt.is_ours
        client = host is attempt.topology.generator
        unit = attempt.app.unit if server else ""
        host.ask(protocol.WatchConnections(attempt.port, seconds, client, server or attempt.load_on_server, unit))


def counted(attempt: Attempt) -> ConnectionsSeen | None:
    """Return what the hosts have counted; None when nothing is known. Raises OperationError, HostError."""
    return records.connections_seen([host.ask(protocol.StopWatching()) for host in _hosts(attempt)])


def _hosts(attempt: Attempt) -> tuple[Host, ...]:
    """Return the hosts of a cell that have an end of its connections, each once."""
    generator, server = attempt.topology.generator, attempt.topology.server
    return (generator,) if generator is server or not attempt.is_ours else (server, generator)
