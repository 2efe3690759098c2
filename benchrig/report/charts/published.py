"""Throughput as published and as measured, on one line for each row, with the ratio of the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from benchrig import units
from benchrig.language import say, say_count
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import Chart, drawn
from benchrig.report.charts.frame import MOST_ROWS, Rows, Sign, legend, more_rows, rows
from benchrig.report.charts.scales import with_ends
from benchrig.report.charts.throughput import state
from benchrig.report.document import Report
from benchrig.report.figures import Sample
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.table import Row
from benchrig.units import NOTHING

_NEAR = 0.10
"""Up to this share from the published figure, a row is called near it."""


@dataclass(frozen=True)
class _Pair:
    row: Row
    published: float
    sample: Sample

    @property
    def ratio(self) -> float:
        """Measured over published."""
        return self.sample.value / self.published

    @property
    def ends(self) -> tuple[float, float] | None:
        """The 95 % interval of the ratio; None of too few repeats."""
        interval = self.sample.interval
        return (interval.low / self.published, interval.high / self.published) if interval else None

    @property
    def is_near(self) -> bool:
        """The ratio is near 1."""
        return abs(self.ratio - 1) <= _NEAR

    @property
    def is_shown(self) -> bool:
        """The interval shows that it is near, or that it is not."""
        if self.ends is None:
            return False
        low, high = self.ends
        inside = low >= 1 - _NEAR and high <= 1 + _NEAR
        return inside if self.is_near else low > 1 + _NEAR or high < 1 - _NEAR


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of all rows that have a published figure and a measured one."""
    pairs = list(_pairs(report.table.rows))
    if not pairs:
        return
    shown = pairs[:MOST_ROWS]
    wide, narrow = drawn(partial(_drawing, shown))
    yield Chart(
        key="published",
        title=_title(pairs),
        about="; ".join(_about(pair) for pair in shown),
        guide=_guide(),
        wide=wide,
        narrow=narrow,
        headings=_headings(),
        rows=tuple(map(_values, shown)),
        more=more_rows(len(pairs)),
    )


def _pairs(found: Sequence[Row]) -> Iterator[_Pair]:
    for row in found:
        sample = row.figures.get(THROUGHPUT.name)
        published = row.published.figures.get(THROUGHPUT.name) if row.published else None
        if sample and published:
            yield _Pair(row, published, sample)


def _title(pairs: Sequence[_Pair]) -> str:
    """Return how many valid rows are near the published figures, and of how many the repeats show where they are."""
    valid = [pair for pair in pairs if not pair.row.invalid]
    if not valid:
        return say("Published and measured throughput: every row is invalid here")
    counts = say_count(
        "{near} of {count} row is within 10 % of the published figure, {faster} faster, {slower} slower",
        "{near} of {count} rows are within 10 % of the published figures, {faster} faster, {slower} slower",
        len(valid),
        near=sum(pair.is_near for pair in valid),
        faster=sum(pair.ratio > 1 + _NEAR for pair in valid),
        slower=sum(pair.ratio < 1 - _NEAR for pair in valid),
    )
    shown = sum(pair.is_shown for pair in valid)
    if not any(pair.ends for pair in valid):
        return say("{counts}; too few repeats to show it", counts=counts)
    if shown == len(valid):
        return say("{counts}; the repeats show it", counts=counts)
    return say("{counts}; the repeats show it of {shown}", counts=counts, shown=shown)


def _about(pair: _Pair) -> str:
    return say(
        "{row}: published {published}, measured {measured} requests/s, ratio {ratio}",
        row=pair.row.label,
        published=THROUGHPUT.unit.exact(pair.published),
        measured=pair.row.text(THROUGHPUT),
        ratio=_figure(pair),
    )


def _guide() -> str:
    return say(
        "The line of a row leads from the published figure to the measured one; the shorter it is, the better the row was "
        "reproduced. The number at the right is measured over published."
    )


def _headings() -> tuple[str, ...]:
    unit = THROUGHPUT.unit.said
    return (
        say("row"),
        say("published, {unit}", unit=unit),
        say("measured, {unit}", unit=unit),
        say("ratio"),
        say("95 % interval of the ratio from"),
        say("to"),
        say("state"),
    )


def _values(pair: _Pair) -> tuple[str, ...]:
    ends = tuple(map(units.ratio, pair.ends)) if pair.ends else (NOTHING, NOTHING)
    exact, measured = THROUGHPUT.unit.exact(pair.published), pair.row.text(THROUGHPUT)
    return pair.row.label, exact, measured, units.ratio(pair.ratio), *ends, state(pair.row)


def _figure(pair: _Pair) -> str:
    return " ".join(filter(None, (units.ratio(pair.ratio), state(pair.row))))


def _drawing(pairs: Sequence[_Pair], width: int) -> Markup:
    values = [value for pair in pairs for value in (pair.published, pair.sample.value)]
    ends = [end for pair in pairs if (of := pair.sample.interval) for end in (of.low, of.high)]
    labels, figures = [pair.row.label for pair in pairs], [_figure(pair) for pair in pairs]
    frame = rows(labels, figures, with_ends(values, ends), width, THROUGHPUT.unit.said, say("ratio"))
    parts = frame.parts()
    for number, pair in enumerate(pairs):
        parts += _marks(pair, frame, number)
    signs, end = legend(_signs(pairs), width, frame.end)
    return svg.drawing([*parts, *signs], width, end + 2)


def _marks(pair: _Pair, frame: Rows, number: int) -> list[Markup]:
    y, doubt = frame.y(number), "invalid" if pair.row.invalid else ""
    at, to = frame.x(pair.published), frame.x(pair.sample.value)
    parts = [svg.line(at, y, to, y, "between")]
    if interval := pair.sample.interval:
        parts += frame.interval(number, interval.low, interval.high, doubt, assumed=interval.assumed)
    return [*parts, marks.published(at, y), marks.value(to, y, doubt)]


def _signs(pairs: Sequence[_Pair]) -> list[Sign]:
    """Return the legend of those signs that the drawing has."""
    intervals = [pair.sample.interval for pair in pairs if pair.sample.interval]
    doubt = "invalid" if all(pair.row.invalid for pair in pairs) else ""
    known = [
        (True, Sign(lambda x, y: [marks.published(x, y)], say("published figure"))),
        (not doubt, Sign(lambda x, y: [marks.value(x, y)], say("measured"))),
        (bool(intervals), Sign(lambda x, y: marks.interval(x - 11, x + 11, y, doubt), say("its 95 % interval"))),
        (
            any(pair.row.invalid for pair in pairs),
            Sign(lambda x, y: [marks.value(x, y, "invalid")], say("measured, invalid")),
        ),
    ]
    return [sign for there, sign in known if there]
