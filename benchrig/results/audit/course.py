"""Warnings about the course of a load, from its figures: its duration, rate, pauses and end."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchrig.results.audit import bounds
from benchrig.results.audit.latency import CUT_SHARE, SAMPLE_US, stall_limit
from benchrig.results.audit.measured import Measured
from benchrig.results.codes import Code
from benchrig.results.warnings import Number, Unit, Value, Warning, number

EARLY = 0.98
"""A run of less than this share of its duration was interrupted; a load generator itself ends a little late."""

THREAD_SECONDS = 0.005
"""At a constant rate, the clock starts after the threads are made: up to so long for each, and the run ends as asked."""

TOO_EARLY = 0.1
"""What is left of a run that ended before this share of its duration is its beginning."""

OVERRUN = 1.1

IMPOSSIBLE_SECONDS = 1e9
"""No run takes 30 years: the clock was set back, and the difference of two times is printed as a large number."""

CONTRADICTION = 0.02
"""Difference of a rate from what its parts make, beyond their rounding: more than a load generator prints by itself."""

HALF_DIGIT = 0.00501
"""Half of the last digit of a printed rate."""

MISSED = 0.95
"""Below this share of the rate that was asked for, requests waited to be sent."""

CONNECT_SECONDS = 0.005
"""At a constant rate, a thread opens one connection in so long, and each begins to count then."""

QUEUE_SHARE = 0.25
"""A queue that grows all the time makes a mean of half of the last request's wait; some runs lack their beginning."""

QUEUE_UNKNOWN = 1 / 3
"""A mean or median that is this share of the run is a queue's, whatever rate was asked for."""

SPREAD = 0.25
"""Slow replies whose standard deviation is this share of the mean are not all in step."""

BURSTS_FOR_SURE = 2.0
"""A stall factor that neither chance nor replies in step explain where they come at different times."""


def _ran(measured: Measured) -> float | None:
    """Return how long a printed run took; None where the text does not say. It may be 0."""
    return None if "duration" in measured.missing else measured.duration_seconds


def timeless(measured: Measured) -> bool:
    """Return whether a text prints a duration that no run has."""
    ran = _ran(measured)
    return bool(measured.rounded and ran is not None and measured.requests and not 0 < ran < IMPOSSIBLE_SECONDS)


def interrupted(measured: Measured) -> Iterator[Warning]:
    """Hold a text's duration against the one that was asked for."""
    asked, ran = measured.asked_seconds, measured.duration_seconds
    if not (measured.rounded and asked and ran) or timeless(measured):
        return
    values: dict[str, Value] = {
        "ran": number(float(f"{ran:.4g}"), Unit.SECONDS),
        "asked": Number(*asked, Unit.SECONDS),
    }
    least = EARLY * asked[0] - (THREAD_SECONDS * measured.threads if measured.open_loop else 0.0)
    if ran < least:
        yield Warning(Code.INTERRUPTED, values=values, invalid=ran < TOO_EARLY * asked[0])
    elif ran > OVERRUN * asked[1] + 1:
        yield Warning(Code.OVERRUN, values=values)


def contradiction(measured: Measured) -> Iterator[Warning]:
    """Compare both rates with what they are made of."""
    if timeless(measured):
        times: dict[str, Value] = {
            "case": "clock" if measured.duration_seconds else "no_time",
            "requests": number(measured.requests),
            "ran": number(float(f"{measured.duration_seconds:.4g}"), Unit.SECONDS),
        }
        yield Warning(Code.RATE_IMPOSSIBLE, values=times, invalid=True)
        return
    if not measured.duration_seconds:
        return
    half = bounds.half_digit(1e3 * measured.duration_seconds) / 1e3 if measured.rounded else 0.0
    digit = HALF_DIGIT if measured.rounded else 0.0
    shortest, longest = max(1e-6, measured.duration_seconds - half), measured.duration_seconds + half
    # Where an article gives no count, it is made of its throughput, and rounded.
    counted = (max(0.0, measured.requests - 0.5), measured.requests + 0.5)
    amount, rate = measured.bytes, measured.bytes_per_second
    pairs = [("requests", counted, float(measured.requests), measured.requests_per_second, Unit.REQUESTS_PER_SECOND)]
    pairs = [] if "requests" in measured.missing else pairs
    if amount is not None and rate is not None:
        pairs.append(("bytes", (amount, amount), amount, rate, Unit.BYTES))
    for case, (low, high), about, printed, unit in pairs:
        least = low / longest * (1 - CONTRADICTION) - digit
        if not least <= printed <= high / shortest * (1 + CONTRADICTION) + digit:
            computed = number(about / measured.duration_seconds, unit)
            values: dict[str, Value] = {"case": case, "computed": computed, "rate": number(printed, unit)}
            yield Warning(Code.RATE_IMPOSSIBLE, values=values, invalid=True)


def rate_missed(measured: Measured) -> Iterator[Warning]:
    """Detect that requests waited for their turn, so that their latency is that of a queue.

    At a constant rate, latency counts from the time at which a request was to be sent.
    """
    ran, asked, reached = measured.duration_seconds, measured.asked_rate, measured.requests_per_second
    if not (measured.open_loop and ran) or timeless(measured):
        return
    typical = max(measured.latency_mean_ms, measured.percentiles_ms.get("50", 0.0)) / 1e3
    latency = number(float(f"{typical:.4g}"), Unit.SECONDS)
    if not asked:
        if typical >= QUEUE_UNKNOWN * ran:
            values: dict[str, Value] = {"case": "unknown", "latency": latency, "ran": number(ran, Unit.SECONDS)}
            yield Warning(Code.RATE_MISSED, values=values, invalid=True)
        return
    opening = CONNECT_SECONDS * measured.connections / (measured.threads or 1) / 2 / ran
    if 0 < reached < (MISSED - opening) * asked:
        queue = (1 - reached / asked) * ran
        grows = typical >= QUEUE_SHARE * queue
        values = {
            "case": "queue" if grows else "",
            "reached": number(reached, Unit.REQUESTS_PER_SECOND),
            "asked": number(asked, Unit.REQUESTS_PER_SECOND),
            **({"latency": latency, "ran": number(ran, Unit.SECONDS)} if grows else {}),
        }
        yield Warning(Code.RATE_MISSED, values=values, invalid=grows)


def cut_by_end(measured: Measured) -> Iterator[Warning]:
    """Detect replies that took so much of the run that others like them came after its end, and are nowhere."""
    ran, asked, timeout = measured.duration_seconds, measured.asked_seconds, measured.timeout_seconds
    slowest, limit = measured.latency_max_ms / 1e3, CUT_SHARE * ran
    if not ran or slowest < limit or any(rate_missed(measured)):
        return
    planned = asked[0] if asked and asked[0] == asked[1] else ran
    late = timeout is not None and timeout >= planned
    values: dict[str, Value] = {
        "case": "late" if late else "slow",
        "slowest": number(round(slowest, 2), Unit.SECONDS),
        "duration": number(round(ran, 2), Unit.SECONDS),
        **({} if timeout is None else {"timeout": number(timeout, Unit.SECONDS)}),
    }
    # When one reply in a hundred took as long, p99 is the length of the run. A corrected p99 proves nothing.
    invalid = (measured.latency_as_measured_p99_ms or 0.0) >= 1e3 * limit
    yield Warning(Code.CUT_BY_END, values=values, invalid=invalid)


def bursts(measured: Measured) -> Iterator[Warning]:
    """Compare the throughput of a text while replies came with that of the whole time; our own rows tell more of it."""
    threads, rate, ran = measured.threads, measured.requests_per_second, measured.duration_seconds
    if measured.open_loop or not (threads and rate and ran and measured.threads_rate):
        return
    factor = threads * measured.threads_rate / rate
    limit = _burst_limit(measured, rate / threads * SAMPLE_US / 1e6)
    if limit is not None and factor > limit:
        yield Warning(Code.STALLED, values={"case": "bursts", "factor": number(factor, Unit.TIMES)})


def _burst_limit(measured: Measured, in_sample: float) -> float | None:
    """Return the highest stall factor without a stall; None where a text does not tell."""
    mean, stdev = measured.latency_mean_ms, measured.latency_stdev_ms
    typical = 1e3 * (measured.percentiles_ms.get("50") or mean)
    if limit := stall_limit(typical, in_sample, 1e6 * measured.duration_seconds):
        return limit
    # Few replies, or slow ones: what is no chance must be large, and such replies must come at different times.
    in_step = typical >= SAMPLE_US and (stdev is None or stdev < SPREAD * mean)
    return BURSTS_FOR_SURE / (1 - math.exp(-in_sample)) if in_sample >= 1 and not in_step else None
