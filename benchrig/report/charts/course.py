"""The course of a row: throughput, CPU and memory while the load ran, every repeat and their median."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from markupsafe import Markup

from benchrig.language import say, say_count
from benchrig.report.charts import frame, panels, svg
from benchrig.report.charts.chart import NARROW, Chart, drawn, slugs
from benchrig.report.charts.events import Event, events_of, finding
from benchrig.report.charts.scales import Linear, Scale, spanning
from benchrig.report.courses import Curve, Curves, curves_of, usable
from benchrig.report.document import Report
from benchrig.report.table import Row
from benchrig.units import number, rounded

POINTS = {False: 48, True: 24}
"""Of a line at most, on a wide and on a narrow drawing."""

MOST_REPEATS = 20
"""So many repeats are in a chart: of more, every second one, every third one, and so on."""

MOST_SLIM = 8
"""Of more repeats, a narrow drawing has what they span in place of their lines."""

TOGETHER = 2
"""So many charts are shown; more are folded."""

_LINES = 10
"""Of the table of values."""

_HEIGHT = 62.0
_TITLE = 18.0
_EVENT = 14.0


@dataclass(frozen=True)
class _Kind:
    """One of the plots of a chart."""

    title: Callable[[], str]
    values: Callable[[Curve], Sequence[float]]
    at: float
    """Where in each part its value is: in the middle, 0.5, or at the end, 1."""
    per: float = 1.0
    """What the values are divided by."""


_KINDS = (
    _Kind(lambda: say("requests/s, about"), lambda curve: curve.requests_per_second, 0.5),
    _Kind(lambda: say("CPU of the app, % of a core"), lambda curve: curve.cpu_percent, 0.5),
    _Kind(lambda: say("memory of the app, MiB"), lambda curve: curve.memory_bytes, 1.0, 2**20),
)


def draw(report: Report) -> Iterator[Chart]:
    """Yield a chart for each row whose server kept a series."""
    rows = [row for row in report.table.rows if any(map(usable, row.courses))][: frame.MOST_ROWS]
    for key, row in zip(slugs(f"course-{row.label}" for row in rows), rows, strict=True):
        sound = [course for course in row.courses if usable(course)]
        every = math.ceil(len(sound) / MOST_REPEATS)
        shown = replace(row, courses=tuple(sound[::every]))
        yield _chart(key, shown, _more(len(row.courses), len(sound), len(shown.courses)), folded=len(rows) > TOGETHER)


def _more(all_repeats: int, sound: int, shown: int) -> str:
    """Return which repeats of a row are not in its chart."""
    left_out = all_repeats - sound
    said = [
        say("Of {count} repeats, {shown} are in it, evenly chosen.", count=sound, shown=shown) if shown < sound else "",
        say_count(
            "{count} repeat has no course that can be drawn.", "{count} repeats have no course that can be drawn.", left_out
        )
        if left_out
        else "",
    ]
    return " ".join(filter(None, said))


def _chart(key: str, row: Row, more: str, folded: bool) -> Chart:
    wide, narrow = drawn(partial(_drawing, row))
    curves, few = _curves(row, POINTS[False]), _curves(row, _LINES)
    return Chart(
        key=key,
        title=finding(row, curves),
        about=_about(curves),
        guide=_guide(curves, marked=bool(events_of(row))),
        wide=wide,
        narrow=narrow,
        headings=(say("until, s"), *(kind.title() for kind in _KINDS)),
        rows=tuple(_values(few)),
        more=more,
        folded=folded,
    )


def _curves(row: Row, most: int) -> Curves:
    curves = curves_of(row.courses, most)
    assert curves is not None, "a row without a usable course has no chart"
    return curves


def _drawing(row: Row, width: int) -> Markup:
    slim = width <= NARROW
    curves = _curves(row, POINTS[slim])
    end = curves.part_seconds * curves.parts
    left, right = _left(curves), width - 8.0
    across = Linear(0, end, left, right)
    events = events_of(row)
    named, strip = _named(events, across, width)
    parts, top = list(named), strip
    for kind in _KINDS:
        bottom = top + _TITLE + _HEIGHT
        parts += _plot(kind, curves, across, top + _TITLE, bottom, slim)
        parts += _marks(events, across, top + _TITLE, bottom)
        top = bottom + 6
    bottom = top - 6
    for at, said in frame.ticks_apart(across, left, float(width)):
        half = svg.text_width(said, svg.SMALL) / 2
        parts.append(svg.text(min(at, width - half), bottom + 13, said, "small", "middle"))
    parts.append(svg.text(right, bottom + 27, say("seconds since the load began"), "small", "end"))
    return svg.drawing(parts, width, bottom + 32)


def _left(curves: Curves) -> float:
    """Return how much room the ticks of all plots need."""
    ticks = (
        tick for kind in _KINDS for tick in frame.ticks_apart(_scale(kind, curves, _HEIGHT, 0), 0, _HEIGHT, upright=True)
    )
    return 8 + max(svg.text_width(said, svg.SMALL) for _, said in ticks)


def _scale(kind: _Kind, curves: Curves, bottom: float, top: float) -> Scale:
    values = [value / kind.per for one in (*curves.repeats, curves.median) for value in kind.values(one)]
    return spanning(values, bottom, top, log=False, count=3)


def _plot(kind: _Kind, curves: Curves, across: Linear, top: float, bottom: float, slim: bool) -> list[Markup]:
    def values(curve: Curve) -> list[float]:
        return [value / kind.per for value in kind.values(curve)]

    scale = _scale(kind, curves, bottom, top)

    def places(line: Sequence[float]) -> list[panels.Point]:
        seconds = ((place + kind.at) * curves.part_seconds for place in range(len(line)))
        return [(across.place(at), scale.place(value)) for at, value in zip(seconds, line, strict=True)]

    parts = [svg.text(across.start, top - 5, kind.title(), "small"), *_grid(scale, across, top, bottom)]
    if len(curves.repeats) > MOST_SLIM and slim:
        length = len(curves.median.memory_bytes)
        parts.append(svg.path(_span([values(one)[:length] for one in curves.repeats], places), "band"))
    elif len(curves.repeats) > 1:
        parts.append(svg.paths([_coarse(places(values(one))) for one in curves.repeats], "repeat"))
    parts.append(svg.path(panels.simplified(places(values(curves.median)), 0.3), "course"))
    return parts


def _grid(scale: Scale, across: Linear, top: float, bottom: float) -> list[Markup]:
    ticks = frame.ticks_apart(scale, top, bottom, upright=True)
    lines = panels.lines([at for at, _ in ticks], [], (across.start, top, across.end, bottom))
    return [lines, *(svg.text(across.start - 5, at + 4, said, "small", "end") for at, said in ticks)]


def _coarse(points: Sequence[panels.Point]) -> list[panels.Point]:
    """Return a line that is one of many, in whole pixels: it has half as much text."""
    return [(float(round(x)), float(round(y))) for x, y in panels.simplified(points, 1.1)]


def _span(lines: Sequence[Sequence[float]], places: Callable[[Sequence[float]], list[panels.Point]]) -> list[panels.Point]:
    """Return the outline of what several lines span."""
    longest = max(map(len, lines))
    parts = [[line[place] for line in lines if place < len(line)] for place in range(longest)]
    low, high = (panels.simplified(places([end(part) for part in parts]), 0.8) for end in (min, max))
    return [(float(round(x)), float(round(y))) for x, y in (*low, *reversed(high))]


def _named(events: Sequence[Event], across: Linear, width: float) -> tuple[list[Markup], float]:
    """Return the names of what happened, each above its place, and where they end."""
    parts: list[Markup] = []
    ends: list[float] = []
    for event in sorted(events, key=lambda one: one.at):
        if not event.said:
            continue
        said = svg.shortened(event.said, width - 4, svg.SMALL)
        room = svg.text_width(said, svg.SMALL)
        x = min(max(across.place(event.at), 2), width - room - 2)
        line = next((number for number, taken in enumerate(ends) if taken + 8 <= x), len(ends))
        ends[line : line + 1] = [x + room]
        parts.append(svg.text(x, line * _EVENT + 11, said, "small"))
    return parts, len(ends) * _EVENT


def _marks(events: Sequence[Event], across: Linear, top: float, bottom: float) -> Iterator[Markup]:
    """Yield the marks of what happened in one plot: a line, or an area of what took a while."""
    for event in events:
        start = across.place(event.at)
        if event.until is None:
            yield svg.line(start, top, start, bottom, "event")
        else:
            width = max(across.place(event.until) - start, 1.5)
            yield svg.element("rect", x=start, y=top, width=width, height=bottom - top, class_="pause")


def _about(curves: Curves) -> str:
    rates = curves.median.requests_per_second
    return say(
        "Throughput, CPU and memory over {seconds} s, of {repeats}: about {low} to {high} requests/s. No repeat used more "
        "than {cpu} % of a core, nor more than {memory} MiB.",
        seconds=number(round(curves.part_seconds * curves.parts, 1)),
        repeats=say_count("{count} repeat", "the median of {count} repeats", len(curves.repeats)),
        low=number(min(rates)),
        high=number(max(rates)),
        cpu=rounded(curves.most_cpu_percent, 0),
        memory=number(curves.most_memory_bytes / 2**20),
    )


def _guide(curves: Curves, marked: bool) -> str:
    said = [
        say(
            "Requests/s are estimated: in each interval, TCP segments with data were counted, and all of them together are "
            "taken for all requests."
        )
    ]
    if len(curves.repeats) > 1:
        said.append(
            say("The strong line is the median of the repeats, which are faint behind it, as far as all of them go.")
        )
    if curves.short:
        said.append(
            say_count(
                "{count} repeat ended before half of the time, and is not in the median.",
                "{count} repeats ended before half of the time, and are not in the median.",
                curves.short,
            )
        )
    if marked:
        said.append(say("A dashed line is where a ramp ended or the level changed, a filled area where the server paused."))
    return " ".join(said)


def _values(curves: Curves) -> Iterator[tuple[str, ...]]:
    for place in range(len(curves.median.memory_bytes)):
        until = number(round((place + 1) * curves.part_seconds, 2))
        yield (until, *(number(kind.values(curves.median)[place] / kind.per) for kind in _KINDS))
