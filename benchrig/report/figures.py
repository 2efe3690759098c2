"""The figures of a row: a sample of each metric, which is its values over the repeats and what they are combined to."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from benchrig.bench.generators.base import Printed
from benchrig.report.metrics import ERRORS, METRICS, TIMEOUTS, Metric
from benchrig.report.published import PublishedRow
from benchrig.results.model import Cell

ENOUGH_REPEATS = 6
"""From so many repeats on, a median has a confidence interval of 95 %."""


@dataclass(frozen=True)
class Sample:
    """A metric of a row: its value in each repeat that has one, and what follows from them."""

    values: tuple[float, ...]
    """In the order of the repeats; a published figure is one value."""
    value: float
    """What reports show: their median, or the most or least of them, as the metric says in `combined`."""
    median: float
    low: float
    high: float
    interval: tuple[float, float] | None
    """95 % confidence interval of the median; None below ENOUGH_REPEATS."""


Figures = Mapping[str, Sample]
"""Samples by the names of their metrics. A metric without any value is not in it."""


def figures_of(cells: Sequence[Cell]) -> Figures:
    """Return the figures of one row from its measured repeats."""
    values = {metric: _values(metric, cells) for metric in METRICS}
    return {metric.name: sample(of, metric) for metric, of in values.items() if of}


def _values(metric: Metric, cells: Sequence[Cell]) -> list[float]:
    read = [(cell, metric.read(cell)) for cell in cells]
    if all(value is None for _, value in read):
        return []
    values = [metric.read_otherwise(cell) if value is None else value for cell, value in read]
    return [value for value in values if value is not None]


def published_figures(row: PublishedRow, text: Printed | None) -> Figures:
    """Return the figures of a published row: those of its table, and from the load generator's text what only that has."""
    values = {metric: value for metric in METRICS if text and (value := metric.read_text(text)) is not None}
    if not text and row.counts_timeouts:
        values |= {TIMEOUTS: row.timeouts, ERRORS: row.timeouts}
    values |= {metric: row.figures[metric.name] for metric in METRICS if metric.name in row.figures}
    return {metric.name: sample([value], metric) for metric, value in values.items()}


def is_spare(metric: Metric, rows: Iterable[Figures]) -> bool:
    """Say whether a metric stands in for another one, and no row needs that: none has this metric alone."""
    return bool(metric.instead_of) and not any(metric.name in row and metric.instead_of not in row for row in rows)


def sample(values: Sequence[float], metric: Metric) -> Sample:
    """Return the sample of at least one value.

    The median of a count is one of the counts: the lower of the middle two where their number is even.
    """
    median = (statistics.median_low if metric.kind == "count" else statistics.median)(values)
    low, high = min(values), max(values)
    value = {"median": median, "max": high, "min": low}[metric.combined]
    return Sample(tuple(values), value, median, low, high, interval(values))


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of the median of some values; None below ENOUGH_REPEATS.

    It makes no assumption about the distribution of the values: its ends are two of them.
    """
    ordered, k = sorted(values), _rank(len(values))
    return (ordered[k - 1], ordered[-k]) if k else None


@cache
def _rank(n: int) -> int:
    """Return k, so that of n ordered values the k-th from below and from above enclose the median; 0 where none do.

    They enclose it with probability 1 - 2 * sum(C(n, i) for i < k) / 2**n (David and Nagaraja, Order Statistics, 3rd ed.,
    section 7.1); k is the largest for which that is at least 0.95, which needs n >= 6.
    """
    # In whole numbers, each coefficient from the one before: several thousand repeats take milliseconds.
    k, coefficient, below = 0, 1, 1
    while 40 * below <= 2**n:
        k += 1
        coefficient = coefficient * (n - k + 1) // k
        below += coefficient
    return k
