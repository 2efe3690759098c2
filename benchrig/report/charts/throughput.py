"""Throughput of each row: every repeat as a dot, the interval, the published figure and the ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts import svg
from benchrig.report.charts.chart import Chart, drawn
from benchrig.report.charts.scales import Linear
from benchrig.report.document import Report
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.table import Row

_LINE = 24


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of the throughput of all rows that have one."""
    rows = [row for row in report.table.rows if THROUGHPUT.name in row.figures]
    if not rows:
        return
    wide, narrow = drawn(partial(_drawing, rows))
    yield Chart(
        key="throughput",
        title=say("Throughput"),
        about=say("Throughput of {count} rows.", count=len(rows)),
        guide=say("A dot is a repeat."),
        wide=wide,
        narrow=narrow,
        headings=(say("row"), say("requests/s")),
        rows=tuple((row.label, row.text(THROUGHPUT)) for row in rows),
    )


def _drawing(rows: Sequence[Row], width: int) -> Markup:
    most = max(max(row.figures[THROUGHPUT.name].values) for row in rows)
    left = min(width / 3, max(svg.text_width(row.label) for row in rows) + 12)
    scale = Linear(0, most, left, width - 12)
    parts = [svg.line(scale.place(tick), 0, scale.place(tick), len(rows) * _LINE, "grid") for tick in scale.ticks()]
    for number, row in enumerate(rows):
        y = number * _LINE + _LINE / 2
        parts.append(svg.text(left - 8, y + 4, row.label, anchor="end"))
        parts += [
            svg.element("circle", cx=scale.place(value), cy=y, r=3, class_="dot")
            for value in row.figures[THROUGHPUT.name].values
        ]
    return svg.drawing(parts, width, len(rows) * _LINE + 24)
