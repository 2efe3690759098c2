"""Charts of a report, drawn by us as SVG from its table: they print, follow the colour scheme, and need no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from benchrig.report.charts import course, histogram, percentiles, published, sweep, throughput
from benchrig.report.charts.chart import Chart
from benchrig.report.document import Report

Draw = Callable[[Report], Iterable[Chart]]
"""Yields the charts of one kind; none where the report has nothing for it."""

KINDS: Mapping[str, Draw] = {
    "throughput": throughput.draw,
    "published": published.draw,
    "sweep": sweep.draw,
    "percentiles": percentiles.draw,
    "histograms": histogram.draw,
    "courses": course.draw,
}
"""The kinds of charts of a report, in the order of the page. To add one, add a module with a `draw` and a line here."""


def charts(report: Report) -> Mapping[str, tuple[Chart, ...]]:
    """Return the charts of a report by kind; a kind without any is left out."""
    drawn = {kind: tuple(draw(report)) for kind, draw in KINDS.items()}
    return {kind: found for kind, found in drawn.items() if found}
