"""Metrics of errors and of data that was read."""

from __future__ import annotations

from collections.abc import Callable

from benchrig.report.metrics.metric import Metric
from benchrig.report.readers import of_load
from benchrig.results.model import LoadErrors
from benchrig.units import BYTES, COUNT


def _counter(name: str, heading: str, meaning: str, count: Callable[[LoadErrors], int], function: str = "") -> Metric:
    """Return the metric of one of the load generator's error counters."""
    return Metric(
        name=f"errors_{name}",
        heading=heading,
        meaning=meaning,
        unit=COUNT,
        kind="count",
        combined="max",
        read=of_load(lambda load: count(load.errors)),
        read_text=lambda text: count(text.errors),
        grows=True,
        function=function,
    )


ERRORS = Metric(
    name="errors",
    heading="errors",
    meaning="the five error counters together",
    unit=COUNT,
    kind="count",
    combined="max",
    read=of_load(lambda load: load.errors.total),
    read_text=lambda text: text.errors.total,
    priority=140,
    compared=True,
    grows=True,
)

TIMEOUTS = _counter(
    "timeout",
    "timeouts",
    "replies that came after the load generator's timeout",
    lambda errors: errors.timeout,
    function="timeouts",
)

LOAD_ERRORS: tuple[Metric, ...] = (
    ERRORS,
    _counter("connect", "connect\nerrors", "connections that could not be made", lambda errors: errors.connect),
    _counter("read", "read\nerrors", "connections that broke while a reply was read", lambda errors: errors.read),
    _counter("write", "write\nerrors", "connections that broke while a request was sent", lambda errors: errors.write),
    TIMEOUTS,
    _counter("status", "status\nerrors", "replies with another status than 2xx or 3xx", lambda errors: errors.status),
    Metric(
        name="bytes",
        heading="data\nread",
        meaning="bytes that the load generator read, headers of replies included",
        unit=BYTES,
        kind="count",
        read=of_load(lambda load: load.bytes),
        read_text=lambda text: None if text.bytes is None else round(text.bytes),
        grows=True,
    ),
)
