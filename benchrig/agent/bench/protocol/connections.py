"""Operations that count the connections of a load in the kernel, shortly before the load ends."""

from __future__ import annotations

from dataclasses import dataclass

from .operation import Done, Operation


@dataclass(frozen=True)
class WatchConnections(Operation[Done]):
    """Begin to watch the connections to `port`, and count them once, `seconds` from now.

    `client`, `server`: which ends are on this host. `unit` is the app's, whose descriptors are counted; empty: none.
    """

    port: int
    seconds: float
    client: bool
    server: bool
    unit: str = ""


@dataclass(frozen=True)
class Silence:
    """Connections of the load host that had got no data for a time or longer."""

    seconds: float
    connections: int
    unanswered: int
    """Of them, those that never got any."""


@dataclass(frozen=True)
class Segments:
    """How many segments with data had come on a connection: a measure of its replies."""

    least: int
    p10: int
    median: int
    most: int
    few: int
    """Connections that had got less than a fifth of the median."""


@dataclass(frozen=True)
class ClientEnd:
    """The load host's ends of the connections. None: the kernel does not tell."""

    established: int | None
    unanswered: int | None
    """Of them, those that never carried a byte of a reply."""
    opened: int
    """Connections that this host has begun during the load, to any port."""
    time_wait: int | None
    """Closed connections whose local ports are still held; None also where they are too few to matter."""
    local_ports: int
    received_bytes: int | None = None
    """What all of the established have received."""
    changing: int | None = None
    """Connections that were being opened, or that the server had closed and the load generator had not."""
    silences: tuple[Silence, ...] | None = None
    """Those that had got nothing of late, by rising times, up to the longest of any. A new one counts from its start."""
    segments: Segments | None = None
    """The spread between connections; None also where there were none."""


@dataclass(frozen=True)
class ServerEnd:
    """The server's ends of the connections. None: the kernel does not tell."""

    established: int | None
    unaccepted: int | None
    """Of them, those that the app has not accepted."""
    opened: int
    """Connections that came to this host during the load, to any port."""
    time_wait: int | None


@dataclass(frozen=True)
class Descriptors:
    """Open descriptors of an app: of the process that is nearest to its limit, and of all processes together."""

    most: int
    limit: int
    total: int


@dataclass(frozen=True)
class ConnectionsSeen:
    """What was counted, by the end that is on this host. Where the count came too late, connections are not known."""

    client: ClientEnd | None = None
    server: ServerEnd | None = None
    descriptors: Descriptors | None = None
    cpu_seconds: float = 0.0
    """CPU time that the count took."""


@dataclass(frozen=True)
class StopWatching(Operation[ConnectionsSeen]):
    """Stop watching connections, and return what was counted."""
