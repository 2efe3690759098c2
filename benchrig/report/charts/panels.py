"""Small multiples: a panel for each row, all of one size, and the lines in them as short text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchrig.report.charts import svg
from benchrig.report.charts.chart import NARROW
from benchrig.report.charts.frame import Axis, ticks_apart
from benchrig.report.charts.scales import Scale

Point = tuple[float, float]

_LINE = 14.0
"""From one line of a heading to the next."""

_BREAK = re.compile(r"[-/._ ]+")
"""A label may go on in a new line after these."""

_ENDS = (1 / 3, 1 / 2, 2 / 3, 1.0)
"""Shares of its end in a label that is cut, the preferred one first."""


@dataclass(frozen=True)
class Panel:
    """The frame of one panel's plot, in pixels, and its heading."""

    heading: tuple[str, ...]
    """Its label, in as many lines as it needs, and two at most."""
    left: float
    top: float
    right: float
    bottom: float
    is_first: bool
    """It is the first in its line: the axis of all panels in the line is at its left."""


@dataclass(frozen=True)
class Grid:
    """The panels of a drawing."""

    panels: tuple[Panel, ...]
    width: float
    height: float


def columns(labels: Sequence[str], width: float) -> int:
    """Return how many panels are beside each other: four, or three where labels are too long for that; two on a phone."""
    if width <= NARROW:
        return 2
    return 4 if svg.STRONG * max(map(svg.text_width, labels)) <= 1.5 * (width / 4 - 24) else 3


def grid(
    labels: Sequence[str],
    width: float,
    *,
    across: int,
    height: float,
    left: float,
    below: float,
    title: float = 18,
    top: float = 0,
    gap: float = 14,
) -> Grid:
    """Return panels with plots of this height, so many beside each other, or as many as there are.

    `left` is the space for an axis at the left of each line of panels, `below` that under each, `title` that above each
    where all labels have one line, `top` that above all, and `gap` that between panels beside each other.
    """
    across = min(across, len(labels))
    each = (width - left - gap * (across - 1) - 10) / across
    headings = _headings(labels, each)
    title += _LINE * (max(map(len, headings)) - 1)
    panels = []
    for number, heading in enumerate(headings):
        line, column = divmod(number, across)
        x, y = left + column * (each + gap), top + line * (title + height + below) + title
        panels.append(Panel(heading, x, y, x + each, y + height, column == 0))
    return Grid(tuple(panels), width, top + math.ceil(len(labels) / across) * (title + height + below))


def parts(panel: Panel, scale_x: Scale, scale_y: Scale, across: Axis, up: Axis, beyond: float = 0) -> list[Markup]:
    """Return the grid of a panel, its label, and the ticks of its axes; of a line of panels, the first has the upright axis.

    The texts below it may go so far `beyond` its sides.
    """
    up_ticks = ticks_apart(scale_y, panel.top, panel.bottom, up, upright=True)
    across_ticks = ticks_apart(scale_x, panel.left - beyond, panel.right + beyond, across)
    found = [
        lines(
            [at for at, _ in up_ticks], [at for at, _ in across_ticks], (panel.left, panel.top, panel.right, panel.bottom)
        ),
        *heading(panel, panel.top - 5),
    ]
    if panel.is_first:
        found += [svg.text(panel.left - 4, at + 4, said, "small", "end") for at, said in up_ticks]
    return [*found, *below(panel, across_ticks, beyond)]


def heading(panel: Panel, y: float) -> list[Markup]:
    """Return the label of a panel; y is that of its last line."""
    first = y - _LINE * (len(panel.heading) - 1)
    return [svg.text(panel.left, first + _LINE * number, line, "strong") for number, line in enumerate(panel.heading)]


def _headings(labels: Sequence[str], width: float) -> Sequence[tuple[str, ...]]:
    """Return each label in one or two strong lines of this width; of what is cut, those parts are kept that differ."""
    room = width / svg.STRONG
    lines = [_broken(label, room) for label in labels]
    cut = [[(*one[:-1], svg.shortened(one[-1], room, of_end=share)) for one in lines] for share in _ENDS]
    return max(cut, key=lambda found: len(set(found)))


def _broken(label: str, room: float) -> list[str]:
    """Return a label as it is, or in two lines, of which the first fits: it ends where a word or a part of a name does."""
    if svg.text_width(label) <= room:
        return [label]
    ends = [found.end() for found in _BREAK.finditer(label)] or [*range(1, len(label))]
    fitting = [end for end in ends if svg.text_width(label[:end].rstrip()) <= room]
    if not fitting or not label[fitting[-1] :].strip():
        return [label]
    return [label[: fitting[-1]].rstrip(), label[fitting[-1] :].lstrip()]


def below(panel: Panel, ticks: Sequence[tuple[float, str]], beyond: float = 0) -> list[Markup]:
    """Return the texts of ticks below a panel; none goes further than `beyond` its sides."""
    found = []
    for at, said in ticks:
        half = svg.text_width(said, svg.SMALL) / 2
        middle = min(max(at, panel.left - beyond + half), panel.right + beyond - half)
        found.append(svg.text(middle, panel.bottom + 13, said, "small", "middle"))
    return found


def lines(ys: Sequence[float], xs: Sequence[float], frame: tuple[float, float, float, float]) -> Markup:
    """Return the lines of a grid at these heights and places, within left, top, right and bottom, as one element."""
    left, top, right, bottom = frame
    level = (f"M{left:.4g} {y:.4g}h{right - left:.4g}" for y in ys)
    upright = (f"M{x:.4g} {top:.4g}v{bottom - top:.4g}" for x in xs)
    return svg.element("path", d="".join([*level, *upright]), class_="grid")


def simplified(points: Sequence[Point], within: float = 0.4) -> list[Point]:
    """Return a line with fewer points that is within this many pixels of every point that is left out.

    U. Ramer (1972), D. Douglas and T. Peucker (1973): the point furthest from the straight line between two ends is kept,
    until none is too far.
    """
    kept = {0, len(points) - 1} if points else set()
    parts = [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        far, distance = 0, within
        for place in range(first + 1, last):
            away = _distance(points[place], points[first], points[last])
            if away > distance:
                far, distance = place, away
        if far:
            kept.add(far)
            parts += [(first, far), (far, last)]
    return [points[place] for place in sorted(kept)]


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return how far a point is from the straight line between two others."""
    run, rise = end[0] - start[0], end[1] - start[1]
    length = math.hypot(run, rise)
    if not length:
        return math.dist(point, start)
    return abs(run * (start[1] - point[1]) - (start[0] - point[0]) * rise) / length
