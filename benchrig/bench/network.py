"""What lies between the load host and the server when they are two machines: measured before anything is loaded."""

from __future__ import annotations

from benchrig import console
from benchrig.agent import bench_protocol as ask
from benchrig.bench.host import Pair
from benchrig.errors import HostError
from benchrig.results.model import Network


def measure(pair: Pair, address: str, port: int) -> Network | None:
    """Measure between a load host and the server that it finds at `address`.

    It is done on the app's `port`, which the load has to reach anyway, or on another where a program holds it. Return None
    where both are one machine, or where another port was tried and is closed to the load host. Raises HostError when the
    load host cannot reach the app's port: then no row could be measured.
    """
    if pair.server is pair.generator:
        return None
    load_host, server = pair.generator.name, pair.server.name
    console.status(f"{load_host} to {server}: measuring the network")
    listening = pair.server.ask(ask.OpenNetwork(port))
    try:
        found = pair.generator.ask(ask.MeasureNetwork(address, listening.port, listening.word))
    finally:
        pair.server.ask(ask.CloseNetwork())
    if not found.error:
        network = Network(load_host, server, found.rtt_us_median, found.rtt_us_p99, found.bandwidth_bits_per_second)
        console.line(network.line)
        return network
    wrong = f"{load_host} cannot reach {server} at {address}, port {listening.port}: {found.error}"
    if listening.port == port:
        hint = f"Where it finds it is benchrig_address of {server}, else its ansible_host; is a firewall between them?"
        raise HostError(wrong, hint)
    console.warn(f"the network was not measured: {wrong}")
    return None
