"""Little's law over the figures of a text, and the connections that it rests on; `little.py` knows more of our own rows."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit.connections import TURNS
from benchrig.results.audit.course import bursts
from benchrig.results.audit.little import CORRECTED, STRONG, Law, tolerance
from benchrig.results.audit.measured import Measured
from benchrig.results.codes import Code
from benchrig.results.warnings import Unit, Value, Warning, number

STALL = 0.1
"""A reply that takes this share of the run is no slow reply, but a time in which nothing was answered."""

FASTEST_THREAD = 200_000
"""Requests a second of one thread that are only reached with pipelining: else each request takes three system calls."""

BUSY_THREAD = 40_000
"""Requests a second of one thread from which on its own work may take as long as the replies that it waits for."""

BUSY = 0.5
"""Share of all time that this work may take. It is in no latency."""

CONNECTING = 2.0
"""From this factor on, late replies explain a low mean; below it, the time to connect may do so alone."""

DEEPEST = 512
"""A mean that is more than so many times too high is not explained by pipelining."""

SHALLOW = 1.5
"""The same of a mean that is less than so many times too high."""

FAR_OFF = 10
"""A slowest reply of so many times the mean: a few slow replies made the mean, as the correction repeats them."""

FEWER = 0.95
"""Below this share of the connections that were asked for, the row is one of another load."""

RETRIED = 1.25
"""With so many times more busy connections than failures leave over, connections were tried again and made."""


def little(measured: Measured) -> Iterator[Warning]:
    """Hold the mean against Little's law as far as a text permits it."""
    mean, rate = measured.latency_mean_ms, measured.requests_per_second
    if not (measured.always_busy and not measured.open_loop and measured.connections and rate and mean):
        return
    least, most = _expected_ms(measured)
    law = Law(measured.connections, mean_seconds=mean / 1e3, duration_seconds=measured.duration_seconds)
    # The time that the load generator needs itself is in no latency: at such rates, it is a share of all time.
    busy = max(0.0, _of_thread(measured) - BUSY_THREAD) / FASTEST_THREAD
    allowed = max(tolerance(law) + busy, CORRECTED if measured.errors.connect else 0.0)
    if mean < (1 - allowed) * least:
        yield _understated(measured, least / mean, allowed)
    elif mean > (1 + CORRECTED) * most:
        factor = number(mean / most, Unit.TIMES)
        if measured.pipeline is None and _may_pipeline(measured, most):
            yield Warning(Code.PIPELINING_UNKNOWN, values={"factor": factor})
        else:
            yield Warning(Code.LITTLES_LAW, values={"case": "overstated", "factor": factor})


def _understated(measured: Measured, factor: float, allowed: float) -> Warning:
    """Return what a low mean says: which connections it leaves out, as far as the other figures tell."""
    values: dict[str, Value] = {"factor": number(factor, Unit.TIMES)}
    batches = _of_thread(measured)
    if batches >= BUSY_THREAD:
        if 1 / factor >= 1 - max(allowed, BUSY):
            each = number(batches, Unit.REQUESTS_PER_SECOND)
            return Warning(Code.GENERATOR_SATURATED, values={"case": "rate", "each": each, **values})
        return Warning(Code.LITTLES_LAW, values={"case": "unexplained", **values})
    # What connects anew is in no latency either, and no text says whether the server closes its connections.
    late = measured.errors.timeout > 0 and factor >= CONNECTING
    if not (late or any(bursts(measured))):
        return Warning(Code.LITTLES_LAW, values={"case": "unexplained", **values})
    strong = 1 / factor < 1 - STRONG * allowed and measured.requests >= TURNS * measured.connections
    return Warning(Code.LITTLES_LAW, values={"case": "understated", **values}, invalid=strong)


def _of_thread(measured: Measured) -> float:
    """Return how many requests, or batches of them, a thread sent in a second; 0 where it is not known."""
    return measured.requests_per_second / measured.threads / (measured.pipeline or 1) if measured.threads else 0.0


def stalled(measured: Measured) -> Iterator[Warning]:
    """Detect a reply that took so much of the run that the correction made most latencies from it."""
    ran, longest = measured.duration_seconds, measured.latency_max_ms / 1e3
    overstated = any(one.values["case"] == "overstated" for one in little(measured) if one.code is Code.LITTLES_LAW)
    if overstated and ran and longest >= STALL * ran:
        values: dict[str, Value] = {
            "case": "slowest",
            "max": number(measured.latency_max_ms, Unit.MILLISECONDS),
            "share": number(100 * longest / ran, Unit.PERCENT),
        }
        yield Warning(Code.STALLED, values=values)


def _expected_ms(measured: Measured) -> tuple[float, float]:
    """Return the least and the most that the mean can be, by the connections that were there and the work that they did.

    With pipelining, the last reply of each batch is timed: a mean of `depth` requests' time. The correction adds shorter
    latencies, and those below the shortest measured one are counted and not added up. So the mean may be as low as without
    pipelining; of batches that differ, it may be higher.
    """
    errors, rate = measured.errors, measured.requests_per_second
    opened = _opened(measured)
    there = opened - errors.connect if errors.connect < opened and not _retried(measured) else opened
    # A connection that broke was busy, for a request that is not counted.
    broken = (errors.read + errors.write) / measured.duration_seconds if measured.duration_seconds else 0.0
    least, most = 1e3 * there / (rate + broken), 1e3 * opened / rate
    depth = measured.pipeline or 1
    return least, most if depth == 1 else 2 * depth * most


def _opened(measured: Measured) -> int:
    """Return how many connections are opened: as many for each thread."""
    threads = measured.threads
    return measured.connections // threads * threads if 0 < threads <= measured.connections else measured.connections


def _retried(measured: Measured) -> bool:
    """Return whether failures to connect were repeated attempts, of which each counts: more connections were busy."""
    busy = measured.latency_mean_ms / 1e3 * measured.requests_per_second
    left = measured.connections - measured.errors.connect
    # Above all connections, the mean is no measure of them.
    known = measured.rounded and not measured.open_loop and busy <= (1 + CORRECTED) * measured.connections
    return known and busy > RETRIED * left


def _may_pipeline(measured: Measured, expected_ms: float) -> bool:
    """Return whether pipelining may explain a high mean; else it comes from some replies much slower than the others.

    With pipelining most replies take several requests' time, the median too.
    """
    mean = measured.latency_mean_ms
    if measured.threads and measured.requests_per_second / measured.threads > FASTEST_THREAD:
        return True
    if not SHALLOW * expected_ms <= mean <= DEEPEST * expected_ms or measured.errors.timeout:
        return False
    if median := measured.percentiles_ms.get("50"):
        return median >= 2 * expected_ms
    stdev = measured.latency_stdev_ms
    return stdev is not None and stdev <= 2 * mean and measured.latency_max_ms < FAR_OFF * mean


def fewer(measured: Measured) -> Iterator[Warning]:
    """Detect that the load had fewer connections than were asked for."""
    failed, asked, opened = measured.errors.connect, measured.connections, _opened(measured)
    if 0 < failed < asked and not _retried(measured):
        values: dict[str, Value] = {"case": "connect", "failed": number(failed), "connections": number(asked)}
        yield Warning(Code.FEWER_CONNECTIONS, values=values)
    if opened < FEWER * asked:
        yield Warning(
            Code.FEWER_CONNECTIONS, values={"case": "threads", "opened": number(opened), "connections": number(asked)}
        )


def connect_errors(measured: Measured) -> tuple[str, int]:
    """Return the failures to connect that were no connections too few, and whether others took their place."""
    failed, asked = measured.errors.connect, measured.connections
    if 0 < failed < asked and measured.requests:
        return ("retried", failed) if _retried(measured) else ("connect", 0)
    return "connect", failed
