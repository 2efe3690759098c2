"""Throughput against latency of systems that were measured at several numbers of connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from benchrig import units
from benchrig.language import say
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import WIDE, Chart, drawn
from benchrig.report.charts.frame import Axis, Plot, Sign, beside, legend, plot
from benchrig.report.charts.palette import SERIES
from benchrig.report.charts.scales import spanning
from benchrig.report.charts.throughput import state
from benchrig.report.document import Report
from benchrig.report.metrics import BY_NAME, THROUGHPUT, Metric
from benchrig.report.table import Row
from benchrig.statistics.difference import SIGNIFICANT, welch
from benchrig.units import COUNT

_PERCENTILES = ("p99", "p50")
"""A panel for each, from top to bottom."""


@dataclass(frozen=True)
class _Series:
    name: str
    rows: tuple[Row, ...]
    """By their number of connections."""


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of all systems with several numbers of connections under the same traffic; none where none has."""
    metrics = _metrics(report.table.rows)
    found = list(_series(report.table.rows, metrics))
    if not (metrics and found):
        return
    shown = found[:SERIES]
    wide, narrow = drawn(partial(_drawing, shown, metrics))
    yield Chart(
        key="sweep",
        title=_title(shown, metrics[0]),
        about="; ".join(_about(one, metrics) for one in shown),
        guide=_guide(),
        wide=wide,
        narrow=narrow,
        headings=_headings(metrics),
        rows=tuple(_values(one, row, metrics) for one in shown for row in one.rows),
        more=say("Of {count} systems, it shows the first {shown}.", count=len(found), shown=SERIES)
        if len(found) > SERIES
        else "",
    )


def _metrics(rows: Sequence[Row]) -> tuple[Metric, ...]:
    """Return the metrics of the panels: latencies as measured, or the corrected ones where only those are known."""
    for form in ("latency_{}_ms", "latency_corrected_{}_ms"):
        metrics = tuple(BY_NAME[form.format(name)] for name in _PERCENTILES)
        if any(all(metric.name in row.figures for metric in metrics) for row in rows):
            return metrics
    return ()


def _series(rows: Sequence[Row], metrics: Sequence[Metric]) -> Iterator[_Series]:
    groups: dict[tuple[str, str, str, float], list[Row]] = {}
    for row in rows:
        if all(metric.name in row.figures for metric in (THROUGHPUT, *metrics)):
            groups.setdefault((row.system, row.route, row.host, row.sleep_seconds), []).append(row)
    swept = {key: of for key, of in groups.items() if len({row.connections for row in of}) > 1}
    routes, hosts = len({route for _, route, _, _ in swept}) > 1, len({host for _, _, host, _ in swept}) > 1
    for (system, route, host, _), of in swept.items():
        name = " ".join(filter(None, (system, route if routes else "", f"({host})" if hosts else "")))
        yield _Series(name, tuple(sorted(of, key=lambda row: row.connections)))


def _value(row: Row, metric: Metric) -> float:
    return row.figures[metric.name].value


def _title(found: Sequence[_Series], latency: Metric) -> str:
    """Return what more connections did to the fastest system, and whether its repeats show it."""
    best = max(found, key=lambda one: max(_value(row, THROUGHPUT) for row in one.rows))
    few, many = best.rows[0], best.rows[-1]
    compared = welch(few.figures[THROUGHPUT.name].values, many.figures[THROUGHPUT.name].values)
    if compared is None:
        shown = say("too few repeats to show it")
    elif compared.p < SIGNIFICANT:
        shown = say("the repeats show it")
    else:
        shown = say("the repeats do not tell them apart")
    return say(
        "With {many} connections instead of {few}, {system} answers {requests} times as many requests ({shown}), "
        "and its {latency} is {times} times as long",
        many=COUNT.text(many.connections),
        few=COUNT.text(few.connections),
        system=best.name,
        requests=_times(_value(many, THROUGHPUT), _value(few, THROUGHPUT)),
        shown=shown,
        latency=latency.label,
        times=_times(_value(many, latency), _value(few, latency)),
    )


def _times(of: float, over: float) -> str:
    return units.ratio(of / over if over else None)


def _about(one: _Series, metrics: Sequence[Metric]) -> str:
    points = [
        say(
            "{connections} connections: {throughput} requests/s, {latencies}",
            connections=COUNT.text(row.connections),
            throughput=row.text(THROUGHPUT),
            latencies=say(", ").join(f"{metric.label} {row.text(metric)}" for metric in metrics),
        )
        for row in one.rows
    ]
    return f"{one.name}: {', '.join(points)}"


def _guide() -> str:
    return say(
        "A point is a row, with its number of connections beside it; a line joins the rows of a system. "
        "Where a line turns upwards, more connections only wait longer. Lower and further right is better."
    )


def _headings(metrics: Sequence[Metric]) -> tuple[str, ...]:
    latencies = (say("{metric}, {unit}", metric=metric.label, unit=metric.unit.said) for metric in metrics)
    return say("system"), say("connections"), THROUGHPUT.label, *latencies, say("state")


def _values(one: _Series, row: Row, metrics: Sequence[Metric]) -> tuple[str, ...]:
    latencies = (units.number(_value(row, metric)) for metric in metrics)
    return one.name, COUNT.text(row.connections), row.text(THROUGHPUT), *latencies, state(row)


def _drawing(found: Sequence[_Series], metrics: Sequence[Metric], width: int) -> Markup:
    every = [row for one in found for row in one.rows]
    across = Axis(THROUGHPUT.unit.said, partial(spanning, [_value(row, THROUGHPUT) for row in every]))
    parts: list[Markup] = []
    top, room = 0.0, 12 + max(svg.text_width(COUNT.text(row.connections), svg.SMALL) for row in every)
    for metric in metrics:
        title = say("{metric}, {unit}", metric=metric.label, unit=metric.unit.said)
        values = [_value(row, metric) for row in every]
        # Below the least value there is room for its text.
        up = Axis(title, partial(spanning, [*values, min(values) / 2]))
        frame = plot(width, 240.0 if width >= WIDE else 210.0, across, up, top=top, room=room)
        parts += [*frame.parts(), *_points(found, metric, frame)]
        top += frame.height + 4
    known = [_sign(number, one.name) for number, one in enumerate(found)]
    if any(row.invalid for row in every):
        known.append(Sign(lambda x, y: [marks.shape(x, y, 0, hollow=True)], say("hollow: an invalid row")))
    signs, end = legend(known, width, top)
    return svg.drawing([*parts, *signs], width, end + 2)


def _points(found: Sequence[_Series], metric: Metric, frame: Plot) -> Iterator[Markup]:
    lines: list[list[tuple[float, float]]] = []
    for number, one in enumerate(found):
        points = [frame.at(_value(row, THROUGHPUT), _value(row, metric)) for row in one.rows]
        yield marks.line(points, number)
        for (x, y), row in zip(points, one.rows, strict=True):
            yield marks.shape(x, y, number, hollow=row.invalid)
        lines.append(points)
    texts = [[COUNT.text(row.connections) for row in one.rows] for one in found]
    for said in beside(lines, texts, (frame.left, frame.top, frame.width, frame.bottom)):
        yield svg.text(said.x, said.y, said.said, "small over", said.anchor)


def _sign(series: int, name: str) -> Sign:
    return Sign(lambda x, y: [marks.line([(x - 12, y), (x + 12, y)], series), marks.shape(x, y, series)], name)
