"""The functions of the claims' language: each reads a metric of a row, or says why it has no value that can be used."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from benchrig.language import Later, Text, later, later_count
from benchrig.report.claims.dimensions import Dimension, of_unit
from benchrig.report.claims.language import Figure, Names
from benchrig.report.claims.values import Known, point, unbounded
from benchrig.report.figures import Sample
from benchrig.report.metrics import ERRORS, LATENCY_MAX, METRICS, TIMEOUTS, Metric
from benchrig.report.published import Source
from benchrig.report.sentences import sentence
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Quantity
from benchrig.results.model import Machine
from benchrig.results.warnings import Warning
from benchrig.statistics.interval import ENOUGH_REPEATS, Interval
from benchrig.units import COUNT, number


class NoFigureError(Exception):
    """A table has no figure that a claim may use; the text says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class NotInRunError(NoFigureError):
    """The row was not part of the run."""


class InvalidRowError(NoFigureError):
    """A warning makes the row invalid."""

    def __init__(self, row: Row, warning: Warning) -> None:
        because = Later(partial(sentence, warning))
        super().__init__(later("{row} is invalid here: {because}", row=row.name, because=because))
        self.code = warning.code


@dataclass(frozen=True)
class Function:
    """A function of a row: the metric that it reads, and how a claim judges it."""

    metric: Metric | None
    """None of a function that reads the row's machine."""
    truth: bool = False
    """It answers yes or no."""


CORES = "cores"

FUNCTIONS: Mapping[str, Function] = {
    **{metric.claimed: Function(metric) for metric in METRICS},
    "has_timeouts": Function(TIMEOUTS, truth=True),
    CORES: Function(None),
}
"""Every metric has its function; `has_timeouts` answers yes or no, and `cores` is the number of the server's CPU cores."""

TRUTHS = frozenset(name for name, function in FUNCTIONS.items() if function.truth)

DIMENSIONS: Mapping[str, Dimension] = {
    name: of_unit((function.metric.unit if function.metric else COUNT).name) for name, function in FUNCTIONS.items()
}
"""The unit of each function's figures."""

_LATE = (TIMEOUTS, ERRORS)
"""The counts that depend on the timeout."""


@dataclass(frozen=True)
class KnownFigure:
    """A figure with a value: what an expression is evaluated with."""

    value: float
    interval: Interval | None
    """95 % interval of the median."""
    exact: bool
    """It is judged without an interval, because it is a count or published."""
    text: str
    within: tuple[float, float] | None = None
    """The bounds that it is judged by in place of an interval: the least and most of the repeats, or what is known of the
    article's conditions."""
    pending: str = ""
    """Why only those bounds are known, where the article's conditions would tell more."""
    sample: tuple[float, ...] = ()
    """Its repeats, where they are judged by what they have in common, and not one by one."""

    @property
    def known(self) -> Known:
        """Return what an expression is evaluated with; without an interval, anything from 0 up, unless it is exact."""
        if self.within:
            return Known(self.value, *self.within, fixed=True)
        if self.interval:
            sample = self.sample if min(self.sample) > 0 else ()
            return Known(self.value, self.interval.low, self.interval.high, sample=sample)
        return point(self.value) if self.exact else unbounded(self.value)

    @property
    def enough(self) -> bool:
        """There are enough repeats to judge it."""
        return self.exact or self.within is not None or self.interval is not None

    def quantity(self, figure: Figure) -> Quantity:
        """Return it as reports show it."""
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
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
    row had another number of connections than the article's.
    """
    row = _row(figure.row, table)
    function = FUNCTIONS[figure.function]
    if function.metric is None:
        return _cores(row, table)
    if table.run:
        _connected(row)
        if conditions:
            _same_connections(row, conditions)
        _valid(row, function.metric)
    sample = row.figures.get(function.metric.name)
    if sample is None:
        values = {"figure": figure.function, "row": row.name}
        if table.run:
            raise NoFigureError(later("this run has no {figure} of {row}", **values))
        raise NoFigureError(later("the article has no {figure} of {row}", **values))
    pending = _pending(function, row, table, conditions.source) if conditions else ""
    if function.truth:
        return _late(row, sample, conditions.source.timeout_seconds if conditions else row.timeout_seconds, pending)
    if table.run is None:
        return KnownFigure(sample.value, None, True, shown(sample.value, unit=function.metric.unit.name))
    return _measured(sample, function.metric, pending)


def names_of(document: Collection[str], others: Collection[str] = ()) -> Names:
    """Return the names that an expression may use: every function, and these rows; patterns stand for the first ones."""
    return Names(DIMENSIONS, TRUTHS, document, others)


def shown(value: float, interval: tuple[float, float] | None = None, unit: str = "") -> str:
    """Write a figure with its interval and its unit: `9.2 [9, 9.5] ms`."""
    bounds = f" [{number(interval[0])}, {number(interval[1])}]" if interval else ""
    if not unit:
        return f"{number(value)}{bounds}"
    return Text("{number} {unit}", {"number": f"{number(value)}{bounds}", "unit": Text(unit)})


def machine(name: str, table: Table) -> Machine | None:
    """Return the record of a run's machine; None where there is none."""
    return next((machine for machine in table.run.machines if machine.name == name), None) if table.run else None


def _cores(row: Row, table: Table) -> KnownFigure:
    """Return the number of CPU cores of a row's server."""
    there = machine(row.host, table)
    cores = there.cores if there else table.source.source.cores if table.run is None and table.source else 0
    if not cores:
        raise NoFigureError(later("the number of CPU cores under {row} is not known", row=row.name))
    return KnownFigure(float(cores), None, True, str(cores))


def _measured(sample: Sample, metric: Metric, pending: str) -> KnownFigure:
    """Return a figure of a run, with the bounds that it is judged by."""
    unit, value = metric.unit.name, sample.value
    if not metric.by_repeat:
        interval = sample.interval
        within = (interval.low, math.inf) if pending and interval else None
        text = shown(value, (interval.low, interval.high) if interval else None, unit)
        return KnownFigure(value, interval, False, text, within, pending, sample.values)
    differ = sample.low != sample.high
    text = shown(value, unit=unit)
    if differ:
        text = later("{low} to {high}", low=number(sample.low), high=shown(sample.high, unit=unit))
    exact = metric.kind == "count"
    within = (sample.low, sample.high) if exact or len(sample.values) >= ENOUGH_REPEATS else None
    if pending:
        within = (sample.low if metric.rises and within else 0.0, math.inf)
    return KnownFigure(value, None, exact, text, within, pending)


def _row(name: str, table: Table) -> Row:
    """Return a row that was measured."""
    row = next((row for row in table.rows if row.name == name), None)
    if row is not None and row.figures:
        return row
    if row is not None:
        because = (row.reason.splitlines() or [later("no reason given")])[0]
        if row.status == "failed":
            raise NoFigureError(later("{row} failed: {because}", row=name, because=because))
        raise NoFigureError(later("{row} is not possible here: {because}", row=name, because=because))
    if table.run is None:
        raise NoFigureError(later("the article has no figures of {row}", row=name))
    if name in table.not_run:
        raise NoFigureError(later("the run ended before it measured {row}", row=name))
    raise NotInRunError(later("{row} is not in this run", row=name))


def _connected(row: Row) -> None:
    """Raise NoFigureError where a row had fewer connections than it was to have."""
    if row.connections_there is not None:
        raise NoFigureError(
            later(
                "{row} ran with {there} of {asked} connections: the others were not there, or were never answered",
                row=row.name,
                there=f"{row.connections_there:,}",
                asked=f"{row.connections:,}",
            )
        )


def _same_connections(row: Row, conditions: Conditions) -> None:
    """Raise NoFigureError where a row had another number of connections than the article's: it is another row."""
    connections = conditions.connections.get(row.name, row.connections)
    if row.connections != connections:
        wrong = later(
            "{row} ran with {here} connections, in the article with {there}",
            row=row.name,
            here=f"{row.connections:,}",
            there=f"{connections:,}",
        )
        raise NoFigureError(wrong)


def _pending(function: Function, row: Row, table: Table, source: Source) -> str:
    """Return why a figure that depends on duration or timeout says too little of the article's; empty where it does not.

    A count over another time is another count, and what a short load did not show, a longer one may. Only what a longer load
    never had, a shorter one would not have had either.
    """
    metric = function.metric
    if table.run is None or metric is None or not (metric.grows or metric.rises):
        return ""
    ours, theirs = table.run.settings.duration_seconds, source.duration_seconds
    waits = metric in _LATE and row.timeout_seconds != source.timeout_seconds
    never = metric.grows and ours > theirs and row.figures[metric.name].high == 0
    if waits or ours < theirs or (metric.grows and ours != theirs and not never):
        here, there = (_lasted(of, one.timeout_seconds if waits else None) for of, one in ((ours, row), (theirs, source)))
        return later("The load lasted {here} here, {there} in the article", here=here, there=there)
    return ""


def _lasted(seconds: float, timeout_seconds: float | None) -> str:
    if timeout_seconds is None:
        return f"{seconds:g} s"
    return later("{duration} s with a timeout of {timeout} s", duration=f"{seconds:g}", timeout=f"{timeout_seconds:g}")


def _valid(row: Row, metric: Metric) -> None:
    """Raise InvalidRowError when an invalid warning spoils a metric."""
    for warning in row.warnings:
        if warning.invalid and metric.spoiled_by in warning.spoils:
            raise InvalidRowError(row, warning)


def _late(row: Row, timeouts: Sample, timeout_seconds: float, pending: str) -> KnownFigure:
    """Say whether replies of a row came later than a timeout, in any repeat: one late reply refutes that there are none.

    Where the load generator waited longer, the slowest reply tells.
    """
    repeats, slowest = sum(value > 0 for value in timeouts.values), row.figures.get(LATENCY_MAX.name)
    if repeats:
        late = later_count("{count} timeout", "{count} timeouts", round(timeouts.high))
        if repeats < len(timeouts.values):
            late = later("{late}, in {seen} of {repeats} repeats", late=late, seen=repeats, repeats=len(timeouts.values))
        return _truth(True, late, pending)
    if row.timeout_seconds <= timeout_seconds or slowest is None:
        return _truth(False, "", pending)
    longest = later("slowest reply {time}", time=shown(slowest.high, unit="ms"))
    return _truth(slowest.high > 1e3 * timeout_seconds, longest, pending)


def _truth(value: bool, detail: str, pending: str) -> KnownFigure:
    text = later("yes") if value else later("no")
    if detail:
        text = later("{text} ({detail})", text=text, detail=detail)
    return KnownFigure(float(value), None, True, text, (0.0, 1.0) if pending else None, pending)
