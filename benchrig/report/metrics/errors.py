"""Metrics of errors and of data that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchrig.report.readers import (
    of_load,
)
from benchrig.units import BYTES, COUNT

if TYPE_CHECKING:
    pass

from benchrig.report.metrics.metric import Metric

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

TIMEOUTS = Metric(
    name="errors_timeout",
    heading="timeouts",
    meaning="replies that came after the load generator's timeout",
    unit=COUNT,
    kind="count",
    combined="max",
    read=of_load(lambda load: load.errors.timeout),
    read_text=lambda text: text.errors.timeout,
    grows=True,
    function="timeouts",
)


LOAD_ERRORS: tuple[Metric, ...] = (
    ERRORS,
    Metric(
        name="errors_connect",
        heading="connect\nerrors",
        meaning="connections that could not be made",
        unit=COUNT,
        kind="count",
        combined="max",
        read=of_load(lambda load: load.errors.connect),
        read_text=lambda text: text.errors.connect,
        grows=True,
    ),
    Metric(
        name="errors_read",
        heading="read\nerrors",
        meaning="connections that broke while a reply was read",
        unit=COUNT,
        kind="count",
        combined="max",
        read=of_load(lambda load: load.errors.read),
        read_text=lambda text: text.errors.read,
        grows=True,
    ),
    Metric(
        name="errors_write",
        heading="write\nerrors",
        meaning="connections that broke while a request was sent",
        unit=COUNT,
        kind="count",
        combined="max",
        read=of_load(lambda load: load.errors.write),
        read_text=lambda text: text.errors.write,
        grows=True,
    ),
    TIMEOUTS,
    Metric(
        name="errors_status",
        heading="status\nerrors",
        meaning="replies with another status than 2xx or 3xx",
        unit=COUNT,
        kind="count",
        combined="max",
        read=of_load(lambda load: load.errors.status),
        read_text=lambda text: text.errors.status,
        grows=True,
    ),
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
