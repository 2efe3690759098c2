"""Frames of charts: one line a row, or two axes. Labels do not overlap, and stay within the drawing.

A frame gives the places of values, and its own parts: grid, axes, ticks, titles and labels. What it is drawn from is text of
any length. `legend` explains signs below it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import WIDE
from benchrig.report.charts.scales import Scale, spanning
from benchrig.units import number

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

MOST_ROWS = 40
"""A chart shows no more rows than this."""

LEGEND_LINE = 20.0
SIGN = 26.0
"""Width of a sign in a legend."""

_EDGE = 7.0
"""Room for half a mark at the ends of a scale."""

_GAP = 8.0
_TICK_LINE = 16.0


def more_rows(count: int) -> str:
    """Return that a chart has not all of so many rows; empty where it has."""
    return say("Of {count} rows, it shows the first {shown}.", count=count, shown=MOST_ROWS) if count > MOST_ROWS else ""


@dataclass(frozen=True)
class Rows:
    """A frame with a line for each row: its label at the left, places for marks, and its figure at the right.

    Where there is little width, label and figure are above the marks, which then have all of it.
    """

    width: float
    labels: Sequence[str]
    figures: Sequence[str]
    scale: Scale
    title: str
    """Of the axis: what the values are, with their unit."""
    heading: str
    """Of the figures; may be empty."""
    left: float
    """Where the room for marks begins."""
    right: float
    """And where it ends."""
    pitch: float
    """From one row to the next."""
    stacked: bool
    """Labels are above the marks."""
    offset: float
    """Where the frame begins, below another one."""

    @property
    def top(self) -> float:
        """The upper end of the first row."""
        return self.offset + (18.0 if self.heading else 4.0)

    @property
    def bottom(self) -> float:
        """The lower end of the last row, where the axis is."""
        return self.top + len(self.labels) * self.pitch

    @property
    def end(self) -> float:
        """The lower end of the frame, with the axis' ticks and title."""
        return self.bottom + _TICK_LINE + (_TICK_LINE if self._axis_title else 4.0)

    def y(self, row: int) -> float:
        """Return where the marks of a row are, counted from 0."""
        return self.top + row * self.pitch + (25.0 if self.stacked else self.pitch / 2)

    def x(self, value: float) -> float:
        """Return where a value is."""
        return self.scale.place(value)

    def interval(self, row: int, low: float, high: float, state: str = "", *, assumed: bool = False) -> list[Markup]:
        """Return the bar of an interval; it has no cap where its end is beyond the scale."""
        capped = self.scale.holds(low), self.scale.holds(high)
        return marks.interval(self.x(low), self.x(high), self.y(row), state, assumed=assumed, capped=capped)

    def over(self, value: float, first: int, last: int, class_: str) -> list[Markup]:
        """Return a line at a value, from the first to the last of these rows; it does not cross labels above the marks."""
        x = self.x(value)
        if self.stacked:
            return [svg.line(x, self.y(row) - 9, x, self.y(row) + 11, class_) for row in range(first, last + 1)]
        return [svg.line(x, self.top + first * self.pitch, x, self.top + (last + 1) * self.pitch, class_)]

    def parts(self) -> list[Markup]:
        """Return grid, axis, labels and figures. Marks are drawn after them."""
        found: list[Markup] = []
        for at, said in ticks_apart(self.scale, 0, self.width):
            found.append(svg.line(at, self.top, at, self.bottom, "grid"))
            half = svg.text_width(said, svg.SMALL) / 2
            middle = min(max(at, half), self.width - half)
            found.append(svg.text(middle, self.bottom + 13, said, "small", "middle"))
        found.append(svg.line(self.left, self.bottom, self.right, self.bottom, "axis"))
        title = svg.shortened(self._axis_title, self.width, svg.SMALL)
        if title:
            at = self.width - 2 if svg.text_width(title, svg.SMALL) > self.right - 2 else self.right
            found.append(svg.text(at, self.bottom + 13 + _TICK_LINE - 2, title, "small", "end"))
        if self.heading:
            found.append(svg.text(self.width - 2, self.offset + 11, self.heading, "small", "end"))
        for row in range(len(self.labels)):
            found += self._texts(row)
        return found

    @property
    def _axis_title(self) -> str:
        return say("{title} (log scale)", title=self.title) if self.scale.is_log else self.title

    def _texts(self, row: int) -> list[Markup]:
        label, figure = self.labels[row], self.figures[row]
        if not self.stacked:
            y = self.y(row) + 4
            room = self.left - _EDGE - _GAP
            shown = svg.text(room, y, svg.shortened(label, room - 2), anchor="end")
            return [shown, svg.text(self.width - 2, y, figure, "strong", "end")]
        y = self.top + row * self.pitch + 12
        room = self.width - 4 - (svg.STRONG * svg.text_width(figure) + 2 * _GAP if figure else 0)
        shown = svg.text(2, y, svg.shortened(label, room), "over")
        return [shown, svg.text(self.width - 2, y, figure, "over strong", "end")]


def rows(
    labels: Sequence[str],
    figures: Sequence[str],
    values: Sequence[float],
    width: float,
    title: str,
    heading: str = "",
    *,
    span: Callable[[float, float], Scale] | None = None,
    stacked: bool | None = None,
    offset: float = 0.0,
) -> Rows:
    """Return a frame for rows with these labels, and these figures at the right, whose marks are at these values.

    `span` returns the scale between two places, where it is not to be `spanning(values, …)`. Labels are above the marks
    where the width is not that of a screen, unless `stacked` says otherwise.
    """
    stacked = width < WIDE if stacked is None else stacked
    widest = 0.36 * width
    figures = [svg.shortened(figure, widest) for figure in figures]
    if stacked:
        left, right = 2 + _EDGE, width - 2 - _EDGE
    else:
        left = min(widest, max(map(svg.text_width, labels), default=0.0) + 4) + _GAP + _EDGE
        right = width - svg.STRONG * max(map(svg.text_width, (*figures, heading)), default=0.0) - _GAP - _EDGE - 2
    scale = (span or partial(spanning, values))(left, right)
    return Rows(width, labels, figures, scale, title, heading, left, right, 42.0 if stacked else 24.0, stacked, offset)


@dataclass(frozen=True)
class Axis:
    """An axis of a plot."""

    title: str
    """What it has, with its unit."""
    span: Callable[[float, float], Scale]
    """Returns its scale between two places: `partial(spanning, values)`."""
    write: Callable[[float], str] = number
    """Writes a value beside its tick."""
    ticks: Sequence[tuple[float, str]] | None = None
    """Its ticks with their texts, where the round values of the scale are not wanted."""

    def named(self, scale: Scale) -> str:
        """Return its title; that its scale is logarithmic is said with it, unless its ticks are its own."""
        return say("{title} (log scale)", title=self.title) if scale.is_log and not self.ticks else self.title


@dataclass(frozen=True)
class Plot:
    """A frame with two axes."""

    width: float
    height: float
    """Without a legend below it."""
    across: Axis
    up: Axis
    left: float
    right: float
    top: float
    bottom: float
    scale_x: Scale
    scale_y: Scale

    def x(self, value: float) -> float:
        """Return where a value is on the horizontal axis."""
        return self.scale_x.place(value)

    def y(self, value: float) -> float:
        """Return where a value is on the vertical axis."""
        return self.scale_y.place(value)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a pair of values."""
        return self.x(x), self.y(y)

    def parts(self) -> list[Markup]:
        """Return grid, axes, ticks and titles. Marks are drawn after them."""
        found: list[Markup] = []
        for at, said in ticks_apart(self.scale_y, self.top, self.bottom, self.up, upright=True):
            found.append(svg.line(self.left, at, self.right, at, "grid"))
            found.append(svg.text(self.left - 5, at + 4, said, "small", "end"))
        for at, said in ticks_apart(self.scale_x, 0, self.width, self.across):
            half = svg.text_width(said, svg.SMALL) / 2
            found.append(svg.line(at, self.top, at, self.bottom, "grid"))
            found.append(svg.text(min(max(at, half), self.width - half), self.bottom + 14, said, "small", "middle"))
        corner = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)]
        found.append(svg.path(corner, "axis"))
        title = svg.shortened(self.across.named(self.scale_x), self.width - 4, svg.SMALL)
        end = max(self.right, svg.text_width(title, svg.SMALL) + 2)
        found.append(svg.text(end, self.bottom + 29, title, "small", "end"))
        title = svg.shortened(self.up.named(self.scale_y), self.width - 4, svg.SMALL)
        found.append(svg.text(2, self.top - 9, title, "small"))
        return found


def plot(width: float, height: float, across: Axis, up: Axis, *, top: float = 0.0, room: float = 12.0) -> Plot:
    """Return a frame with two axes, of this height with the texts of its axes, from `top` on.

    `room` is the room that is left for labels at the right of the marks.
    """
    upper, bottom = top + 22.0, top + height - 34.0
    scale_y = up.span(bottom, upper)
    texts = [said for _, said in ticks_apart(scale_y, upper, bottom, up, upright=True)]
    left, right = max((svg.text_width(said, svg.SMALL) for said in texts), default=0.0) + 9, width - room
    return Plot(width, height, across, up, left, right, upper, bottom, across.span(left, right), scale_y)


def ticks_apart(
    scale: Scale, low: float, high: float, axis: Axis | None = None, *, upright: bool = False
) -> list[tuple[float, str]]:
    """Return the places of ticks with their texts: as many as fit between two places without overlapping."""
    write = axis.write if axis else number
    if axis and axis.ticks is not None:
        return _fitting([(scale.place(value), said) for value, said in axis.ticks], low, high, upright)
    wanted: list[tuple[float, str]] = []
    for values in scale.choices():
        wanted = [(scale.place(value), write(value)) for value in values]
        if len(wanted) <= (8 if upright else 12) and len(_fitting(wanted, low, high, upright)) == len(wanted):
            break
    return _fitting(wanted, low, high, upright)


def _fitting(ticks: Sequence[tuple[float, str]], low: float, high: float, upright: bool) -> list[tuple[float, str]]:
    """Return those ticks whose texts do not overlap the one before."""
    kept: list[tuple[float, str]] = []
    taken = float("-inf")
    for at, said in sorted(ticks):
        half = 6.5 if upright else svg.text_width(said, svg.SMALL) / 2
        middle = at if upright else min(max(at, low + half), high - half)
        if middle - half >= taken:
            kept.append((at, said))
            taken = middle + half + (0 if upright else 6)
    return kept


def spread(wanted: Sequence[float], low: float, high: float, gap: float = 13.0) -> list[float]:
    """Return the places of labels near the wanted ones: at least a gap apart, between low and high, in the same order.

    Where there is no room for all of them, they are as far apart as there is.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))

    def first(block: Sequence[float]) -> float:
        length = gap * (len(block) - 1)
        return max(low, min(sum(block) / len(block) - length / 2, high - length))

    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    # Blocks of labels that touch: each is where the mean of its labels would like to be.
    blocks: list[list[float]] = []
    for i in order:
        blocks.append([min(max(wanted[i], low), high)])
        while len(blocks) > 1 and first(blocks[-1]) - first(blocks[-2]) < gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    places = [first(block) + n * gap for block in blocks for n in range(len(block))]
    found = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        found[i] = place
    return found


@dataclass(frozen=True)
class Beside:
    """A text beside a point of a plot."""

    x: float
    y: float
    """Of its baseline."""
    said: str
    anchor: str


def beside(lines: Sequence[Sequence[tuple[float, float]]], texts: Sequence[Sequence[str]], within: Box) -> list[Beside]:
    """Return the texts of the points of lines, each at that side of its point where it covers no point, line or other text.

    They are within a box. A text without any such side is left out: the chart's table has it.
    """
    taken = [(x - 5, y - 5, x + 5, y + 5) for points in lines for x, y in points]
    taken += [box for points in lines for one, other in pairwise(points) for box in _along(one, other)]
    found: list[Beside] = []
    for (x, y), said in zip(chain(*lines), chain(*texts), strict=True):
        width = svg.text_width(said, svg.SMALL)
        for left, base, anchor in (
            (x + 8, y + 4, ""),
            (x - 8 - width, y + 4, "end"),
            (x - width / 2, y - 9, "middle"),
            (x - width / 2, y + 18, "middle"),
            (x + 6, y - 6, ""),
            (x + 6, y + 14, ""),
            (x - 6 - width, y - 6, "end"),
            (x - 6 - width, y + 14, "end"),
        ):
            box = (left, base - 10, left + width, base + 3)
            if _inside(box, within) and not any(_overlap(box, other) for other in taken):
                at = {"": left, "middle": left + width / 2, "end": left + width}[anchor]
                found.append(Beside(at, base, said, anchor))
                taken.append(box)
                break
    return found


def _along(one: tuple[float, float], other: tuple[float, float]) -> Iterator[Box]:
    """Yield small boxes along a line, so close that no text fits between them."""
    steps = max(1, int(math.dist(one, other) / 6))
    for step in range(1, steps):
        x, y = (start + (end - start) * step / steps for start, end in zip(one, other, strict=True))
        yield x - 1, y - 1, x + 1, y + 1


def _inside(one: Box, other: Box) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@dataclass(frozen=True)
class Sign:
    """A sign with its meaning, for a legend."""

    draw: Callable[[float, float], Sequence[Markup]]
    """Draws it around a place."""
    said: str


def legend(signs: Sequence[Sign], width: float, top: float, left: float = 2.0) -> tuple[list[Markup], float]:
    """Return the signs with their meanings, in as many lines as they need, and where they end."""
    found: list[Markup] = []
    x, y = left, top + LEGEND_LINE / 2
    for sign in signs:
        said = svg.shortened(sign.said, width - left - SIGN - _GAP, svg.SMALL)
        needed = SIGN + 4 + svg.text_width(said, svg.SMALL)
        if x > left and x + needed > width:
            x, y = left, y + LEGEND_LINE
        found += sign.draw(x + SIGN / 2, y)
        found.append(svg.text(x + SIGN + 4, y + 4, said, "small"))
        x += needed + 2 * _GAP
    return found, (y + LEGEND_LINE / 2 if signs else top)
