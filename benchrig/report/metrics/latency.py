"""Metrics of latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchrig.report.readers import (
    milliseconds,
    of_latency,
    percentile,
    percentile_text,
)
from benchrig.units import MILLISECONDS

if TYPE_CHECKING:
    pass

from benchrig.report.metrics.metric import Metric

LATENCY_MEAN = Metric(
    name="latency_mean_ms",
    heading="mean\nlatency",
    meaning="mean latency",
    unit=MILLISECONDS,
    kind="lower is better",
    read=of_latency(lambda latency: latency.mean_us),
    read_text=lambda text: milliseconds(text.latency_mean_us),
    priority=60,
    published=True,
)

LATENCY_MAX = Metric(
    name="latency_max_ms",
    heading="max\nlatency",
    meaning="slowest reply within the load generator's timeout",
    unit=MILLISECONDS,
    kind="lower is better",
    read=of_latency(lambda latency: latency.max_us),
    read_text=lambda text: milliseconds(text.latency_max_us),
    priority=20,
    published=True,
)


LATENCY: tuple[Metric, ...] = (
    LATENCY_MEAN,
    Metric(
        name="latency_stdev_ms",
        heading="latency\nstdev",
        meaning="standard deviation of the latency",
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_latency(lambda latency: latency.stdev_us),
        read_text=lambda text: milliseconds(text.latency_stdev_us),
        published=True,
    ),
    Metric(
        name="latency_min_ms",
        heading="min\nlatency",
        meaning="fastest reply",
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_latency(lambda latency: latency.min_us),
        published=True,
    ),
    LATENCY_MAX,
    Metric(
        name="latency_p50_ms",
        heading="p50",
        meaning="half of the replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("50"),
        read_text=percentile_text("50"),
        priority=30,
        published=True,
    ),
    Metric(
        name="latency_p75_ms",
        heading="p75",
        meaning="75 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("75"),
        read_text=percentile_text("75"),
        published=True,
    ),
    Metric(
        name="latency_p90_ms",
        heading="p90",
        meaning="90 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("90"),
        read_text=percentile_text("90"),
        published=True,
    ),
    Metric(
        name="latency_p99_ms",
        heading="p99",
        meaning="99 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("99"),
        read_text=percentile_text("99"),
        priority=110,
        compared=True,
        published=True,
    ),
    Metric(
        name="latency_p99_9_ms",
        heading="p99.9",
        meaning="999 of 1,000 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("99.9"),
        read_text=percentile_text("99.9"),
        published=True,
    ),
)
