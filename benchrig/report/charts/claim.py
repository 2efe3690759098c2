"""The figures of a claim as a small chart: for each of them, what was published and what was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import Chart
from benchrig.report.charts.frame import Rows, rows
from benchrig.report.charts.scales import with_ends
from benchrig.report.claims.functions import FUNCTIONS
from benchrig.report.metrics import Metric
from benchrig.report.verdict import Quantity, Verdict
from benchrig.units import NOTHING

_WIDTH = 320
_EXPRESSION = re.compile(r"[\w\s().,*/+-]+")
_CALL = re.compile(r"(\w+)\(")
_FIGURE = re.compile(r"(\w+)\(([^()]*)\)")

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
        """The published value and the measured one, as far as there are any."""
        found = (one.value for one in (self.published, self.measured) if one)
        return tuple(value for value in found if value is not None)

    @property
    def ends(self) -> tuple[float, float] | None:
        """The ends of the measured interval; None where there is none."""
        low, high = (self.measured.low, self.measured.high) if self.measured else (None, None)
        return None if low is None or high is None else (low, high)

    @property
    def figure(self) -> tuple[str, str] | None:
        """Its function and its row: `throughput` and `sanic`; None of what is computed from several figures."""
        function, _, row = self.name.partition("(")
        computed = any(name in FUNCTIONS for name in _CALL.findall(row))
        return (function, row[:-1]) if function in FUNCTIONS and row.endswith(")") and not computed else None

    @property
    def functions(self) -> tuple[str, ...]:
        """Every function that it reads, of those that read a row; none of what is no expression."""
        if not (self.figure or _EXPRESSION.fullmatch(self.name)):
            return ()
        return tuple(name for name in dict.fromkeys(_CALL.findall(self.name)) if name in FUNCTIONS)

    @property
    def metrics(self) -> list[Metric]:
        """What it is computed from; none of a truth, such as whether there were timeouts."""
        known = (FUNCTIONS[name] for name in self.functions)
        return [one.metric for one in known if one.metric and not one.truth]

    @property
    def shares(self) -> str:
        """Figures for which this is the same are drawn on one axis: their unit, or their name where they have none."""
        if not self.figure:
            return self.name
        return self.metrics[0].unit.name or self.functions[0]


def claim_chart(verdict: Verdict) -> Chart | None:
    """Return the chart of a claim's figures; None where nothing was measured that can be drawn, or they are too many.

    It has one size: `narrow` is the same drawing.
    """
    pairs = _pairs(verdict)
    shown = [pair for pair in pairs if pair.values and pair.metrics]
    if len(shown) > _MOST or not any(pair.measured and pair.measured.value is not None for pair in shown):
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


def _text(one: Quantity | None) -> str:
    return one.text if one else NOTHING


def _about(name: str, published: str, measured: str) -> str:
    return say("{name}: published {published}, measured {measured}", name=name, published=published, measured=measured)


def _drawing(pairs: Sequence[_Pair]) -> Markup:
    """Return the drawing: figures of a unit share an axis, so that they can be compared."""
    groups: dict[str, list[_Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.shares, []).append(pair)
    parts: list[Markup] = []
    end = 0.0
    for group in groups.values():
        found, end = _group(group, end)
        parts += found
    return svg.drawing(parts, _WIDTH, end)


def _group(pairs: Sequence[_Pair], top: float) -> tuple[list[Markup], float]:
    """Return the figures of one axis, and where they end."""
    alone = len({pair.functions for pair in pairs}) == 1
    labels = [(pair.figure[1] if alone else pair.name) if pair.figure else "" for pair in pairs]
    values = with_ends([one for pair in pairs for one in pair.values], [end for pair in pairs for end in pair.ends or ()])
    frame = rows(labels, [""] * len(pairs), values, _WIDTH, _title(pairs[0], alone), stacked=False, offset=top)
    parts = frame.parts()
    for number, pair in enumerate(pairs):
        parts += _marks(pair, frame, number)
    return parts, frame.end


def _title(pair: _Pair, alone: bool) -> str:
    """Return the title of an axis: the unit, and what it is of where all figures are of one kind."""
    if not pair.figure:
        # What is computed from one metric is said once: `throughput: go / sanic`.
        one, *others = pair.functions
        return pair.name if others else f"{one}: {_FIGURE.sub(_row_of, pair.name)}"
    metric = pair.metrics[0]
    names = [metric.label if alone else "", metric.unit.said]
    return say(", ").join(dict.fromkeys(filter(None, names)))


def _row_of(found: re.Match[str]) -> str:
    return found[2] if found[1] in FUNCTIONS else found[0]


def _marks(pair: _Pair, frame: Rows, number: int) -> list[Markup]:
    y, parts = frame.y(number), []
    measured, published = pair.measured, pair.published
    if pair.ends:
        parts += frame.interval(number, *pair.ends)
    if published and published.value is not None:
        parts.append(marks.published(frame.x(published.value), y))
    if measured and measured.value is not None:
        parts.append(marks.value(frame.x(measured.value), y))
    return parts
