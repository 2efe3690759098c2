"""Warnings about the load generator and the network in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Generator, LoadThread, Run
from benchrig.results.warnings import Unit, Value, Warning, number

SATURATED = 0.95
"""A thread is saturated that runs, or wants to run, for this share of the time."""

SATURATED_SLEEPLESS = 0.8
"""The same of a thread that slept less than once a second: what is missing was spent in interrupts, or stolen."""

WORKS = 0.1
"""A thread that ran for a smaller share of the time has little to do, however long it waited for its turn."""

WAITING = 0.05
"""From this share of its time on, a saturated thread has waited for a core that others used."""

NETWORK_BOUND = 0.8
"""From this share of the measured bandwidth on, the network may be what bounds the throughput."""

SEGMENT_BYTES = 1448
"""What a TCP packet carries on a network whose packets have 1500 bytes."""

HEADER_BYTES = 66
"""Ethernet, IPv4 and TCP with its timestamps, of each packet."""

DELAYED_ACK_US = 40_000
"""How long Linux waits for a reply that can carry the acknowledgement of its request."""


def _saturated(cell: Cell, _: Run) -> Iterator[Warning]:
    generator = cell.generator
    if generator is None:
        return
    values = _of_threads(generator, cell.threads) if generator.threads else _of_process(cell, generator)
    if values:
        host = next((other.host for other in cell.beside if other.generator), cell.host if cell.load_on_server else "")
        yield Warning(Code.GENERATOR_SATURATED, host, values, invalid=True)


def _of_threads(generator: Generator, threads: int) -> Mapping[str, Value]:
    """Return the values of saturated threads; none where no thread is saturated.

    A thread that shares a core never runs all the time. Whether it wants to, its time in the run queue says: a thread that
    waits for replies sleeps, and one that has some to read waits for its turn.
    """
    longest = max(one.seconds for one in generator.threads)
    # A thread that was seen for a moment only, and one that others kept from its little work, are not the bottleneck.
    judged = [one for one in generator.threads if one.seconds > longest / 2 and one.cpu_seconds >= WORKS * one.seconds]
    saturated = [one for one in judged if _wants_all(one)]
    if not saturated:
        return {}
    busy = max(one.cpu_seconds / one.seconds for one in saturated)
    waited = min(one.wait_seconds / one.seconds for one in saturated)
    return {
        "case": "threads" if waited < WAITING else "waiting",
        "saturated": number(len(saturated)),
        "threads": number(threads),
        "busy": number(100 * busy, Unit.PERCENT),
    }


def _wants_all(thread: LoadThread) -> bool:
    """Say whether a thread runs or wants to run all the time: the kernel's times say so, or that it hardly ever slept."""
    wanted = (thread.cpu_seconds + thread.wait_seconds) / thread.seconds
    return wanted >= (SATURATED_SLEEPLESS if thread.sleeps <= thread.seconds else SATURATED)


def _of_process(cell: Cell, generator: Generator) -> Mapping[str, Value]:
    """Return the values of a saturated process, where nothing is known of its threads."""
    usable = min(cell.threads, cell.cores)
    busy = generator.cpu_seconds / generator.wall_seconds / usable if usable and generator.wall_seconds else 0.0
    if busy < SATURATED:
        return {}
    return {"case": "process", "busy": number(100 * busy, Unit.PERCENT), "cores": number(usable)}


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
