"""The registry of metrics: one entry each, with its name, unit, heading, kind, and how it is read from a result.

Terminal, Markdown, HTML, CSV, JSON, comparison, claims and published figures read it: a new metric is one entry in a module
here. It is in `report/` because an entry says how a metric is shown; `results/` stores what was measured and knows no
heading.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.report.metrics.connections import CONNECTIONS
from benchrig.report.metrics.errors import ERRORS, LOAD_ERRORS, TIMEOUTS
from benchrig.report.metrics.latency import LATENCY, LATENCY_CORRECTED_MEAN, LATENCY_MAX, LATENCY_MEAN
from benchrig.report.metrics.machines import MACHINES
from benchrig.report.metrics.metric import ALWAYS, FILES_ONLY, Kind, Metric
from benchrig.report.metrics.rate import RATE, REQUESTS, THROUGHPUT

METRICS: tuple[Metric, ...] = (*RATE, *LATENCY, *LOAD_ERRORS, *CONNECTIONS, *MACHINES)
"""Every metric, in the order of a report's columns."""

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}

__all__ = [
    "ALWAYS",
    "BY_NAME",
    "ERRORS",
    "FILES_ONLY",
    "LATENCY_CORRECTED_MEAN",
    "LATENCY_MAX",
    "LATENCY_MEAN",
    "METRICS",
    "REQUESTS",
    "THROUGHPUT",
    "TIMEOUTS",
    "Kind",
    "Metric",
]
