"""Records of the networks between the machines of a run."""

from __future__ import annotations

from dataclasses import dataclass

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
        return f"{self.load_host} to {self.server}: {_between(self)}"


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
        return f"{self.server} to {self.database}: {_between(self)}"


def _between(network: Network | DatabaseNetwork) -> str:
    trip = f"round trip {microseconds(network.rtt_us_median)} (p99 {microseconds(network.rtt_us_p99)})"
    return f"{trip}, {bits_per_second(network.bandwidth_bits_per_second)}"
