"""Records of the networks between the machines of a run."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.language import say
from benchrig.units import bits_per_second, microseconds


@dataclass(frozen=True)
class Network:
    """The network between the load generator's machine and a server, measured when the run began."""

    load_host: str
    server: str
    rtt_us_median: float
    """Round-trip time of a small message over TCP, in microseconds, with what both ends' programs need for it."""
    rtt_us_p99: float
    bandwidth_bits_per_second: float
    """What one TCP connection carries from the server to the load host, as replies go."""

    @property
    def line(self) -> str:
        """It in words: `load1 to server1: round trip 85 µs (p99 140 µs), 9.41 Gbit/s`."""
        return _line(self, self.load_host, self.server)


@dataclass(frozen=True)
class DatabaseNetwork:
    """The network between a server and the database's machine, measured when the run began."""

    server: str
    database: str
    """The database's machine."""
    rtt_us_median: float
    rtt_us_p99: float
    bandwidth_bits_per_second: float
    """What one TCP connection carries from the database's machine to the server, as rows go."""

    @property
    def line(self) -> str:
        """It in words, as that of a Network."""
        return _line(self, self.server, self.database)


def _line(network: Network | DatabaseNetwork, one: str, other: str) -> str:
    return say(
        "{one} to {other}: round trip {median} (p99 {p99}), {bandwidth}",
        one=one,
        other=other,
        median=microseconds(network.rtt_us_median),
        p99=microseconds(network.rtt_us_p99),
        bandwidth=bits_per_second(network.bandwidth_bits_per_second),
    )
