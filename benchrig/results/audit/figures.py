"""Warnings that follow from the load generator's figures alone, a published or a pasted text's too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchrig.results.codes import Code
from benchrig.results.model import LoadErrors
from benchrig.results.warnings import Unit, Value, Warning, number

LATE_SHARE = 0.01
"""From this share of late replies on, p99 is the timeout and not a latency."""

CEILING = 0.95
"""From this share of connections / sleep on, the waiting bounds the throughput."""

BEYOND_CEILING = 1.1
"""Above this share of it, the app waits less than its app.yml says."""

LONG_RUN_SECONDS = 30.0

LITTLE_TOLERANCE = 0.05
"""Accepted difference of mean latency from Little's law in a long run."""

LITTLE_TOLERANCE_SHORT = 0.25
"""The same in a shorter run, where requests that are cut off at start and end count for more."""

CLIPPED = 0.99
"""A maximum this close to the timeout is the timeout."""


@dataclass(frozen=True)
class Measured:
    """The values that every result has, a published one too."""

    connections: int
    requests: int
    requests_per_second: float
    latency_mean_ms: float
    latency_max_ms: float
    timeout_seconds: float
    errors: LoadErrors
    sleep_seconds: float = 0.0
    duration_seconds: float = 0.0
    """0 where it is not known: judged as a short run."""
    always_busy: bool = True
    """A connection sends its next request as soon as it has its reply."""
    host: str = ""
    """The server; empty of published values."""


def load_warnings(measured: Measured) -> tuple[Warning, ...]:
    """Return the warnings that follow from the load generator's values alone."""
    detectors = (_timeouts, _clipped, _unanswered, _ceiling, _little, _errors)
    return tuple(warning for detect in detectors for warning in detect(measured))


def _timeouts(measured: Measured) -> Iterator[Warning]:
    if late := measured.errors.timeout:
        values: dict[str, Value] = {
            "late": number(late),
            "requests": number(measured.requests),
            "timeout": number(measured.timeout_seconds, Unit.SECONDS),
        }
        yield Warning(Code.TIMEOUTS, measured.host, values)


def _clipped(measured: Measured) -> Iterator[Warning]:
    # The load generator leaves late replies out of its latency values: mean and maximum are those of the quick replies.
    late, timeout = measured.errors.timeout, measured.timeout_seconds
    if late or measured.latency_max_ms >= CLIPPED * timeout * 1e3:
        invalid = late >= LATE_SHARE * measured.requests
        yield Warning(Code.LATENCY_CLIPPED, measured.host, {"timeout": number(timeout, Unit.SECONDS)}, invalid)


def _unanswered(measured: Measured) -> Iterator[Warning]:
    if measured.requests < measured.connections:
        unanswered = measured.connections - measured.requests
        values = {"unanswered": number(unanswered), "connections": number(measured.connections)}
        yield Warning(Code.UNANSWERED, measured.host, values)


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
        yield Warning(Code.SLEEP_WRONG, measured.host, {**values, "rate": number(rate, Unit.REQUESTS_PER_SECOND)})
    elif rate >= CEILING * allowed:
        yield Warning(Code.CEILING, measured.host, {**values, "share": number(100 * rate / allowed, Unit.PERCENT)})


def _little(measured: Measured) -> Iterator[Warning]:
    """Compare the mean with Little's law: connections that are always busy = throughput x latency.

    Source: J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961).
    """
    if not (measured.always_busy and measured.requests_per_second and measured.latency_mean_ms):
        return
    expected = 1e3 * measured.connections / measured.requests_per_second
    tolerance = LITTLE_TOLERANCE if measured.duration_seconds >= LONG_RUN_SECONDS else LITTLE_TOLERANCE_SHORT
    if abs(measured.latency_mean_ms - expected) > tolerance * expected:
        factor = measured.latency_mean_ms / expected
        case = "understated" if factor < 1 else "overstated"
        values: dict[str, Value] = {"case": case, "factor": number(max(factor, 1 / factor), Unit.TIMES)}
        yield Warning(Code.LITTLES_LAW, measured.host, values)


def _errors(measured: Measured) -> Iterator[Warning]:
    errors = measured.errors
    for case, failed in {"connect": errors.connect, "read": errors.read, "write": errors.write}.items():
        if failed:
            yield Warning(Code.CONNECTION_ERRORS, measured.host, {"case": case, "failed": number(failed)})
