"""The functions of the claims' language: each reads a metric of a row, or says why it has no value that can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchrig.report.claims.language import Figure
from benchrig.report.claims.values import Interval, point, unbounded
from benchrig.report.metrics import LATENCY_MAX, METRICS, TIMEOUTS, Metric
from benchrig.report.published import Source
from benchrig.report.sentences import sentence
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Quantity
from benchrig.results.codes import Code
from benchrig.units import number


class NoFigureError(Exception):
    """A table has no figure that a claim may use; the text says why."""


class NotInRunError(NoFigureError):
    """The row was not part of the run."""


@dataclass(frozen=True)
class Function:
    """A function of a row: the metric that it reads, and how a claim judges it."""

    metric: Metric
    truth: bool = False
    """It answers yes or no."""

    @property
    def counted(self) -> bool:
        """Its figure is judged as it was counted; that of any other function, by its interval."""
        return self.metric.kind == "count"


FUNCTIONS: Mapping[str, Function] = {
    **{metric.claimed: Function(metric) for metric in METRICS},
    "has_timeouts": Function(TIMEOUTS, truth=True),
}
"""Every metric has its function; `has_timeouts` answers yes or no."""

TRUTHS = frozenset(name for name, function in FUNCTIONS.items() if function.truth)


@dataclass(frozen=True)
class KnownFigure:
    """A figure with a value: what an expression is evaluated with."""

    value: float
    interval: tuple[float, float] | None
    exact: bool
    """It is judged without an interval, because it is a count or published."""
    text: str

    @property
    def known(self) -> Interval:
        """Return its interval; without one, the value itself if it is exact, else anything from 0 up."""
        if self.interval:
            return Interval(self.value, *self.interval)
        return point(self.value) if self.exact else unbounded(self.value)

    def quantity(self, figure: Figure) -> Quantity:
        """Return it as reports show it."""
        low, high = self.interval or (None, None)
        return Quantity(figure.text, self.text, self.value, low, high)


@dataclass(frozen=True)
class Conditions:
    """The conditions that an article's figures were measured under."""

    source: Source
    connections: Mapping[str, int]
    """By the names of its rows."""


def find(figure: Figure, table: Table, conditions: Conditions | None) -> KnownFigure:
    """Return a figure of a table; `conditions` are the article's, when the table is that of a run.

    Raises NoFigureError with the reason when the table does not have it, when it is invalid for this purpose, or when the
    document's conditions differ so that the two cannot be compared.
    """
    row = _row(figure.row, table)
    function = FUNCTIONS[figure.function]
    if table.run and conditions:
        _same_conditions(figure, row, table, conditions)
    if table.run:
        _valid(row, function.metric)
    sample = row.figures.get(function.metric.name)
    if sample is None:
        raise NoFigureError(f"{'this run' if table.run else 'the article'} has no {figure.function} of {row.name}")
    if function.truth:
        return _late(row, conditions.source.timeout_seconds if table.run and conditions else row.timeout_seconds)
    interval = None if function.counted else sample.interval
    text = shown(sample.median, interval, function.metric.unit.name)
    return KnownFigure(float(sample.median), interval, function.counted or table.run is None, text)


def shown(value: float, interval: tuple[float, float] | None = None, unit: str = "") -> str:
    """Write a figure with its interval and its unit: `9.2 [9, 9.5] ms`."""
    bounds = f" [{number(interval[0])}, {number(interval[1])}]" if interval else ""
    return f"{number(value)}{bounds} {unit}".strip()


def _row(name: str, table: Table) -> Row:
    """Return a row that was measured."""
    row = next((row for row in table.rows if row.name == name), None)
    if row is not None and row.figures:
        return row
    if row is not None:
        state = "failed" if row.status == "failed" else "is not possible here"
        raise NoFigureError(f"{name} {state}: {(row.reason.splitlines() or ['no reason given'])[0]}")
    if table.run is None:
        raise NoFigureError(f"the article has no figures of {name}")
    if name in table.not_run:
        raise NoFigureError(f"the run ended before it measured {name}")
    raise NotInRunError(f"{name} is not in this run")


def _same_conditions(figure: Figure, row: Row, table: Table, conditions: Conditions) -> None:
    """Raise NoFigureError where a figure cannot be compared, because the article's conditions differ."""
    connections = conditions.connections.get(row.name, row.connections)
    if row.connections != connections:
        wrong = f"{row.name} ran with {row.connections:,} connections, in the article with {connections:,}"
        raise NoFigureError(wrong)
    source, function = conditions.source, FUNCTIONS[figure.function]
    if function.truth or not function.metric.grows:
        return
    measured = seconds(table)
    if function.metric is TIMEOUTS and row.timeout_seconds != source.timeout_seconds:
        ours, theirs = f"{row.timeout_seconds:g} s", f"{source.timeout_seconds:g} s"
        raise NoFigureError(f"{figure.text} counts replies later than {ours} here, later than {theirs} in the article")
    if measured != source.duration_seconds:
        raise NoFigureError(
            f"{figure.text} is a count over {measured:g} s here, over {source.duration_seconds:g} s in the article"
        )


def seconds(table: Table) -> float:
    """Return how long each row of a run was measured."""
    return table.run.settings.duration_seconds if table.run else 0.0


def _valid(row: Row, metric: Metric) -> None:
    """Raise NoFigureError when an invalid warning spoils a metric."""
    for warning in row.warnings:
        if warning.invalid and metric.spoiled_by in warning.spoils:
            raise NoFigureError(f"{row.name} is invalid here: {sentence(warning)}")


def _late(row: Row, timeout_seconds: float) -> KnownFigure:
    """Say whether replies of a row came later than a timeout, which may be another than the load generator's here."""
    count, slowest = row.value(TIMEOUTS) or 0, row.figures.get(LATENCY_MAX.name)
    counted = count > 0 or any(warning.code is Code.TIMEOUTS for warning in row.warnings)
    if counted and row.timeout_seconds >= timeout_seconds:
        return _truth(True, f"{count:,} timeouts" if count else "in some repeats")
    if row.timeout_seconds <= timeout_seconds and not counted:
        return _truth(False, "")
    if row.timeout_seconds < timeout_seconds:
        ours, theirs = f"{row.timeout_seconds:g} s", f"{timeout_seconds:g} s"
        raise NoFigureError(f"{row.name} had a timeout of {ours}, which does not compare with the article's {theirs}")
    if slowest is None:
        raise NoFigureError(f"no reply of {row.name} was timed")
    return _truth(slowest.high > 1e3 * timeout_seconds, f"slowest reply {shown(slowest.high, unit='ms')}")


def _truth(value: bool, detail: str) -> KnownFigure:
    return KnownFigure(float(value), None, True, ("yes" if value else "no") + (f" ({detail})" if detail else ""))
