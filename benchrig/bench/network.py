"""The network probe between two machines of a topology, run before any load."""

from __future__ import annotations

from benchrig import console
from benchrig.agent.bench import protocol
from benchrig.bench.host import AgentHost, Pair
from benchrig.errors import HostError
from benchrig.results.model import DatabaseNetwork, Network


def measure(pair: Pair, address: str, port: int) -> Network | None:
    """Measure between a load host and the server that it finds at `address`.

    It uses the app's `port`, which the load has to reach anyway, or another one if a program holds it. Returns None
    where both are one machine, or where another port was tried and is closed to the load host. Raises HostError when the
    load host cannot reach the app's port: then no row could be measured.
    """
    found = _measure(pair.generator, pair.server, address, port)
    if found is None:
        return None
    between = Network(pair.generator.name, pair.server.name, *found)
    console.line(between.line)
    return between


def measure_database(server: AgentHost, database: AgentHost, address: str, port: int) -> DatabaseNetwork | None:
    """Measure between a server and the machine of the database, which it finds at `address`, as `measure` does.

    Where PostgreSQL runs already, it holds its `port`, and another is tried.
    """
    found = _measure(server, database, address, port)
    if found is None:
        return None
    between = DatabaseNetwork(server.name, database.name, *found)
    console.line(between.line)
    return between


def _measure(near: AgentHost, far: AgentHost, address: str, port: int) -> tuple[float, float, float] | None:
    """Return the round-trip times (median, p99) and the bandwidth between two machines; None as `measure` does."""
    if near is far:
        return None
    console.status(f"{near.name} to {far.name}: measuring the network")
    listening = far.ask(protocol.OpenNetwork(port))
    try:
        found = near.ask(protocol.MeasureNetwork(address, listening.port, listening.word))
    finally:
        far.ask(protocol.CloseNetwork())
    if not found.error:
        return found.rtt_us_median, found.rtt_us_p99, found.bandwidth_bits_per_second
    wrong = f"{near.name} cannot reach {far.name} at {address}, port {listening.port}: {found.error}"
    if listening.port == port:
        hint = f"The address is benchrig_address of {far.name}, else its ansible_host. Is a firewall between them?"
        raise HostError(wrong, hint)
    console.warn(f"the network was not measured: {wrong}")
    return None
