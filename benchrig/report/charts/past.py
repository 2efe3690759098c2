"""The history of a row: its runs in order, levels, steps, and what was expected of the newest; or a panel for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from benchrig.language import say, say_count, say_data
from benchrig.report import figures
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import WIDE, Chart, drawn
from benchrig.report.charts.frame import Axis, Plot, Sign, legend, plot
from benchrig.report.charts.past_rows import crossed, draw_rows
from benchrig.report.charts.past_words import changed, commit, judged, metric_said, percent_said, title
from benchrig.report.charts.scales import Linear, Scale, spanning, with_ends
from benchrig.report.history.lookup import History
from benchrig.report.history.series import Point, Series, Step
from benchrig.report.metrics import BY_NAME, Metric
from benchrig.units import NOTHING

MOST_DOTS = 600
"""Repeats that are drawn one by one; of more, a line for each run is what they span."""

_MOST_LARGE = 80
"""Runs whose marks are as large as elsewhere; those of more are smaller."""

_MOST_NAMED = 6
"""Steps that are named below the drawing: the newest ones."""

_HEIGHT, _TIER, _LINE = 300.0, 14.0, 16.0
_MOST_TIERS = 3


def draw(history: History) -> Iterator[Chart]:
    """Yield the chart of one row, or that of all rows with a panel for each; none where no run has a value."""
    metric = BY_NAME[history.metric]
    if len(history.rows) > 1:
        yield from draw_rows(history, metric)
    elif any(_is_drawn(point) for one in history.rows for point in one.points):
        yield _chart(history.rows[0], metric)


def _is_drawn(point: Point) -> bool:
    return point.value is not None


def _chart(one: Series, metric: Metric) -> Chart:
    wide, narrow = drawn(partial(_drawing, one, metric))
    return Chart(
        key=f"history-{one.row}-{metric.claimed}",
        title=say("{row}, {metric}: {finding}", row=one.row, metric=say_data(metric.label), finding=title(one, metric)),
        about=_about(one, metric),
        guide=_guide(one),
        wide=wide,
        narrow=narrow,
        headings=headings(metric),
        rows=cells(one, metric),
        more=_left_out(one),
    )


def headings(metric: Metric) -> tuple[str, ...]:
    """Return the headings of a table of the runs of a row."""
    return (
        say("run"),
        metric_said(metric),
        say("what was seen"),
        say("repeats"),
        say("began"),
        say("commit"),
        say("label"),
    )


def cells(one: Series, metric: Metric) -> tuple[tuple[str, ...], ...]:
    """Return the lines of that table."""
    steps = {step.run: step for step in one.steps}
    return tuple(_values(point, metric, steps) for point in one.points)


def _left_out(one: Series) -> str:
    if not one.left_out:
        return ""
    return say_count("{count} earlier run is not shown.", "{count} earlier runs are not shown.", one.left_out)


def _about(one: Series, metric: Metric) -> str:
    said = [f"{point.run}: {_said(point, metric)}" for point in one.points]
    runs = say_count("{count} run in order", "{count} runs in order", len(one.points))
    return say(
        "{metric} of {row}, {runs}: {found}.", metric=metric_said(metric), row=one.row, runs=runs, found="; ".join(said)
    )


def _said(point: Point, metric: Metric) -> str:
    return " ".join(filter(None, (_value(point, metric), point.unused)))


def _value(point: Point, metric: Metric) -> str:
    return figures.text(figures.sample(point.values, metric) if point.values else None, metric)


def _guide(one: Series) -> str:
    said = [say("From left to right, each run of like conditions, evenly spaced; the mark is its value.")]
    if one.steps:
        said.append(say("A strong line is a level; a dashed line is a step, just before the first run of the new level."))
    if one.newest.low is not None:
        said.append(say("The bar at the right is what the earlier runs let expect of the newest one."))
    said.append(say("The axis does not begin at 0."))
    return " ".join(said)


def _values(point: Point, metric: Metric, steps: Mapping[str, Step]) -> tuple[str, ...]:
    step = steps.get(point.run)
    seen = point.unused or (say("step: {change}", change=changed(step.ratio, metric)) if step else "")
    began = point.started_at.replace("T", " ").removesuffix("Z")
    rest = (f"{len(point.values)}", began, commit(point.commit), point.label or NOTHING)
    return (point.run, _value(point, metric), seen or NOTHING, *rest)


def _drawing(one: Series, metric: Metric, width: int) -> Markup:
    labels = [percent_said(step.ratio) for step in one.steps]
    frame = _frame(one, metric, width, labels)
    parts = [*frame.parts(), *_expected(one, frame), *_dots(one, frame), *_levels(one, frame)]
    parts += _step_marks(one, frame, labels)
    parts += _run_marks(one, frame)
    signs, end = legend(_signs(one), width, frame.top - 22.0 + frame.height)
    named, end = _named(one, metric, width, end)
    return svg.drawing([*parts, *signs, *named], width, end + 4)


def _frame(one: Series, metric: Metric, width: int, labels: Sequence[str]) -> Plot:
    values = [value for point in one.points for value in (point.value, *point.values) if value is not None]
    ends = [end for end in (one.newest.low, one.newest.high) if end is not None]
    count = len(one.points)
    ticks = [(float(place), _day(one.points[place])) for place in _dated(one.points)]
    across = Axis(
        say("runs, the newest at the right"), lambda start, end: Linear(-0.6, count - 0.4, start, end), ticks=ticks
    )
    up = Axis(metric_said(metric), partial(_spanning, with_ends(values, ends)))
    tiers = min(len(labels), _MOST_TIERS if width < WIDE else 2)
    return plot(width, _HEIGHT, across, up, top=_TIER * max(tiers - 1, 0))


def _spanning(values: Sequence[float], start: float, end: float) -> Scale:
    return spanning(values, start, end, from_zero=False)


def _dated(points: Sequence[Point]) -> list[int]:
    """Return the places of runs whose day is another one than that of the run before."""
    return [n for n, point in enumerate(points) if not n or _day(point) != _day(points[n - 1])]


def _day(point: Point) -> str:
    return point.started_at[:10]


def _used(one: Series) -> Iterator[tuple[int, Point, float]]:
    """Yield the runs that take part, each with its place and value."""
    for place, point in enumerate(one.points):
        if point.value is not None and not point.unused:
            yield place, point, point.value


def _dots(one: Series, frame: Plot) -> list[Markup]:
    """Return every repeat as a faint dot; of very many, a line from the least to the most of each run."""
    used = [(place, point.values) for place, point, _ in _used(one) if len(point.values) > 1]
    if sum(len(values) for _, values in used) > MOST_DOTS:
        ends = [[frame.at(place, min(values)), frame.at(place, max(values))] for place, values in used]
        return [svg.paths(ends, "repeat")]
    circles = [
        svg.element("circle", cx=frame.x(place), cy=frame.y(value), r=marks.DOT)
        for place, values in used
        for value in values
    ]
    return [svg.group(circles, class_="dot")] if circles else []


def _levels(one: Series, frame: Plot) -> Iterator[Markup]:
    """Yield a line for each level, from its first run to its last one."""
    places = {point.run: place for place, point in enumerate(one.points)}
    for level in one.levels if one.steps else ():
        y = frame.y(level.typical)
        left, right = places[level.first_run] - 0.4, places[level.last_run] + 0.4
        yield svg.line(frame.x(left), y, frame.x(right), y, "level")


def _step_marks(one: Series, frame: Plot, labels: Sequence[str]) -> list[Markup]:
    """Return a line at each step, and its percent above it; in as many lines as keep them apart, and off the axis' title."""
    places = {point.run: place for place, point in enumerate(one.points)}
    found: list[Markup] = []
    tiers = 1 + round((frame.top - 22.0) / _TIER)
    taken = {0: svg.text_width(frame.up.named(frame.scale_y), svg.SMALL) + 4}
    for step, said in zip(one.steps, labels, strict=True):
        x = frame.x(places[step.run] - 0.5)
        found.append(svg.line(x, frame.top, x, frame.bottom, "event"))
        half = svg.text_width(said, svg.SMALL) / 2
        middle = min(max(x, half + 2), frame.width - half - 2)
        tier = next((tier for tier in range(tiers) if taken.get(tier, -1.0) < middle - half - 4), None)
        if tier is not None:
            taken[tier] = middle + half
            found.append(svg.text(middle, frame.top - 9 - _TIER * tier, said, "small", "middle"))
    return found


def _expected(one: Series, frame: Plot) -> Iterator[Markup]:
    """Yield the bar of what was expected of the newest run."""
    newest = one.newest
    if newest.low is None or newest.high is None:
        return
    x, top, bottom = frame.x(len(one.points) - 1), frame.y(newest.high), frame.y(newest.low)
    half = min(9.0, frame.right - x)
    yield svg.element("rect", x=x - half, y=top, width=2 * half, height=max(bottom - top, 1.0), class_="expected")


def _run_marks(one: Series, frame: Plot) -> Iterator[Markup]:
    radius = marks.MEDIAN if len(one.points) <= _MOST_LARGE else marks.DOT
    for place, _, value in _used(one):
        yield svg.element("circle", cx=frame.x(place), cy=frame.y(value), r=radius, class_="median")
    for place, point in enumerate(one.points):
        if point.unused:
            y = frame.bottom - 6 if point.value is None else frame.y(point.value)
            yield _cross(frame.x(place), y)
    newest = one.points[-1]
    if one.newest.off and newest.value is not None:
        yield _ring(frame.x(len(one.points) - 1), frame.y(newest.value))


def _cross(x: float, y: float) -> Markup:
    """Return the mark of a run that takes part in nothing."""
    return svg.paths(crossed(x, y, 4.0), "cross")


def _ring(x: float, y: float) -> Markup:
    return svg.element("circle", cx=x, cy=y, r=7.5, class_="ring")


def _signs(one: Series) -> list[Sign]:
    """Return the legend of those signs that the drawing has."""
    several = any(len(point.values) > 1 for _, point, _ in _used(one))
    known = [
        (any(True for _ in _used(one)), Sign(lambda x, y: [marks.value(x, y)], say("a run"))),
        (several, Sign(lambda x, y: marks.dots([x - 6, x, x + 6], y), say("a repeat"))),
        (bool(one.steps), Sign(lambda x, y: [svg.line(x - 11, y, x + 11, y, "level")], say("level"))),
        (bool(one.steps), Sign(lambda x, y: [svg.line(x, y - 8, x, y + 8, "event")], say("step"))),
        (one.newest.low is not None, Sign(_expected_sign, say("expected of the newest run"))),
        (bool(one.newest.off), Sign(lambda x, y: [_ring(x, y)], say("off"))),
        (any(point.unused for point in one.points), Sign(lambda x, y: [_cross(x, y)], say("not used"))),
    ]
    return [sign for there, sign in known if there]


def _expected_sign(x: float, y: float) -> list[Markup]:
    return [svg.element("rect", x=x - 8, y=y - 8, width=16, height=16, class_="expected")]


def _named(one: Series, metric: Metric, width: float, top: float) -> tuple[list[Markup], float]:
    """Return a line for each of the newest steps, with its first run and commit, and one about the newest run."""
    said = [_step_said(step, metric) for step in one.steps[-_MOST_NAMED:]]
    if len(one.points) > 1:
        said.append(say("Newest run: {judged}", judged=judged(one.newest, metric)))
    found = [
        svg.text(2, top + _LINE * (number + 1), svg.shortened(line, width - 4, svg.SMALL), "small")
        for number, line in enumerate(said)
    ]
    return found, top + _LINE * len(said)


def _step_said(step: Step, metric: Metric) -> str:
    said = say("{change} since {run}", change=changed(step.ratio, metric), run=step.run)
    return say("{text} ({detail})", text=said, detail=commit(step.commit)) if step.commit else said
