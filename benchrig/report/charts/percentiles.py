"""Latency by percentile: as measured and corrected, on an axis that gives the slowest replies as much room as the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from benchrig.language import say, say_count
from benchrig.report.charts import frame, marks, panels, svg
from benchrig.report.charts.chart import NARROW, Chart, drawn
from benchrig.report.charts.frame import more_rows
from benchrig.report.charts.latency import comparison, latency, milliseconds
from benchrig.report.charts.palette import SERIES
from benchrig.report.charts.scales import Log, Scale, spanning
from benchrig.report.document import Report
from benchrig.report.latencies import say_chosen
from benchrig.report.latency_curves import FIRST, LatencyCurve, Point, curve_of
from benchrig.units import NOTHING

MOST_TOGETHER = 8
"""So many rows share one plot; more have a panel each."""

MOST_BEHIND = 6
"""So many rows at most are faint lines in the panels of all rows."""

_TICKS = ((2.0, "p50"), (10.0, "p90"), (100.0, "p99"), (1000.0, "p99.9"), (10_000.0, "p99.99"))

_PANEL_HEIGHT = 92.0

_BEYOND = 12.0
"""So far texts below a panel go beyond its sides: that of the median is below its line."""


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of the latencies of all rows that have some."""
    rows = report.table.rows
    found = [curve for row in rows[: frame.MOST_ROWS] if (curve := curve_of(row))]
    if not any(curve.points for curve in found):
        return
    plan = _Plan(found)
    wide, narrow = drawn(partial(_together if len(found) <= MOST_TOGETHER else _apart, plan))
    yield Chart(
        key="percentiles",
        title=comparison([curve.row for curve in found]),
        about=_about(found),
        guide=_guide(plan),
        wide=wide,
        narrow=narrow,
        headings=(
            say("row"),
            say("latency"),
            *(say("{percentile}, ms", percentile=said) for _, said in _TICKS),
            say("replies"),
        ),
        rows=tuple(line for curve in found for line in _lines(curve)),
        more=" ".join(filter(None, [more_rows(len(rows)), say_chosen(curve.row.histograms for curve in found)])),
        is_tall=len(found) > MOST_TOGETHER,
    )


@dataclass(frozen=True)
class _Plan:
    """The curves of a chart, and their common scales."""

    curves: Sequence[LatencyCurve]

    @property
    def timeouts(self) -> Sequence[float]:
        """The timeouts, in milliseconds, of the rows that some replies came too late in."""
        clipped = (curve.row.timeout_seconds * 1e3 for curve in self.curves if curve.clipped_at)
        return sorted({timeout for timeout in clipped if timeout > 0})

    def across(self) -> frame.Axis:
        places = [point.place for curve in self.curves for point in curve.points]
        last = max(100.0, *places, *(curve.clipped_at or 0 for curve in self.curves))
        ticks = [(place, said) for place, said in _TICKS if place <= last]
        return frame.Axis(say("percentile of the replies"), partial(Log, FIRST, last), ticks=ticks)

    def up(self) -> frame.Axis:
        values = [point.milliseconds for curve in self.curves for point in curve.points]
        return frame.Axis(say("latency"), partial(_vertical, [*values, *self.timeouts]), latency)

    def behind(self) -> Sequence[Sequence[Point]]:
        """Return the lines of all rows, or of as many as can be told from each other, evenly chosen from fast to slow."""
        lines = [points for curve in self.curves if len(points := curve.measured or curve.corrected) > 1]
        lines.sort(key=lambda points: points[len(points) // 2].milliseconds)
        every = max(1.0, (len(lines) - 1) / (MOST_BEHIND - 1))
        return [lines[round(number * every)] for number in range(min(len(lines), MOST_BEHIND))]


def _vertical(values: Sequence[float], start: float, end: float) -> Scale:
    return spanning(values, start, end, log=True)


def _together(plan: _Plan, width: int) -> Markup:
    """Draw all curves in one plot, each with its label at its end."""
    labels = [curve.row.label for curve in plan.curves]
    room = min(0.36 * width, max(map(svg.text_width, labels)) + 8) + 30
    height = 300.0 if width <= NARROW else 340.0
    plot = frame.plot(width, height, plan.across(), plan.up(), room=room)
    parts = plot.parts()
    for timeout in plan.timeouts:
        parts += _timeout(timeout, plot)
    ends = []
    for number, curve in enumerate(plan.curves):
        parts += _curve(curve, plot.scale_x, plot.scale_y, number)
        end = _end(curve)
        ends.append(plot.at(end.place, end.milliseconds))
    places = frame.spread([y for _, y in ends], plot.top + 4, plot.bottom - 4, 15)
    for number, (label, (x, y), at) in enumerate(zip(labels, ends, places, strict=True)):
        left = plot.right + 18
        parts.append(svg.path([(x + 5, y), (plot.right + 6, at), (left - 4, at)], "leader"))
        parts.append(marks.shape(x, y, number))
        parts.append(svg.text(left, at + 4, svg.shortened(label, width - left - 2)))
    signs, bottom = frame.legend(_signs(plan), width, height)
    return svg.drawing([*parts, *signs], width, bottom + 2)


def _apart(plan: _Plan, width: int) -> Markup:
    """Draw a panel for each curve, all with the same scales, and the others as faint lines behind each of them."""
    across, up, behind = plan.across(), plan.up(), plan.behind()
    labels = [curve.row.label for curve in plan.curves]
    beside = panels.columns(labels, width)
    grid = panels.grid(
        labels, width, across=beside, height=_PANEL_HEIGHT, left=52, below=22, title=20, top=16, gap=2 * _BEYOND
    )
    parts: list[Markup] = []
    for number, (curve, panel) in enumerate(zip(plan.curves, grid.panels, strict=True)):
        scale_x, scale_y = across.span(panel.left, panel.right), up.span(panel.bottom - 3, panel.top + 3)
        if number == 0:
            parts.append(svg.text(2, 11, up.named(scale_y), "small"))
        parts += panels.parts(panel, scale_x, scale_y, across, up, _BEYOND)
        parts.append(svg.paths([_coarse(points, scale_x, scale_y) for points in behind], "repeat"))
        for timeout in plan.timeouts:
            parts.append(svg.line(panel.left, scale_y.place(timeout), panel.right, scale_y.place(timeout), "timeout"))
        parts += _curve(curve, scale_x, scale_y, 0)
    parts.append(svg.text(width - 2, grid.height + 6, across.title, "small", "end"))
    signs, bottom = frame.legend(_signs(plan), width, grid.height + 12)
    return svg.drawing([*parts, *signs], width, bottom + 2)


def _coarse(points: Sequence[Point], scale_x: Scale, scale_y: Scale) -> list[tuple[float, float]]:
    """Return a line that is one of many, in whole pixels: it has half as much text."""
    places = [(scale_x.place(point.place), scale_y.place(point.milliseconds)) for point in points]
    return [(float(round(x)), float(round(y))) for x, y in panels.simplified(places, 1.2)]


def _curve(curve: LatencyCurve, scale_x: Scale, scale_y: Scale, series: int) -> list[Markup]:
    number = series % SERIES + 1
    parts = []
    for points, kind in ((curve.corrected, "corrected"), (curve.measured, "measured")):
        places = [(scale_x.place(point.place), scale_y.place(point.milliseconds)) for point in points]
        if len(places) > 1:
            parts.append(svg.path(panels.simplified(places), f"line s{number} {kind}"))
        elif places:
            parts.append(marks.shape(*places[0], series, hollow=kind == "corrected"))
    if curve.clipped_at and curve.row.timeout_seconds > 0:
        x, y = scale_x.place(curve.clipped_at), scale_y.place(curve.row.timeout_seconds * 1e3)
        last = (curve.measured or curve.corrected)[-1:]
        parts += [svg.line(scale_x.place(one.place), scale_y.place(one.milliseconds), x, y, "timeout") for one in last]
        parts += _cross(x, y)
    return parts


def _end(curve: LatencyCurve) -> Point:
    """Return where a curve's label belongs."""
    points = curve.measured or curve.corrected
    return points[-1] if points else Point(curve.clipped_at or FIRST, curve.row.timeout_seconds * 1e3)


def _cross(x: float, y: float) -> list[Markup]:
    return [svg.line(x - 4, y - 4, x + 4, y + 4, "cross"), svg.line(x - 4, y + 4, x + 4, y - 4, "cross")]


def _timeout(timeout: float, plot: frame.Plot) -> list[Markup]:
    y = plot.y(timeout)
    said = say("timeout, {timeout}", timeout=latency(timeout))
    baseline = y - 4 if y - 14 > plot.top else y + 12
    return [svg.line(plot.left, y, plot.right, y, "timeout"), svg.text(plot.left + 4, baseline, said, "small over")]


def _signs(plan: _Plan) -> list[frame.Sign]:
    known = (
        (say("as measured"), "measured", any(curve.measured for curve in plan.curves)),
        (say("corrected by the load generator"), "corrected", any(curve.corrected for curve in plan.curves)),
    )
    signs = [frame.Sign(partial(_line_sign, kind), said) for said, kind, is_there in known if is_there]
    if plan.timeouts:
        signs.append(frame.Sign(_cross, say("from here on, replies were later than the timeout")))
    if len(plan.curves) > MOST_TOGETHER:
        some = len(plan.curves) > MOST_BEHIND
        signs.append(frame.Sign(_faint_sign, say("some of the other rows") if some else say("the other rows")))
    return signs


def _line_sign(kind: str, x: float, y: float) -> list[Markup]:
    return [svg.line(x - 12, y, x + 12, y, f"line s1 {kind}")]


def _faint_sign(x: float, y: float) -> list[Markup]:
    return [svg.line(x - 12, y, x + 12, y, "repeat")]


def _about(curves: Sequence[LatencyCurve]) -> str:
    said = [say_count("Latency by percentile of {count} row.", "Latency by percentile of {count} rows.", len(curves))]
    for curve in curves:
        points = curve.measured or curve.corrected
        if points:
            first, last = points[0], points[-1]
            said.append(
                say(
                    "{row}: half of the replies within {median}, {share} within {most}.",
                    row=curve.row.label,
                    median=latency(first.milliseconds),
                    share=_share(last.place),
                    most=latency(last.milliseconds),
                )
            )
    return " ".join(said)


def _share(place: float) -> str:
    """Write a place as the share of the replies that are faster: `99.9 %`."""
    percent = 100 - 100 / place
    return f"{percent:.{0 if place <= 100 else 1 if place <= 1000 else 2}f} %"


def _guide(plan: _Plan) -> str:
    said = [
        say(
            "At p99, 99 of 100 replies were at least as fast. From each mark of the axis to the next, a tenth of the "
            "replies is left: the right end is what the slowest had to wait."
        ),
        say("A curve ends where fewer than ten replies were slower: another load has others there."),
    ]
    if any(curve.corrected for curve in plan.curves):
        said.append(
            say(
                "Corrected latencies have requests added that were never sent: they are right where the server stopped for "
                "all, and too high where only some replies were slow."
            )
        )
    if plan.timeouts:
        said.append(say("A cross is where replies were later than the timeout: how late they were is not known."))
    if len(plan.curves) > MOST_TOGETHER:
        said.append(say("All panels have the same axes."))
    return " ".join(said)


def _lines(curve: LatencyCurve) -> Iterator[tuple[str, ...]]:
    """Yield the values of a curve as lines of a table."""
    replies = f"{curve.replies:,}" if curve.replies else NOTHING
    for said, points in ((say("as measured"), curve.measured), (say("corrected"), curve.corrected)):
        if points:
            known = {round(point.place, 3): milliseconds(point.milliseconds) for point in points}
            yield (curve.row.label, said, *(known.get(place, NOTHING) for place, _ in _TICKS), replies)
    if curve.late:
        late = say_count(
            "{count} reply was later than the timeout", "{count} replies were later than the timeout", curve.late
        )
        yield (curve.row.label, late, *(NOTHING for _ in _TICKS), replies)
