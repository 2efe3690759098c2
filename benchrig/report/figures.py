"""The figures of a row: a sample of each metric, which is its values over the repeats and what they are combined to."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchrig.bench.generators.base import Printed
from benchrig.report.metrics import ERRORS, METRICS, TIMEOUTS, Metric
from benchrig.report.published import PublishedRow
from benchrig.results.model import Cell
from benchrig.statistics.interval import Interval, of_median
from benchrig.units import NOTHING, Scale


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
    interval: Interval | None
    """95 % confidence interval of the median; None of too few repeats."""


Figures = Mapping[str, Sample]
"""Samples by the names of their metrics. A metric without any value is not in it."""


class PublishedSample(Sample):
    """A figure of an article, which is shown as the article gives it."""


def text(sample: Sample | None, metric: Metric, *, median: bool = False) -> str:
    """Return a figure as people's reports show it, rounded to what its interval supports; a dash where there is none.

    With `median`, it is that of the repeats, also where others show the most or the least of them.
    """
    if sample is None:
        return NOTHING
    if isinstance(sample, PublishedSample):
        return metric.unit.exact(sample.value)
    return metric.unit.text(sample.median if median else sample.value, _half_width(sample, metric, median=median))


def cell(sample: Sample | None, metric: Metric, scale: Scale) -> str:
    """Return what `text` does for a column: a number alone, on the scale of the column."""
    if sample is None:
        return NOTHING
    if isinstance(sample, PublishedSample):
        return metric.unit.exact_cell(sample.value, scale)
    return metric.unit.cell(sample.value, scale, _half_width(sample, metric))


def _half_width(sample: Sample, metric: Metric, *, median: bool = False) -> float | None:
    """Return half the width of the interval of what is shown; it is that of the median, and not of the most or the least."""
    known = sample.interval if median or metric.combined == "median" else None
    return (known.high - known.low) / 2 if known else None


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
    return {metric.name: PublishedSample((value,), value, value, value, value, None) for metric, value in values.items()}


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
    return Sample(tuple(values), value, median, low, high, of_median(values))
