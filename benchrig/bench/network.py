"""What lies between the load host and the server when they are two machines: measured before anything is loaded."""

from __future__ import annotations

from benchrig import console
from benchrig.agent import bench_protocol as ask
from benchrig.bench.cell import Ends
from benchrig.errors import HostError
from benchrig.results.model import Network


def measure(ends: Ends, port: int) -> Network | None:
    """Measure between the ends, on the app's port, which the load has to reach anyway; on another where a program holds it.

    Return None where there is no network in between, or where another port was tried and is closed to the load host. Raises
    HostError when the load host cannot reach the app's port: then no row could be measured.
    """
    if ends.shared:
        return None
    between = f"{ends.generator_name} to {ends.server_name}"
    console.status(f"{between}: measuring the network")
    listening = ends.server.ask(ask.OpenNetwork(port))
    try:
        found = ends.generator.ask(ask.MeasureNetwork(ends.address, listening.port, listening.word))
    finally:
        ends.server.ask(ask.CloseNetwork())
    if not found.error:
        network = Network(
            ends.generator_name,
            ends.server_name,
            found.rtt_us_median,
            found.rtt_us_p99,
            found.bandwidth_bits_per_second,
        )
        console.line(network.line)
        return network
    wrong = f"{ends.generator_name} cannot reach {ends.server_name} at {ends.address}, port {listening.port}: {found.error}"
    if listening.port == port:
        hint = (
            f"Where it finds it is benchrig_address of {ends.server_name}, else its ansible_host; "
            "is a firewall between them?"
        )
        raise HostError(wrong, hint)
    console.warn(f"the network was not measured: {wrong}")
    return None
