"""The figures of a claim as a small chart: for each of them, what was published and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import Chart
from benchrig.report.charts.frame import Rows, rows
from benchrig.report.claims.functions import FUNCTIONS
from benchrig.report.verdict import Quantity, Verdict
from benchrig.units import NOTHING, Unit

_WIDTH = 320
_MOST = 6
"""More figures than this make no small chart."""


@dataclass(frozen=True)
class _Pair:
    """One figure of a claim, in both places."""

    name: str
    published: Quantity | None
    measured: Quantity | None

    @property
    def values(self) -> tuple[float, ...]:
        """Every value that is drawn."""
        found = [one.value for one in (self.published, self.measured) if one]
        ends = (self.measured.low, self.measured.high) if self.measured else ()
        return tuple(value for value in (*found, *ends) if value is not None)

    @property
    def function(self) -> str:
        """What is asked of the row: `throughput`."""
        return self.name.partition("(")[0]

    @property
    def row(self) -> str:
        """The row that it is asked of."""
        return self.name.partition("(")[2].removesuffix(")")


def claim_chart(verdict: Verdict) -> Chart | None:
    """Return the chart of a claim's figures; None where they have no values to be drawn, or are too many.

    It has one size: `narrow` is the same drawing.
    """
    pairs = _pairs(verdict)
    shown = [pair for pair in pairs if pair.values and _unit(pair)]
    if not shown or len(shown) > _MOST:
        return None
    drawing = _drawing(shown)
    table = tuple((one.name, _text(one.published), _text(one.measured)) for one in pairs)
    return Chart(
        key=f"claim-{verdict.claim}",
        title=verdict.says,
        about=say("; ").join(_about(*row) for row in table),
        guide=guide(),
        wide=drawing,
        narrow=drawing,
        headings=(say("figure"), say("published"), say("measured")),
        rows=table,
    )


def guide() -> str:
    """Return how to read the chart of a claim: one sentence serves all of them."""
    return say("The tick is the published figure, the dot the measured one, and the bar its 95 % interval.")


def _pairs(verdict: Verdict) -> list[_Pair]:
    published = {one.name: one for one in verdict.published}
    measured = {one.name: one for one in verdict.measured}
    return [_Pair(name, published.get(name), measured.get(name)) for name in {**published, **measured}]


def _unit(pair: _Pair) -> Unit | None:
    """Return the unit of a figure; None of one that is no quantity, such as whether there were timeouts."""
    function = FUNCTIONS.get(pair.function)
    return function.metric.unit if function and function.metric and not function.truth else None


def _text(one: Quantity | None) -> str:
    return one.text if one else NOTHING


def _about(name: str, published: str, measured: str) -> str:
    return say("{name}: published {published}, measured {measured}", name=name, published=published, measured=measured)


def _drawing(pairs: Sequence[_Pair]) -> Markup:
    """Return the drawing: figures of a unit share an axis, so that they can be compared."""
    groups: dict[Unit | None, list[_Pair]] = {}
    for pair in pairs:
        groups.setdefault(_unit(pair), []).append(pair)
    parts: list[Markup] = []
    end = 0.0
    for group in groups.values():
        found, end = _group(group, end)
        parts += found
    return svg.drawing(parts, _WIDTH, end)


def _group(pairs: Sequence[_Pair], top: float) -> tuple[list[Markup], float]:
    """Return the figures of one unit over their axis, and where they end."""
    alone = len({pair.function for pair in pairs}) == 1
    labels = [pair.row if alone else pair.name for pair in pairs]
    values = [value for pair in pairs for value in pair.values]
    frame = rows(labels, [""] * len(pairs), values, _WIDTH, _title(pairs[0], alone), stacked=False, offset=top)
    parts = frame.parts()
    for number, pair in enumerate(pairs):
        parts += _marks(pair, frame, number)
    return parts, frame.end


def _title(pair: _Pair, alone: bool) -> str:
    """Return the title of an axis: the unit, and what it is of where all figures are of one kind."""
    metric = FUNCTIONS[pair.function].metric
    assert metric
    names = [metric.label if alone else "", metric.unit.said]
    return say(", ").join(dict.fromkeys(filter(None, names)))


def _marks(pair: _Pair, frame: Rows, number: int) -> list[Markup]:
    y, parts = frame.y(number), []
    measured, published = pair.measured, pair.published
    if measured and measured.low is not None and measured.high is not None:
        parts += marks.interval(frame.x(measured.low), frame.x(measured.high), y)
    if published and published.value is not None:
        parts.append(marks.published(frame.x(published.value), y))
    if measured and measured.value is not None:
        parts.append(marks.value(frame.x(measured.value), y))
    return parts
