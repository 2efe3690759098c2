"""Records of the connections that were really there, counted by the kernels of both ends shortly before the load ended."""

from __future__ import annotations

from dataclasses import dataclass


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
    """The load host's ends of the connections. None: not known."""

    established: int | None
    unanswered: int | None
    """Of them, those that never carried a byte of a reply."""
    opened: int
    """Connections that the load host began during the load, to any port."""
    time_wait: int | None
    """Closed connections whose local ports were still held; None also where they were too few to matter."""
    local_ports: int
    """How many local ports the load host has."""
    received_bytes: int | None = None
    """What all of the established had received."""
    changing: int | None = None
    """Connections that were being opened, or that the server had closed and the load generator had not."""
    silences: tuple[Silence, ...] | None = None
    """Those that had got nothing of late, by rising times, up to the longest of any. A new one counts from its start."""
    segments: Segments | None = None
    """The spread between connections; None also where there were none."""


@dataclass(frozen=True)
class ServerEnd:
    """The server's ends of the connections. None: not known."""

    established: int | None
    unaccepted: int | None
    """Of them, those that the app had not accepted."""
    opened: int
    """Connections that came to the server during the load, to any port."""
    time_wait: int | None


@dataclass(frozen=True)
class Descriptors:
    """Open descriptors of an app: of the process that was nearest to its limit, and of all its processes together."""

    most: int
    limit: int
    """Of that process; 0: not known."""
    total: int


@dataclass(frozen=True)
class ConnectionsSeen:
    """The connections of a cell, by what each end can tell. None: not known."""

    client: ClientEnd | None = None
    server: ServerEnd | None = None
    """None also of a server that is not ours to look at."""
    descriptors: Descriptors | None = None
    cpu_seconds: float = 0.0
    """CPU time that counting took, on both ends together."""

    @property
    def served(self) -> int | None:
        """Connections that were there and had been answered at least once; None: not known."""
        client = self.client
        if client is None or client.established is None or client.unanswered is None:
            return None
        return client.established - client.unanswered
