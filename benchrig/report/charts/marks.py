"""Marks of charts: dots, intervals, ticks, and the shapes and lines of series, which differ without colour as well."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from benchrig.report.charts import svg
from benchrig.report.charts.palette import SERIES

DOT = 2.6
"""Radius of the dot of a repeat."""

MEDIAN = 4.2
"""Radius of the mark of a value."""

_CAP = 7.0
"""More than MEDIAN, so that the ends of a narrow interval are seen behind it."""

_TICK = 8.0


def classes(*names: str) -> str:
    """Return the class of an element: those of these names that are not empty."""
    return " ".join(filter(None, names))


def dots(places: Sequence[float], y: float, state: str = "", most: float = 7.0) -> list[Markup]:
    """Return a dot for each repeat, moved up or down by `most` at most where it would lie on another one."""
    moved = zip(places, swarm(places, most), strict=True)
    circles = [svg.element("circle", cx=x, cy=y + dy, r=DOT) for x, dy in moved]
    return [svg.group(circles, class_=classes("dot", state))]


def swarm(places: Sequence[float], most: float, apart: float = 3.5) -> list[float]:
    """Return how far each dot is moved from its line: as little as tells it from the others, and `most` at most.

    Where there is no room left, dots lie on each other, evenly spread.
    """
    steps = max(1, int(most / apart))
    offsets = sorted({sign * most * n / steps for n in range(steps + 1) for sign in (1, -1)}, key=lambda dy: (abs(dy), dy))
    moved = [0.0] * len(places)
    placed: list[tuple[float, float]] = []
    for turn, i in enumerate(sorted(range(len(places)), key=lambda i: places[i])):
        near = [(x, dy) for x, dy in placed if abs(x - places[i]) < apart]
        free = (dy for dy in offsets if all(math.hypot(x - places[i], one - dy) >= apart for x, one in near))
        moved[i] = next(free, offsets[turn % len(offsets)])
        placed.append((places[i], moved[i]))
    return moved


def interval(
    x1: float, x2: float, y: float, state: str = "", *, assumed: bool = False, capped: tuple[bool, bool] = (True, True)
) -> list[Markup]:
    """Return a bar from x1 to x2 with caps; one that rests on an assumption is dashed.

    An end that is not `capped` is beyond the scale.
    """
    bar = svg.line(x1, y, x2, y, classes("span", "assumed" if assumed else "", state))
    caps = [x for x, there in zip((x1, x2), capped, strict=True) if there]
    return [bar, *(svg.line(x, y - _CAP, x, y + _CAP, classes("cap", state)) for x in caps)]


def value(x: float, y: float, state: str = "") -> Markup:
    """Return the mark of a value: the median of repeats. With the state `invalid` it is hollow."""
    return svg.element("circle", cx=x, cy=y, r=MEDIAN, class_=classes("median", state))


def published(x: float, y: float) -> Markup:
    """Return the tick of a published figure."""
    return svg.line(x, y - _TICK, x, y + _TICK, "published")


def shape(x: float, y: float, series: int, *, hollow: bool = False, radius: float = 4.5) -> Markup:
    """Return the mark of a series, counted from 0: each of them has a shape of its own."""
    number = series % SERIES
    class_ = classes("shape", f"s{number + 1}", "hollow" if hollow else "")
    if number == 0:
        return svg.element("circle", cx=x, cy=y, r=radius, class_=class_)
    points = " ".join(f"{x + dx * radius:.1f},{y + dy * radius:.1f}" for dx, dy in _SHAPES[number - 1])
    return svg.element("polygon", points=points, class_=class_)


def line(points: Iterable[tuple[float, float]], series: int) -> Markup:
    """Return the line of a series, counted from 0: each of them has dashes of its own."""
    return svg.path(points, f"line s{series % SERIES + 1}")


def _star(tips: int, inner: float, outer: float, turn: float = -math.pi / 2) -> tuple[tuple[float, float], ...]:
    angles = [(turn + math.pi * n / tips, inner if n % 2 else outer) for n in range(2 * tips)]
    return tuple((round(r * math.cos(a), 3), round(r * math.sin(a), 3)) for a, r in angles)


_THIRD = 0.42

_SHAPES: Sequence[Sequence[tuple[float, float]]] = (
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),  # square
    ((0, -1.25), (1.1, 0.8), (-1.1, 0.8)),  # triangle
    ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),  # diamond
    ((0, 1.25), (1.1, -0.8), (-1.1, -0.8)),  # triangle that stands on its tip
    (
        *((-_THIRD, -1.15), (_THIRD, -1.15), (_THIRD, -_THIRD), (1.15, -_THIRD), (1.15, _THIRD), (_THIRD, _THIRD)),
        *((_THIRD, 1.15), (-_THIRD, 1.15), (-_THIRD, _THIRD), (-1.15, _THIRD), (-1.15, -_THIRD), (-_THIRD, -_THIRD)),
    ),  # plus
    _star(5, 0.65, outer=1.4),  # star
    _star(4, 0.6, turn=math.pi / 4, outer=1.75),  # cross
)
"""Of the series from the second on, around (0, 0)."""
