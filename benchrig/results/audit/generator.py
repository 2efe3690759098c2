"""Warnings about the load generator and the network in front of it."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Unit, Value, Warning, number

SATURATED = 0.95

NETWORK_BOUND = 0.8
"""From this share of the measured bandwidth on, the network may be what bounds the throughput."""

SEGMENT_BYTES = 1448
"""What a TCP packet carries on a network whose packets have 1500 bytes."""

HEADER_BYTES = 66
"""Ethernet, IPv4 and TCP with its timestamps, of each packet."""

DELAYED_ACK_US = 40_000
"""How long Linux waits for a reply that can carry the acknowledgement of its request."""


def _saturated(cell: Cell, _: Run) -> Iterator[Warning]:
    generator, usable = cell.generator, min(cell.threads, cell.cores)
    if not (generator and usable and generator.wall_seconds):
        return
    busy = generator.cpu_seconds / generator.wall_seconds / usable
    if busy >= SATURATED:
        values = {"busy": number(100 * busy, Unit.PERCENT), "cores": number(usable)}
        host = next((other.host for other in cell.beside if other.generator), cell.host if cell.load_on_server else "")
        yield Warning(Code.GENERATOR_SATURATED, host, values, invalid=True)


def _network(cell: Cell, run: Run) -> Iterator[Warning]:
    """Compare what the replies took of the network with what one stream carried; both count the headers of packets.

    A reply has a packet of its own at least, so that small replies fill a network long before their bytes do. Before a slow
    reply, another packet has acknowledged the request.
    """
    load, network = cell.load, run.network_to(cell.host)
    if not (network and load and load.duration_us):
        return
    packets = max(load.requests, load.bytes / SEGMENT_BYTES)
    packets += load.requests if load.latency.mean_us > DELAYED_ACK_US else 0
    used = 8 * (load.bytes + HEADER_BYTES * packets) / (load.duration_us / 1e6)
    carried = network.bandwidth_bits_per_second * (1 + HEADER_BYTES / SEGMENT_BYTES)
    if used >= NETWORK_BOUND * carried:
        values: dict[str, Value] = {
            "used": number(used, Unit.BITS_PER_SECOND),
            "share": number(100 * used / carried, Unit.PERCENT),
            "server": network.server,
            "load_host": network.load_host,
        }
        yield Warning(Code.NETWORK_BOUND, network.server, values)


DETECTORS: tuple[Detector, ...] = (_saturated, _network)
