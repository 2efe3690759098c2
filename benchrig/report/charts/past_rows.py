"""The history of all rows of a suite: a small panel for each, with its runs in order, its levels and its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from markupsafe import Markup

from benchrig.language import say, say_count
from benchrig.report import figures
from benchrig.report.charts import panels, svg
from benchrig.report.charts.chart import Chart, drawn
from benchrig.report.charts.frame import MOST_ROWS, Sign, legend, more_rows
from benchrig.report.charts.past_words import metric_said, percent_said, title
from benchrig.report.charts.scales import Linear, Scale
from benchrig.report.history.lookup import History
from benchrig.report.history.series import Point, Series
from benchrig.report.metrics import Metric
from benchrig.statistics.steps import SHORTEST_LEVEL
from benchrig.units import NOTHING

MOST_RUNS = 60
"""Newest runs that a panel shows."""

_HEIGHT = 56.0
_ARM = 2.5


def draw_rows(history: History, metric: Metric) -> Iterator[Chart]:
    """Yield the chart of the rows of a history that have a value; none where no row has one."""
    having = [one for one in history.rows if any(point.value is not None for point in one.points)]
    if not having:
        return
    shown = having[:MOST_ROWS]
    wide, narrow = drawn(partial(_drawing, shown, metric))
    yield Chart(
        key=f"history-{history.suite}-{metric.claimed}",
        title=_title(having, metric),
        about="; ".join(f"{one.row}: {title(one, metric)}" for one in shown),
        guide=say(
            "Each panel is a row, with its runs from left to right and a scale of its own; a dot is a run, a line across is "
            "a level, a dashed line is a step, a cross is a run that is not used. The figure above is the newest run's."
        ),
        wide=wide,
        narrow=narrow,
        headings=headings(metric),
        rows=tuple(cells(one, metric) for one in shown),
        more=" ".join(filter(None, (more_rows(len(having)), _fewer_runs(shown)))),
    )


def headings(metric: Metric) -> tuple[str, ...]:
    """Return the headings of a table of rows over their runs."""
    return (say("row"), say("runs"), say("newest, {metric}", metric=metric_said(metric)), say("what was seen"))


def cells(one: Series, metric: Metric) -> tuple[str, ...]:
    """Return the line of a row in that table."""
    return (one.row, str(len(one.points)), newest_value(one, metric), title(one, metric))


def newest_value(one: Series, metric: Metric) -> str:
    """Return the value of the newest run of a row, as its report shows it."""
    values = one.points[-1].values
    return figures.text(figures.sample(values, metric), metric) if values else NOTHING


def _fewer_runs(shown: Sequence[Series]) -> str:
    if all(len(one.points) <= MOST_RUNS for one in shown):
        return ""
    return say("A panel has the newest {count} runs.", count=MOST_RUNS)


def _title(having: Sequence[Series], metric: Metric) -> str:
    stepped, off = sum(bool(one.steps) for one in having), sum(one.newest.off is True for one in having)
    every = f"{len(having):,}"
    said = say_count("{count} of {rows} rows has a step", "{count} of {rows} rows have a step", stepped, rows=every)
    if not any(sum(not point.unused for point in one.points) >= 2 * SHORTEST_LEVEL for one in having):
        said = say("no row has the {needed} runs that a step takes", needed=2 * SHORTEST_LEVEL)
    elif not stepped:
        said = say("no step is seen in {rows} rows", rows=every)
    newest = say_count("the newest run is off in {count}", "the newest run is off in {count}", off) if off else ""
    found = say("{found}; {newest}", found=said, newest=newest) if newest else said
    return say("{metric}: {finding}", metric=metric_said(metric), finding=found)


def _drawing(shown: Sequence[Series], metric: Metric, width: int) -> Markup:
    labels = [one.row for one in shown]
    grid = panels.grid(labels, width, across=panels.columns(labels, width), height=_HEIGHT, left=6, below=14, title=32)
    parts: list[Markup] = []
    for one, panel in zip(shown, grid.panels, strict=True):
        parts += _panel(one, metric, panel)
    signs, end = legend(_signs(shown), width, grid.height)
    return svg.drawing([*parts, *signs], width, end + 2)


def _panel(one: Series, metric: Metric, panel: panels.Panel) -> list[Markup]:
    points = one.points[-MOST_RUNS:]
    places = {point.run: place for place, point in enumerate(points)}
    across = Linear(-0.6, len(points) - 0.4, panel.left, panel.right)
    up = _scale(points, panel)
    room = panel.right - panel.left
    last = say("step {percent}", percent=percent_said(one.steps[-1].ratio)) if one.steps else ""
    said = " · ".join(filter(None, (newest_value(one, metric), last, say("off") if one.newest.off else "")))
    found = [
        *panels.heading(panel, panel.top - 18),
        svg.text(panel.left, panel.top - 5, svg.shortened(said, room, svg.SMALL), "small"),
        svg.line(panel.left, panel.bottom, panel.right, panel.bottom, "axis"),
    ]
    for level in one.levels if one.steps else ():
        if level.last_run in places:
            y = up.place(level.typical)
            left = across.place(places.get(level.first_run, 0) - 0.4)
            found.append(svg.line(left, y, across.place(places[level.last_run] + 0.4), y, "level"))
    for step in one.steps:
        if step.run in places:
            x = across.place(places[step.run] - 0.5)
            found.append(svg.line(x, panel.top, x, panel.bottom, "event"))
    used = [
        (across.place(n), up.place(point.value))
        for n, point in enumerate(points)
        if point.value is not None and not point.unused
    ]
    found += [svg.paths([[at, at] for at in used], "points")] if used else []
    if one.newest.off and used:
        found.append(svg.element("circle", cx=used[-1][0], cy=used[-1][1], r=4.5, class_="ring"))
    found += _crosses(points, across, up, panel)
    return found


def _scale(points: Sequence[Point], panel: panels.Panel) -> Linear:
    """Return the scale of a panel's values, a little wider than they are; at least 2 % of them, or noise would fill it."""
    values = [point.value for point in points if point.value is not None] or [0.0]
    low, high = min(values), max(values)
    margin = max((high - low) * 0.1, 0.01 * abs(high), 1e-9)
    return Linear(low - margin, high + margin, panel.bottom, panel.top)


def _crosses(points: Sequence[Point], across: Scale, up: Scale, panel: panels.Panel) -> list[Markup]:
    lines = []
    for place, point in enumerate(points):
        if point.unused:
            x, y = across.place(place), panel.bottom - 4 if point.value is None else up.place(point.value)
            lines += crossed(x, y, _ARM)
    return [svg.paths(lines, "cross")] if lines else []


def _signs(shown: Sequence[Series]) -> list[Sign]:
    """Return the legend of those signs that the drawing has."""
    steps = any(one.steps for one in shown)
    off = any(one.newest.off for one in shown)
    unused = any(point.unused for one in shown for point in one.points[-MOST_RUNS:])
    known = [
        (True, Sign(lambda x, y: [svg.paths([[(x, y), (x, y)]], "points")], say("a run"))),
        (steps, Sign(lambda x, y: [svg.line(x - 11, y, x + 11, y, "level")], say("level"))),
        (steps, Sign(lambda x, y: [svg.line(x, y - 8, x, y + 8, "event")], say("step"))),
        (off, Sign(lambda x, y: [svg.element("circle", cx=x, cy=y, r=4.5, class_="ring")], say("newest run, off"))),
        (unused, Sign(_cross_sign, say("not used"))),
    ]
    return [sign for there, sign in known if there]


def _cross_sign(x: float, y: float) -> list[Markup]:
    return [svg.paths(crossed(x, y, 4.0), "cross")]


def crossed(x: float, y: float, arm: float) -> list[list[tuple[float, float]]]:
    """Return the two lines of a cross: the mark of a run that takes part in nothing."""
    return [[(x - arm, y - arm), (x + arm, y + arm)], [(x - arm, y + arm), (x + arm, y - arm)]]
