"""Warnings that follow from the load generator's figures alone: of our own rows, of published ones, and of pasted texts.

Replies and their latencies are judged here; `course.py` has the run's time and rate, `closed_loop.py` Little's law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from benchrig.results.audit import bounds, closed_loop, course
from benchrig.results.audit.measured import Measured
from benchrig.results.codes import Code
from benchrig.results.warnings import Unit, Value, Warning, number

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


def load_warnings(measured: Measured) -> tuple[Warning, ...]:
    """Return the warnings that follow from the load generator's values alone."""
    # A cell of ours without a reply has failed, and is not judged.
    nothing = measured.rounded and not measured.requests and "requests" not in measured.missing
    detectors = (_no_requests, _refused, _errors) if nothing else DETECTORS
    return tuple(replace(warning, host=measured.host) for detect in detectors for warning in detect(measured))


def _no_requests(_: Measured) -> Iterator[Warning]:
    yield Warning(Code.NO_REQUESTS, invalid=True)


def _incomplete(measured: Measured) -> Iterator[Warning]:
    if measured.missing:
        yield Warning(Code.INCOMPLETE, values={"missing": measured.missing})


def _refused(measured: Measured) -> Iterator[Warning]:
    """Detect a load that every load generator refuses to make."""
    threads, connections = measured.threads, measured.connections
    if measured.rounded and "connections" not in measured.missing and (threads > connections or not connections):
        values: dict[str, Value] = {"threads": number(threads), "connections": number(connections)}
        yield Warning(Code.LOAD_IMPOSSIBLE, values=values, invalid=True)


def _unrecorded(measured: Measured) -> Iterator[Warning]:
    if measured.unrecorded:
        yield Warning(Code.NO_LATENCY, values={"requests": number(measured.requests)}, invalid=True)


def _counted(measured: Measured) -> dict[str, Value]:
    """Return the number of replies as a value, or say that a text does not have it."""
    return {"requests": number(measured.requests)} if measured.requests else {"case": "count"}


def _status(measured: Measured) -> Iterator[Warning]:
    if failed := measured.errors.status:
        values = {"failed": number(failed), **_counted(measured)}
        if measured.requests:
            values["good"] = number(max(0, measured.requests - failed))
        spoilt = bool(measured.requests) and failed >= STATUS_SHARE * measured.requests
        yield Warning(Code.STATUS_ERRORS, values=values, invalid=spoilt)


def _timeouts(measured: Measured) -> Iterator[Warning]:
    if late := measured.errors.timeout:
        values = {"late": number(late), **_counted(measured)}
        if measured.open_loop:
            values["case"] = "checks"
        elif measured.timeout_seconds is None:
            values.setdefault("case", "unknown")
        else:
            values["timeout"] = number(measured.timeout_seconds, Unit.SECONDS)
        yield Warning(Code.TIMEOUTS, values=values)


def _clipped(measured: Measured) -> Iterator[Warning]:
    # The load generator leaves late replies out of its latency values: mean and maximum are those of the quick replies.
    late, timeout = measured.errors.timeout, measured.timeout_seconds
    if measured.open_loop:
        return
    if late or (timeout is not None and measured.latency_max_ms >= CLIPPED * timeout * 1e3):
        invalid = 0 < measured.requests <= late / LATE_SHARE
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
    if not (measured.sleep_seconds > 0 and measured.connections > 0):
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


def _errors(measured: Measured) -> Iterator[Warning]:
    errors = measured.errors
    connecting, connect = closed_loop.connect_errors(measured)
    closed = bool(measured.requests) and errors.read >= CLOSED_SHARE * measured.requests
    for case, failed in {connecting: connect, "closed" if closed else "read": errors.read, "write": errors.write}.items():
        if failed:
            values: dict[str, Value] = {"case": case, "failed": number(failed)}
            if case == "closed":
                values["share"] = number(100 * failed / measured.requests, Unit.PERCENT)
            yield Warning(Code.CONNECTION_ERRORS, values=values)


DETECTORS: tuple[Callable[[Measured], Iterator[Warning]], ...] = (
    _incomplete,
    _refused,
    course.interrupted,
    course.contradiction,
    course.rate_missed,
    _status,
    _timeouts,
    _clipped,
    _late_impossible,
    course.cut_by_end,
    _unrecorded,
    _impossible,
    _unanswered,
    _ceiling,
    closed_loop.little,
    closed_loop.stalled,
    course.bursts,
    closed_loop.fewer,
    _errors,
)
"""The detectors of a load that was answered, in the order of their warnings."""
