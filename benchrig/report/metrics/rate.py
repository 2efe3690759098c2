"""Metrics of throughput."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchrig.report.readers import (
    of_load,
)
from benchrig.units import COUNT, REQUESTS_PER_SECOND

if TYPE_CHECKING:
    pass

from benchrig.report.metrics.metric import ALWAYS, Metric

REQUESTS = Metric(
    name="requests",
    heading="total\nrequests",
    meaning="replies that the load generator counted, late ones among them",
    unit=COUNT,
    kind="count",
    read=of_load(lambda load: load.requests),
    read_text=lambda text: text.requests,
    priority=10,
    published=True,
    grows=True,
)

THROUGHPUT = Metric(
    name="requests_per_second",
    heading="requests/s",
    meaning="replies over the load generator's own duration",
    unit=REQUESTS_PER_SECOND,
    kind="higher is better",
    read=of_load(lambda load: load.requests_per_second),
    read_text=lambda text: text.requests_per_second,
    priority=ALWAYS,
    compared=True,
    published=True,
    function="throughput",
)
"""Rows are ranked and compared by it."""


RATE: tuple[Metric, ...] = (
    REQUESTS,
    THROUGHPUT,
)
