"""The functions of a claim's expression: each reads one figure of one row of a table, or says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchrig.report.claims.language import Figure
from benchrig.report.claims.values import Interval, point, unbounded
from benchrig.report.figures import Figures, Spread
from benchrig.report.published import Source
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Quantity

Kind = Literal["rate", "latency", "count", "count of the run", "truth"]
"""How a figure is judged: a rate or a latency by its interval, the others as they were counted."""

JUDGED_BY_INTERVAL = frozenset({"rate", "latency"})

_HARMLESS = frozenset({"not_stored", "repeat_missing"})
"""Remarks that make a row's rank invalid, and say nothing against a single figure of it."""

OF_LATENCY = "latency_clipped"
"""The remark that makes only latencies invalid."""

OF_ALL = frozenset({"emulated", "disturbed"})
"""The remarks that make counts invalid as well, such as that of late replies."""


class NoFigureError(Exception):
    """A table does not have a figure, or not one that may be used; the text says why."""


class NotInRunError(NoFigureError):
    """The run was not to measure the row."""


@dataclass(frozen=True)
class Function:
    """A function of a row: how its figure is judged, its unit, and where it stands in a row's figures."""

    kind: Kind
    unit: str
    of: Callable[[Figures], float | None]
    spread: Callable[[Figures], Spread | None] = lambda _: None
    """Its spread over the repeats, of a figure that is judged by its interval."""


def _spread(name: str) -> Callable[[Figures], Spread | None]:
    return lambda figures: figures.spreads.get(name)


FUNCTIONS: Mapping[str, Function] = {
    "throughput": Function(
        "rate", "requests/s", lambda figures: figures.requests_per_second.median, lambda figures: figures.requests_per_second
    ),
    "latency_mean": Function("latency", "ms", lambda figures: figures.latency_mean_ms, _spread("latency_mean_ms")),
    "latency_max": Function("latency", "ms", lambda figures: figures.latency_max_ms, _spread("latency_max_ms")),
    "latency_p99": Function("latency", "ms", lambda figures: figures.latency_p99_ms, _spread("latency_p99_ms")),
    "cpu": Function("rate", "% of a core", lambda figures: figures.server_cpu_percent, _spread("server_cpu_percent")),
    "requests": Function("count of the run", "", lambda figures: figures.requests),
    "timeouts": Function("count of the run", "", lambda figures: figures.errors.timeout if figures.errors_told else None),
    "errors": Function("count of the run", "", lambda figures: figures.errors.total if figures.errors_told else None),
    "has_timeouts": Function(
        "truth", "", lambda figures: float(figures.errors.timeout > 0) if figures.errors_told else None
    ),
    "stored": Function("count", "", lambda figures: figures.stored),
    "sessions": Function("count", "", lambda figures: figures.sessions),
    "listen_overflows": Function("count", "", lambda figures: figures.listen_overflows),
}
"""To add a function, add a line here and one to docs/claims.md."""

TRUTHS = frozenset(name for name, function in FUNCTIONS.items() if function.kind == "truth")


@dataclass(frozen=True)
class Found:
    """A figure that a table has."""

    value: float
    interval: tuple[float, float] | None
    exact: bool
    """Without an interval, it is judged as it stands: it is a count, or published."""
    text: str

    @property
    def known(self) -> Interval:
        """Return what is known of it: its interval, the point itself when it is exact, else hardly anything."""
        if self.interval:
            return Interval(self.value, *self.interval)
        return point(self.value) if self.exact else unbounded(self.value)

    def quantity(self, figure: Figure) -> Quantity:
        """Return it as reports show it."""
        low, high = self.interval or (None, None)
        return Quantity(figure.text, self.text, self.value, low, high)


@dataclass(frozen=True)
class Conditions:
    """Under what a document's figures were taken."""

    source: Source
    connections: Mapping[str, int]
    """Of each of its rows."""


def find(figure: Figure, table: Table, conditions: Conditions | None) -> Found:
    """Return a figure of a table; `conditions` are the document's, when the table is that of a run.

    Raises NoFigureError with the reason when the table does not have it, when it is invalid for this purpose, or when it was
    taken under conditions that make it another figure than the document's.
    """
    row = _row(figure.row, table)
    function = FUNCTIONS[figure.function]
    assert row.figures is not None
    if table.run and conditions:
        _same_conditions(figure, row, table, conditions)
    if table.run:
        _valid(row, function.kind)
    value = function.of(row.figures)
    if value is None:
        raise NoFigureError(f"{'this run' if table.run else 'the document'} has no {figure.function} of {row.name}")
    if function.kind == "truth":
        return _late(row, conditions.source.timeout_seconds if table.run and conditions else row.timeout_seconds)
    spread = function.spread(row.figures)
    interval = spread.interval if spread else None
    exact = table.run is None or function.kind not in JUDGED_BY_INTERVAL
    return Found(float(value), interval, exact, shown(value, interval, function.unit))


def shown(value: float, interval: tuple[float, float] | None = None, unit: str = "") -> str:
    """Write a figure with its interval and its unit: `9.2 [9, 9.5] ms`."""
    bounds = f" [{_number(interval[0])}, {_number(interval[1])}]" if interval else ""
    return f"{_number(value)}{bounds} {unit}".strip()


def _number(value: float) -> str:
    """Write a number with four digits, or all those before its point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _row(name: str, table: Table) -> Row:
    """Return a row that was measured."""
    row = next((row for row in table.rows if row.name == name), None)
    if row is not None and row.figures is not None:
        return row
    if row is not None:
        state = "failed" if row.status == "failed" else "is not possible here"
        raise NoFigureError(f"{name} {state}: {(row.reason.splitlines() or ['no reason given'])[0]}")
    if table.run is None:
        raise NoFigureError(f"the document has no figures of {name}")
    if name in table.not_run:
        raise NoFigureError(f"the run did not come to {name}")
    raise NotInRunError(f"{name} is not in this run")


def _same_conditions(figure: Figure, row: Row, table: Table, conditions: Conditions) -> None:
    """Raise NoFigureError where other conditions than the document's make it another figure."""
    connections = conditions.connections.get(row.name, row.connections)
    if row.connections != connections:
        wrong = f"{row.name} ran with {row.connections:,} connections, in the document with {connections:,}"
        raise NoFigureError(wrong)
    source = conditions.source
    if FUNCTIONS[figure.function].kind != "count of the run":
        return
    measured = seconds(table)
    if figure.function == "timeouts" and row.timeout_seconds != source.timeout_seconds:
        ours, theirs = f"{row.timeout_seconds:g} s", f"{source.timeout_seconds:g} s"
        raise NoFigureError(f"{figure.text} counts replies later than {ours} here, later than {theirs} in the document")
    if measured != source.duration_seconds:
        raise NoFigureError(
            f"{figure.text} is a count over {measured:g} s here, over {source.duration_seconds:g} s in the document"
        )


def seconds(table: Table) -> float:
    """Return how long each row of a run was measured."""
    return table.run.settings.duration_seconds if table.run else 0.0


def _valid(row: Row, kind: Kind) -> None:
    """Raise NoFigureError when a remark says that figures of this kind are not what they seem."""
    for remark in row.remarks:
        if not remark.invalid or remark.code in _HARMLESS or (remark.code == OF_LATENCY and kind != "latency"):
            continue
        if kind in JUDGED_BY_INTERVAL or remark.code in OF_ALL:
            raise NoFigureError(f"{row.name} is invalid here: {remark.text.splitlines()[0]}")


def _late(row: Row, timeout_seconds: float) -> Found:
    """Say whether replies of a row came later than a timeout, which may be another than the load generator's here."""
    assert row.figures is not None
    count, spread = row.figures.errors.timeout, row.figures.spreads.get("latency_max_ms")
    slowest = spread.high if spread else row.figures.latency_max_ms
    counted = count > 0 or any(remark.code == "timeouts" for remark in row.remarks)
    if counted and row.timeout_seconds >= timeout_seconds:
        return _truth(True, f"{count:,} timeouts" if count else "in some repeats")
    if row.timeout_seconds <= timeout_seconds and not counted:
        return _truth(False, "")
    if row.timeout_seconds < timeout_seconds:
        ours, theirs = f"{row.timeout_seconds:g} s", f"{timeout_seconds:g} s"
        raise NoFigureError(f"{row.name} had a timeout of {ours}, which says nothing of the document's {theirs}")
    if slowest is None:
        raise NoFigureError(f"no reply of {row.name} was timed")
    return _truth(slowest > 1e3 * timeout_seconds, f"slowest reply {shown(slowest, unit='ms')}")


def _truth(value: bool, detail: str) -> Found:
    return Found(float(value), None, True, ("yes" if value else "no") + (f" ({detail})" if detail else ""))
