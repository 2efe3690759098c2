"""Metrics of throughput."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchrig.report.readers import (
    of_load,
)
from benchrig.results.steadiness import of_cell
from benchrig.units import COUNT, REQUESTS_PER_SECOND

if TYPE_CHECKING:
    from benchrig.results.model import Cell

from benchrig.report.metrics.metric import ALWAYS, Metric


def _steady(cell: Cell) -> float | None:
    judged = of_cell(cell)
    return judged.steady_requests_per_second if judged else None


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

STEADY_THROUGHPUT = Metric(
    name="steady_requests_per_second",
    heading="steady\nrequests/s",
    meaning="throughput of the part after the ramp, where a ramp was cut: estimated from the segments that the server sent; "
    "of a repeat without a ramp beside one with a ramp, that of the whole load",
    unit=REQUESTS_PER_SECOND,
    kind="higher is better",
    read=_steady,
    read_otherwise=THROUGHPUT.read,
    priority=90,
    function="steady_throughput",
)
"""Only shown: it is an estimate, and figures of others have no such part."""

RATE: tuple[Metric, ...] = (
    REQUESTS,
    THROUGHPUT,
    STEADY_THROUGHPUT,
)
