"""Warnings that follow from the load generator's figures alone: of our own rows, of published ones, and of pasted texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from benchrig.results.audit import bounds
from benchrig.results.audit.connections import TURNS
from benchrig.results.audit.little import CORRECTED, STRONG, Law, tolerance
from benchrig.results.codes import Code
from benchrig.results.model import LoadErrors
from benchrig.results.warnings import Number, Unit, Value, Warning, number

LATE_SHARE = 0.01
"""From this share of late replies on, p99 is the timeout and not a latency."""

STATUS_SHARE = 0.01
"""From this share of error replies on, p99 may be the latency of an error page, and the rate is that much too high."""

CLOSED_SHARE = 0.01
"""From this share of broken connections on, the server closes them on purpose."""

CEILING = 0.95
"""From this share of connections / sleep on, the waiting bounds the throughput."""

BEYOND_CEILING = 1.1
"""Above this share of it, the app waits less than its app.yml says."""

CLIPPED = 0.99
"""A maximum this close to the timeout is the timeout."""


HISTOGRAM = 0.002
"""Resolution of wrk2's histogram, which keeps three digits of each value."""

STALL = 0.1
"""A reply that takes this share of the run is no slow reply, but a time in which nothing was answered."""

EARLY = 0.98
"""A run of less than this share of its duration was interrupted; a load generator itself ends a little late."""

TOO_EARLY = 0.1
"""What is left of a run that ended before this share of its duration is its beginning."""

OVERRUN = 1.1

CONTRADICTION = 0.02
"""Difference of a rate from what its parts make, beyond their rounding: more than a load generator prints by itself."""

FEWER = 0.95
"""Below this share of the connections that were asked for, the row is one of another load."""

FASTEST_THREAD = 200_000
"""Requests a second of one thread that are only reached with pipelining: else each request takes three system calls."""

BUSY_THREAD = 50_000
"""Requests a second of one thread up to which it mostly waits."""

DEEPEST = 512
"""A mean that is more than so many times too high is not explained by pipelining."""


@dataclass(frozen=True)
class Measured:
    """The values that every result has, a published one too. What is not known is None, or 0 where it says so."""

    connections: int
    """0 where it is not known."""
    requests: int
    requests_per_second: float
    latency_mean_ms: float
    """0 where it is not known, as the maximum."""
    latency_max_ms: float
    timeout_seconds: float | None
    errors: LoadErrors
    sleep_seconds: float = 0.0
    duration_seconds: float = 0.0
    """How long it ran. 0 where it is not known: judged as a short run."""
    always_busy: bool = True
    """A connection sends its next request as soon as it has its reply."""
    host: str = ""
    """The server; empty of published values."""
    pipeline: int | None = 1
    """Requests that a connection sends before it waits for a reply."""
    open_loop: bool = False
    """Requests were sent at a constant rate: Little's law does not apply, and late replies are not left out."""
    threads: int = 0
    """0 where it is not known."""
    asked_seconds: tuple[float, float] | None = None
    """Bounds of the duration that was asked for."""
    latency_stdev_ms: float | None = None
    latency_min_ms: float | None = None
    percentiles_ms: Mapping[str, float] = field(default_factory=dict)
    """By the percentile as text, such as "99"; of the same histogram as mean and maximum."""
    bytes: float | None = None
    bytes_per_second: float | None = None
    rounded: bool = False
    """The values have the digits that the load generator prints."""
    missing: tuple[str, ...] = ()
    """What a text should have and has not."""


def load_warnings(measured: Measured) -> tuple[Warning, ...]:
    """Return the warnings that follow from the load generator's values alone."""
    # A cell of ours without a reply has failed, and is not judged.
    nothing = measured.rounded and not measured.requests and "requests" not in measured.missing
    detectors = (_no_requests, _errors) if nothing else DETECTORS
    return tuple(replace(warning, host=measured.host) for detect in detectors for warning in detect(measured))


def _no_requests(_: Measured) -> Iterator[Warning]:
    yield Warning(Code.NO_REQUESTS, invalid=True)


def _incomplete(measured: Measured) -> Iterator[Warning]:
    if measured.missing:
        yield Warning(Code.INCOMPLETE, values={"missing": measured.missing})


def _interrupted(measured: Measured) -> Iterator[Warning]:
    asked, ran = measured.asked_seconds, measured.duration_seconds
    if not (asked and ran):
        return
    values: dict[str, Value] = {
        "ran": number(float(f"{ran:.4g}"), Unit.SECONDS),
        "asked": Number(*asked, Unit.SECONDS),
    }
    if ran < EARLY * asked[0]:
        yield Warning(Code.INTERRUPTED, values=values, invalid=ran < TOO_EARLY * asked[0])
    elif ran > OVERRUN * asked[1] + 1:
        yield Warning(Code.OVERRUN, values=values)


def _contradiction(measured: Measured) -> Iterator[Warning]:
    """Compare both rates with what they are made of."""
    if not measured.duration_seconds:
        return
    half = bounds.half_digit(1e3 * measured.duration_seconds) / 1e3 if measured.rounded else 0.0
    shortest, longest = max(1e-6, measured.duration_seconds - half), measured.duration_seconds + half
    pairs: tuple[tuple[str, float | None, float | None, Unit], ...] = (
        ("requests", measured.requests, measured.requests_per_second, Unit.REQUESTS_PER_SECOND),
        ("bytes", measured.bytes, measured.bytes_per_second, Unit.BYTES),
    )
    for case, amount, rate, unit in pairs:
        if amount is None or rate is None or case in measured.missing:
            continue
        if not amount / longest * (1 - CONTRADICTION) <= rate <= amount / shortest * (1 + CONTRADICTION):
            computed = number(amount / measured.duration_seconds, unit)
            values: dict[str, Value] = {"case": case, "computed": computed, "rate": number(rate, unit)}
            yield Warning(Code.RATE_IMPOSSIBLE, values=values, invalid=True)


def _status(measured: Measured) -> Iterator[Warning]:
    if failed := measured.errors.status:
        values: dict[str, Value] = {
            "failed": number(failed),
            "requests": number(measured.requests),
            "good": number(max(0, measured.requests - failed)),
        }
        yield Warning(Code.STATUS_ERRORS, values=values, invalid=failed >= STATUS_SHARE * measured.requests)


def _timeouts(measured: Measured) -> Iterator[Warning]:
    if late := measured.errors.timeout:
        values: dict[str, Value] = {"late": number(late), "requests": number(measured.requests)}
        if measured.timeout_seconds is not None:
            values["timeout"] = number(measured.timeout_seconds, Unit.SECONDS)
        else:
            values["case"] = "checks" if measured.open_loop else "unknown"
        yield Warning(Code.TIMEOUTS, values=values)


def _clipped(measured: Measured) -> Iterator[Warning]:
    # The load generator leaves late replies out of its latency values: mean and maximum are those of the quick replies.
    late, timeout = measured.errors.timeout, measured.timeout_seconds
    if measured.open_loop:
        return
    if late or (timeout is not None and measured.latency_max_ms >= CLIPPED * timeout * 1e3):
        invalid = late >= LATE_SHARE * measured.requests
        values: dict[str, Value] = {"case": "unknown"} if timeout is None else {"timeout": number(timeout, Unit.SECONDS)}
        yield Warning(Code.LATENCY_CLIPPED, values=values, invalid=invalid)


def _late_impossible(measured: Measured) -> Iterator[Warning]:
    """Detect more late replies than fit into the run: one that is counted when it comes took the timeout."""
    late, timeout, ran = measured.errors.timeout, measured.timeout_seconds, measured.duration_seconds
    if measured.open_loop or not (measured.rounded and late and timeout and ran and measured.connections):
        return
    # A reply may come a little after the printed end.
    most = min(measured.connections * (ran + 0.3) / timeout, measured.requests)
    if late > most:
        values: dict[str, Value] = {
            "late": number(late),
            "most": number(int(most)),
            "connections": number(measured.connections),
            "timeout": number(timeout, Unit.SECONDS),
        }
        yield Warning(Code.LATE_IMPOSSIBLE, values=values)


def _impossible(measured: Measured) -> Iterator[Warning]:
    yield from bounds.impossible(
        bounds.Latencies(
            mean=measured.latency_mean_ms or None,
            stdev=measured.latency_stdev_ms,
            max=measured.latency_max_ms or None,
            percentiles=measured.percentiles_ms,
            min=measured.latency_min_ms,
            count=measured.requests,
            rounded=measured.rounded,
            resolution=HISTOGRAM if measured.open_loop else 0.0,
        )
    )


def _unanswered(measured: Measured) -> Iterator[Warning]:
    # At a constant rate, a connection may have had nothing to send.
    if measured.requests < measured.connections and not measured.open_loop and "requests" not in measured.missing:
        unanswered = measured.connections - measured.requests
        values = {"unanswered": number(unanswered), "connections": number(measured.connections)}
        yield Warning(Code.UNANSWERED, values=values)


def _ceiling(measured: Measured) -> Iterator[Warning]:
    if not measured.sleep_seconds:
        return
    allowed, rate = measured.connections / measured.sleep_seconds, measured.requests_per_second
    values: dict[str, Value] = {
        "connections": number(measured.connections),
        "sleep": number(measured.sleep_seconds, Unit.SECONDS),
        "allowed": number(allowed, Unit.REQUESTS_PER_SECOND),
    }
    if rate > BEYOND_CEILING * allowed:
        yield Warning(Code.SLEEP_WRONG, values={**values, "rate": number(rate, Unit.REQUESTS_PER_SECOND)})
    elif rate >= CEILING * allowed:
        yield Warning(Code.CEILING, values={**values, "share": number(100 * rate / allowed, Unit.PERCENT)})


def _little(measured: Measured) -> Iterator[Warning]:
    """Hold the mean against Little's law as far as a text permits it; `little.py` knows more of our own rows."""
    mean, rate = measured.latency_mean_ms, measured.requests_per_second
    if not (measured.always_busy and not measured.open_loop and measured.connections and rate and mean):
        return
    least, most = _expected_ms(measured)
    law = Law(measured.connections, mean_seconds=mean / 1e3, duration_seconds=measured.duration_seconds)
    # The time that the load generator needs itself is in no latency: at such rates, it is a share of all time.
    batches = rate / measured.threads / (measured.pipeline or 1) if measured.threads else 0.0
    busy = max(0.0, batches - BUSY_THREAD) / FASTEST_THREAD
    allowed = max(tolerance(law) + busy, CORRECTED if measured.errors.connect else 0.0)
    if mean < (1 - allowed) * least:
        strong = mean < (1 - STRONG * allowed) * least and measured.requests >= TURNS * measured.connections
        values: dict[str, Value] = {"case": "understated", "factor": number(least / mean, Unit.TIMES)}
        yield Warning(Code.LITTLES_LAW, values=values, invalid=strong)
    elif mean > (1 + CORRECTED) * most:
        factor = number(mean / most, Unit.TIMES)
        if measured.pipeline is None and _may_pipeline(measured, most):
            yield Warning(Code.PIPELINING_UNKNOWN, values={"factor": factor})
        else:
            yield Warning(Code.LITTLES_LAW, values={"case": "overstated", "factor": factor})


def _stalled(measured: Measured) -> Iterator[Warning]:
    """Detect a reply that took so much of the run that the correction made most latencies from it."""
    ran, longest = measured.duration_seconds, measured.latency_max_ms / 1e3
    overstated = any(one.values["case"] == "overstated" for one in _little(measured) if one.code is Code.LITTLES_LAW)
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
    there = opened - errors.connect if errors.connect < opened else opened
    # A connection that broke was busy, for a request that is not counted.
    broken = (errors.read + errors.write) / measured.duration_seconds if measured.duration_seconds else 0.0
    least, most = 1e3 * there / (rate + broken), 1e3 * opened / rate
    depth = measured.pipeline or 1
    return least, most if depth == 1 else 2 * depth * most


def _opened(measured: Measured) -> int:
    """Return how many connections are opened: as many for each thread."""
    threads = measured.threads
    return measured.connections // threads * threads if 0 < threads <= measured.connections else measured.connections


def _may_pipeline(measured: Measured, expected_ms: float) -> bool:
    """Return whether pipelining may explain a high mean; else it comes from some replies much slower than the others.

    With pipelining most replies take several requests' time, the median too.
    """
    if measured.threads and measured.requests_per_second / measured.threads > FASTEST_THREAD:
        return True
    if measured.latency_mean_ms > DEEPEST * expected_ms:
        return False
    if median := measured.percentiles_ms.get("50"):
        return median >= 2 * expected_ms
    return measured.latency_stdev_ms is not None and measured.latency_stdev_ms <= 2 * measured.latency_mean_ms


def _fewer(measured: Measured) -> Iterator[Warning]:
    failed, asked, opened = measured.errors.connect, measured.connections, _opened(measured)
    if 0 < failed < asked:
        values: dict[str, Value] = {"case": "connect", "failed": number(failed), "connections": number(asked)}
        yield Warning(Code.FEWER_CONNECTIONS, values=values)
    if opened < FEWER * asked:
        yield Warning(
            Code.FEWER_CONNECTIONS, values={"case": "threads", "opened": number(opened), "connections": number(asked)}
        )


def _errors(measured: Measured) -> Iterator[Warning]:
    errors = measured.errors
    # Fewer failures to connect than connections are connections that were never there; more are repeated attempts.
    connect = 0 if 0 < errors.connect < measured.connections and measured.requests else errors.connect
    closed = bool(measured.requests) and errors.read >= CLOSED_SHARE * measured.requests
    for case, failed in {"connect": connect, "closed" if closed else "read": errors.read, "write": errors.write}.items():
        if failed:
            values: dict[str, Value] = {"case": case, "failed": number(failed)}
            if case == "closed":
                values["share"] = number(100 * failed / measured.requests, Unit.PERCENT)
            yield Warning(Code.CONNECTION_ERRORS, values=values)


DETECTORS: tuple[Callable[[Measured], Iterator[Warning]], ...] = (
    _incomplete,
    _interrupted,
    _contradiction,
    _status,
    _timeouts,
    _clipped,
    _late_impossible,
    _impossible,
    _unanswered,
    _ceiling,
    _little,
    _stalled,
    _fewer,
    _errors,
)
"""The detectors of a load that was answered, in the order of their warnings."""
