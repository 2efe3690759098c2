"""Metrics of latency: as it was measured, and as the load generator's correction changes it.

A generator may add latencies of requests that it never sent (docs/latency.md). Its text, and runs of before this benchrig
read more than that, have only the corrected values. The correction changes neither the fastest reply nor the slowest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchrig.report.metrics.metric import FILES_ONLY, Metric
from benchrig.report.readers import milliseconds, of_corrected, of_latency, of_measured
from benchrig.units import MILLISECONDS

if TYPE_CHECKING:
    from benchrig.bench.generators.base import Printed
    from benchrig.results.model import Latency


def _both(
    key: str,
    heading: str,
    meaning: str,
    read: Callable[[Latency], float | None],
    read_text: Callable[[Printed], float | None] = lambda _: None,
    priority: float = FILES_ONLY,
    compared: bool = False,
) -> tuple[Metric, Metric]:
    """Return a metric of latency as measured, and the corrected one, which takes its place where only that is known."""
    measured = Metric(
        name=f"latency_{key}_ms",
        heading=heading,
        meaning=meaning,
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_measured(read),
        priority=priority,
        compared=compared,
        published=True,
    )
    corrected = Metric(
        name=f"latency_corrected_{key}_ms",
        heading=f"corrected\n{heading}",
        meaning=f"the same after the load generator's correction, with requests that it did not send: {meaning}",
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_corrected(read),
        read_text=read_text,
        priority=priority,
        compared=compared,
        published=True,
        instead_of=measured.name,
    )
    return measured, corrected


def _percentile(name: str, meaning: str, priority: float = FILES_ONLY, compared: bool = False) -> tuple[Metric, Metric]:
    """Return both metrics of a percentile, by its name in the records: `99.9`."""
    return _both(
        f"p{name.replace('.', '_')}",
        f"p{name}",
        meaning,
        lambda latency: latency.percentiles_us.get(name),
        lambda text: milliseconds(text.percentiles_us.get(name)),
        priority,
        compared,
    )


_MEAN = _both(
    "mean",
    "mean\nlatency",
    "mean latency",
    lambda latency: latency.mean_us,
    lambda text: milliseconds(text.latency_mean_us),
    priority=105,
)
LATENCY_MEAN, LATENCY_CORRECTED_MEAN = _MEAN

_STDEV = _both(
    "stdev",
    "latency\nstdev",
    "standard deviation of the latency",
    lambda latency: latency.stdev_us,
    lambda text: milliseconds(text.latency_stdev_us),
)

LATENCY_MAX = Metric(
    name="latency_max_ms",
    heading="max\nlatency",
    meaning="slowest reply within the load generator's timeout",
    unit=MILLISECONDS,
    kind="lower is better",
    combined="max",
    rises=True,
    read=of_latency(lambda latency: latency.max_us),
    read_text=lambda text: milliseconds(text.latency_max_us),
    priority=20,
    published=True,
)

_PAIRS = (
    _percentile("50", "half of the replies were faster", priority=30, compared=True),
    _percentile("75", "75 of 100 replies were faster"),
    _percentile("90", "90 of 100 replies were faster"),
    _percentile("99", "99 of 100 replies were faster", priority=110, compared=True),
    _percentile("99.9", "999 of 1,000 replies were faster", compared=True),
)

LATENCY: tuple[Metric, ...] = (
    LATENCY_MEAN,
    _STDEV[0],
    Metric(
        name="latency_min_ms",
        heading="min\nlatency",
        meaning="fastest reply",
        unit=MILLISECONDS,
        kind="lower is better",
        combined="min",
        read=of_latency(lambda latency: latency.min_us),
        published=True,
    ),
    LATENCY_MAX,
    *(measured for measured, _ in _PAIRS),
    LATENCY_CORRECTED_MEAN,
    _STDEV[1],
    *(corrected for _, corrected in _PAIRS),
)
