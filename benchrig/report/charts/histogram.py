"""The histogram of each row's latencies, with median and p99."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from benchrig.language import say, say_count
from benchrig.report.charts import frame, panels, svg
from benchrig.report.charts.chart import Chart, drawn
from benchrig.report.charts.frame import more_rows
from benchrig.report.charts.latency import latency, milliseconds, times
from benchrig.report.charts.scales import Log, Scale, spanning
from benchrig.report.document import Report
from benchrig.report.latencies import chosen, decoded, merged, over_repeats, say_chosen
from benchrig.report.table import Row
from benchrig.results.histogram import Histogram

BARS = 40

MOST_ON_PHONE = 8
"""Rows: the panels of more fill several screens of a phone."""

LEAST_SPAN = 2.0
"""Ratio of the ends of an axis at least: the bins of a narrower one could be seen."""

PERCENTS = (0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 100.0)
"""Percentiles in the table of values."""

_SHORTEST_US = 0.5
"""An axis of ratios begins above 0; latencies are whole microseconds."""

_HEIGHT, _LEAST_HEIGHT = 64.0, 1.0


@dataclass(frozen=True)
class Bars:
    """Bars of equal width on a logarithmic axis."""

    edges_us: tuple[float, ...]
    """One more than there are bars."""
    shares: tuple[float, ...]
    """Of all replies: 0 to 1."""


@dataclass(frozen=True)
class _Drawn:
    """A row with its latencies."""

    row: Row
    histogram: Histogram
    """Of all repeats together."""
    percentiles_ms: Sequence[float]
    """The medians of the repeats."""

    @property
    def median(self) -> float:
        return self.percentiles_ms[PERCENTS.index(50.0)]

    @property
    def p99(self) -> float:
        return self.percentiles_ms[PERCENTS.index(99.0)]


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of the histograms of all rows that have one."""
    rows = report.table.rows
    shown = rows[: frame.MOST_ROWS]
    found = [_drawn(row, together) for row in shown if (together := merged(chosen(row.histograms)))]
    if not found:
        return
    wide, narrow = drawn(partial(_drawing, found))
    without = sum(bool(row.figures) for row in shown) - len(found)
    lacking = say_count("{count} row has no histogram.", "{count} rows have no histogram.", without) if without else ""
    yield Chart(
        key="histograms",
        title=_title(found),
        about=_about(found),
        guide=say(
            "The higher a bar, the more replies took as long. Each row has a logarithmic axis of its own, on which all bars "
            "are equally wide. The line is the median, the dashed one p99: one reply in a hundred was slower. Several hills "
            "are several kinds of replies."
        ),
        wide=wide,
        narrow=narrow,
        headings=(say("row"), say("replies"), *(f"{_name(percent)}, ms" for percent in PERCENTS)),
        rows=tuple(_values(one) for one in found),
        more=" ".join(filter(None, [more_rows(len(rows)), say_chosen(one.row.histograms for one in found), lacking])),
        is_tall=len(found) > MOST_ON_PHONE,
    )


def bars_of(histogram: Histogram, count: int = BARS) -> Bars:
    """Return a histogram of at least one latency as bars from its lowest bin to its highest.

    A bin that lies in several bars is divided between them, as if its latencies were evenly spread in it.
    """
    bins = list(histogram.bins())
    low, high = max(float(bins[0][0]), _SHORTEST_US), float(bins[-1][1])
    if high < LEAST_SPAN * low:
        wider = math.sqrt(LEAST_SPAN * low / high)
        low, high = low / wider, high * wider
    ratio_of_bar = (high / low) ** (1 / count)
    edges = [low * ratio_of_bar**place for place in range(count)] + [high]
    found = [0.0] * count
    place = 0
    for start, end, number in bins:
        begin = max(float(start), low)
        while place < count - 1 and edges[place + 1] <= begin:
            place += 1
        part = place
        while part < count and edges[part] < end:
            overlap = min(edges[part + 1], end) - max(edges[part], begin)
            found[part] += number * max(overlap, 0.0) / (end - begin)
            part += 1
    return Bars(tuple(edges), tuple(number / histogram.count for number in found))


def _drawn(row: Row, together: Histogram) -> _Drawn:
    percentiles = over_repeats(decoded(chosen(row.histograms)), PERCENTS)
    return _Drawn(row, together, [value / 1e3 for value in percentiles])


def _drawing(found: Sequence[_Drawn], width: int) -> Markup:
    labels = [one.row.label for one in found]
    grid = panels.grid(labels, width, across=panels.columns(labels, width), height=_HEIGHT, left=6, below=22, title=32)
    parts: list[Markup] = []
    for one, panel in zip(found, grid.panels, strict=True):
        parts += _panel(one, panel)
    return svg.drawing(parts, width, grid.height)


def _panel(one: _Drawn, panel: panels.Panel) -> list[Markup]:
    bars = bars_of(one.histogram)
    scale = Log(bars.edges_us[0], bars.edges_us[-1], panel.left, panel.right)
    room = panel.right - panel.left
    said = f"p50 {latency(one.median)} · p99 {latency(one.p99)}"
    parts = [
        *panels.heading(panel, panel.top - 18),
        svg.text(panel.left, panel.top - 5, svg.shortened(said, room, svg.SMALL), "small"),
        svg.path(_outline(bars, scale, panel), "bar"),
        svg.line(panel.left, panel.bottom, panel.right, panel.bottom, "axis"),
    ]
    for value, class_ in ((one.median, "pin"), (one.p99, "pin far")):
        x = scale.place(value * 1e3)
        parts.append(svg.line(x, panel.top, x, panel.bottom, class_))
    axis = frame.Axis("", lambda start, end: spanning([], start, end), lambda us: latency(us / 1e3))
    return [*parts, *panels.below(panel, frame.ticks_apart(scale, panel.left, panel.right, axis))]


def _outline(bars: Bars, scale: Scale, panel: panels.Panel) -> list[tuple[float, float]]:
    """Return the outline of all bars; one with any reply is high enough to be seen."""
    most = max(bars.shares)
    points = [(panel.left, panel.bottom)]
    for place, share in enumerate(bars.shares):
        height = max(share / most * (panel.bottom - panel.top), _LEAST_HEIGHT) if share else 0.0
        y = panel.bottom - height
        for edge in bars.edges_us[place : place + 2]:
            if y != points[-1][1] or edge is bars.edges_us[place + 1]:
                points.append((scale.place(edge), y))
    return panels.simplified([*points, (panel.right, panel.bottom)], 0.05)


def _title(found: Sequence[_Drawn]) -> str:
    sound = [one for one in found if not one.row.invalid and one.median > 0] or found
    ordered = sorted(sound, key=lambda one: one.p99 / one.median if one.median else math.inf)
    first, last = ordered[0], ordered[-1]
    if first is last:
        return say("{row}: half of the replies took {median} or less, 99 of 100 took {p99} or less", **_of(first))
    return say(
        "Replies of {first} vary least: p99 is {least} times the median. Those of {last} vary most: {most} times",
        first=first.row.label,
        least=times(first.p99, first.median),
        last=last.row.label,
        most=times(last.p99, last.median),
    )


def _of(one: _Drawn) -> dict[str, str]:
    return {"row": one.row.label, "median": latency(one.median), "p99": latency(one.p99)}


def _about(found: Sequence[_Drawn]) -> str:
    rows = say_count(
        "Histogram of the latencies of {count} row.", "Histograms of the latencies of {count} rows.", len(found)
    )
    return " ".join([rows, *(say("{row}: median {median}, p99 {p99}.", **_of(one)) for one in found)])


def _name(percent: float) -> str:
    return {0.0: say("fastest"), 50.0: say("median"), 100.0: say("slowest")}.get(percent, f"p{percent:g}")


def _values(one: _Drawn) -> tuple[str, ...]:
    return (one.row.label, f"{one.histogram.count:,}", *map(milliseconds, one.percentiles_ms))
