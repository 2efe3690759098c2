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
"""A thread that ran for a smaller share of the time has little to do, even if it waited for a core all the rest of it.

That happens on a busy machine: others hold the core for milliseconds at each of its turns, and replies come meanwhile, so it
always wants a further one. It is starved, and not the bottleneck: `disturbed` and `no_idle_cpu` tell of the others.
"""

WAITING = 0.05
"""From this share of its time on, a saturated thread has waited for a core that other threads used."""

SHORTEST_SECONDS = 0.01
"""Nothing is said of a thread that was seen for a shorter time."""

MOST_OF_ITS_TIME = 2.0
"""A thread cannot run or wait for longer than it was seen, but for the steps in which the kernel counts."""

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
    values = _of_threads(cell, generator) if generator.threads else _of_process(cell, generator)
    if values:
        host = next((other.host for other in cell.beside if other.generator), cell.host if cell.load_on_server else "")
        yield Warning(Code.GENERATOR_SATURATED, host, values, invalid=True)


def _of_threads(cell: Cell, generator: Generator) -> Mapping[str, Value]:
    """Return the values of saturated threads; none where no thread is saturated.

    A thread that shares a core never runs all the time. Whether it wants to, its time in the run queue says: a thread that
    waits for replies sleeps, and one that has some to read waits for its turn.
    """
    possible = [one for one in generator.threads if _is_possible(one)]
    longest = max((one.seconds for one in possible), default=0.0)
    # A thread that was seen for a moment only, and one that others kept from its little work, are not the bottleneck.
    judged = [one for one in possible if one.seconds > longest / 2 and one.cpu_seconds >= WORKS * one.seconds]
    saturated = [one for one in judged if _wants_all(one)]
    if not saturated:
        return {}
    busy = max(one.cpu_seconds / one.seconds for one in saturated)
    waited = min(one.wait_seconds / one.seconds for one in saturated)
    values: dict[str, Value] = {
        "case": "threads",
        "saturated": number(len(saturated)),
        "threads": number(cell.threads),
        "busy": number(100 * busy, Unit.PERCENT),
    }
    if waited >= WAITING:
        cores = _cores(cell)
        crowded = 0 < cores < cell.threads
        values |= {"case": "crowded", "cores": number(cores)} if crowded else {"case": "waiting"}
    return values


def _is_possible(thread: LoadThread) -> bool:
    """Say whether a thread can have had such times: they are what a host says."""
    most = MOST_OF_ITS_TIME * thread.seconds
    return thread.seconds >= SHORTEST_SECONDS and 0 <= thread.cpu_seconds <= most and 0 <= thread.wait_seconds <= most


def _cores(cell: Cell) -> int:
    """Return how many cores the load generator could use: those that it was pinned to, or all of its machine."""
    cpus = cell.pinned.get("load generator", "")
    try:
        ends = [[int(end) for end in part.split("-")] for part in cpus.split(",") if part]
    except ValueError:
        return cell.cores
    return sum(part[-1] - part[0] + 1 for part in ends) or cell.cores


def _wants_all(thread: LoadThread) -> bool:
    """Say whether a thread runs or wants to run all the time: the kernel's times say so, or that it hardly ever slept."""
    wanted = (thread.cpu_seconds + thread.wait_seconds) / thread.seconds
    return wanted >= (SATURATED_SLEEPLESS if thread.sleeps <= thread.seconds else SATURATED)


def _of_process(cell: Cell, generator: Generator) -> Mapping[str, Value]:
    """Return the values of a saturated process, where nothing is known of its threads."""
    usable = min(cell.threads, _cores(cell))
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
    if not (network and network.bandwidth_bits_per_second > 0 and load and load.duration_us):
        return
    packets = max(load.requests, load.bytes / SEGMENT_BYTES)
    packets += load.requests if (load.measured or load.latency).mean_us > DELAYED_ACK_US else 0
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
