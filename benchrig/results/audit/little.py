"""Little's law: connections that are always busy = throughput x mean latency.

Source: J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961).

A mean may be too low by what the law counts and no latency has: the time until all connections are made, the requests that
were under way at the end, and the CPU time that the load generator itself needs between a reply and the next request.
`tolerance` adds up the three. It can never be too high, unless requests are pipelined or a generator's correction added
latencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchrig.results.audit.connections import closes, connections_there, opened_again
from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Generator, Run
from benchrig.results.warnings import Unit, Value, Warning, number

MARGIN = 0.05
"""Accepted in any case."""

RAMP_SECONDS = 0.1
RAMP_SECONDS_EACH = 1e-4
"""How long it takes to make the connections: at all, and for each."""

RAMP_SECONDS_UNKNOWN = 0.3
"""The same for figures of which nothing else is known."""

CORRECTED = 0.25
"""Accepted of a mean that a correction may have raised."""

STRONG = 2.0
"""A violation of so many times the tolerance, or of the least mean that it accepts, makes the values invalid."""


@dataclass(frozen=True)
class Law:
    """What the law is about."""

    connections: int
    """Those that took part, where that is known."""
    mean_seconds: float
    duration_seconds: float
    """0: not known, and judged as a short run."""
    stdev_seconds: float | None = None
    """Of the latencies; None: not known."""
    busy: float | None = None
    """Share of the load that the generator's threads used CPU; None: not known, as of a published text."""


def tolerance(law: Law) -> float:
    """Return by which share a mean may be lower than the law says."""
    mean, seconds = law.mean_seconds, law.duration_seconds or 1.0
    if law.busy is None:
        return MARGIN + (RAMP_SECONDS_UNKNOWN + mean) / seconds
    # The requests under way at the end are as old, on average, as half of a reply that is met at a random time.
    stdev = mean if law.stdev_seconds is None else law.stdev_seconds
    under_way = (mean * mean + stdev * stdev) / (2 * mean)
    ramp = RAMP_SECONDS + RAMP_SECONDS_EACH * law.connections
    return MARGIN + law.busy + (ramp + under_way) / seconds


def is_strong(factor: float, allowed: float) -> bool:
    """Tell whether a mean of so many times what the law says is no longer the mean of the load."""
    return factor < max(1 - STRONG * allowed, (1 - allowed) / STRONG)


def _little(cell: Cell, _: Run) -> Iterator[Warning]:
    """Hold the mean of a row against the connections that were answered; those that were not have a warning of their own.

    A server that closes its connections is left out: the time to make new ones is in no latency.
    """
    load, generator = cell.load, cell.generator
    latency = (load.measured or load.corrected) if load else None
    if not (load and latency and load.requests_per_second and latency.mean_us > 0 and cell.connections > 0):
        return
    if load.pauses or closes(cell):
        return
    law = Law(
        # One that waits in a long queue has a part, answered or not: its latency is missing.
        connections=connections_there(cell) or cell.connections,
        mean_seconds=latency.mean_us / 1e6,
        duration_seconds=cell.duration_seconds,
        stdev_seconds=latency.stdev_us / 1e6,
        busy=_busy(generator, cell.threads) if generator and cell.threads else None,
    )
    # Of requests that are sent at once, the latency is that of the last reply.
    mean = latency.mean_us / 1e6 * load.requests_per_second / (load.depth or 1)
    factor, allowed = mean / law.connections, tolerance(law)
    if factor < 1 - allowed:
        # Of older runs it is not known whether the server closed its connections. Where most had no reply, it is no matter.
        known = opened_again(cell) is not None or load.requests < cell.connections / STRONG
        yield _warning("understated", factor, cell.host, invalid=known and is_strong(factor, allowed))
        return
    # Some may have been answered for the first time after they were counted.
    factor = mean / cell.connections
    if load.measured is None and factor > 1 + CORRECTED:
        yield _warning("overstated", factor, cell.host, invalid=False)
    elif load.measured is not None and factor > 1 + MARGIN:
        yield _warning("impossible", factor, cell.host, invalid=True)


def _busy(generator: Generator, threads: int) -> float | None:
    """Return the share of the load that a generator's threads used a core, where that is known.

    A thread that waits for a core mostly does so while replies wait to be read: that is in their latencies.
    """
    if generator.threads:
        # Each was observed for a time of its own, which may be shorter than the load.
        return sum(one.cpu_seconds / one.seconds for one in generator.threads if one.seconds) / threads
    return generator.cpu_seconds / generator.wall_seconds / threads if generator.wall_seconds else None


def _warning(case: str, factor: float, host: str, *, invalid: bool) -> Warning:
    values: dict[str, Value] = {"case": case, "factor": number(max(factor, 1 / factor), Unit.TIMES)}
    return Warning(Code.LITTLES_LAW, host, values, invalid)


DETECTORS: tuple[Detector, ...] = (_little,)
