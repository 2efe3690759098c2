"""What a session shows: B against A for each metric, by pairs over boots; the spreads; what the design finds."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from benchrig.report.metrics import METRICS, THROUGHPUT, Metric
from benchrig.results import audit, sessions
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from benchrig.results.model.session import MetricSpread, Session, Side
from benchrig.results.sessions import Measured
from benchrig.results.spoils import Spoils
from benchrig.statistics import boots as over_boots
from benchrig.statistics.boots import Paired, Spread
from benchrig.statistics.difference import SIGNIFICANT, holm

ADVISED = (0.01, 0.02, 0.03, 0.05)
"""The differences that a report says the number of boots for."""

OF_THE_MACHINE = frozenset(
    {Code.DISTURBED, Code.STEAL, Code.NO_IDLE_CPU, Code.THROTTLED, Code.MEMORY_PRESSURE, Code.EMULATED}
)
"""What disturbs a machine concerns A and B alike, by their random order. It widens the interval, and is told; a pair that it
spoils counts, because to leave out what looks bad would favour one side."""


class Answer(StrEnum):
    """The answer for a metric."""

    BETTER = "B is better"
    WORSE = "B is worse"
    NO_DIFFERENCE = "no difference shown"
    AT_CEILING = "both at the ceiling"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class MetricResult:
    """B against A in one metric."""

    metric: str
    """Its name, `requests_per_second`."""
    a: float
    """A's typical value, in the metric's unit: the geometric mean of its boots' levels."""
    b: float
    paired: Paired
    adjusted_p: float | None
    """The p-value after Holm's correction over all metrics but throughput, which is the question; None of one boot."""
    answer: Answer
    detectable: float | None = None
    """The difference, as a share, that this design finds in 80 % of cases; None of one boot."""
    left_out: int = 0
    """Pairs that do not count, because a warning, though none about the machine, makes a value of theirs invalid."""


@dataclass(frozen=True)
class Advice:
    """How many boots find a difference in throughput in 80 % of cases."""

    difference: float
    """As a share: 0.03 is 3 %."""
    boots: int | None
    """None: more than are worth the time."""


@dataclass(frozen=True)
class Condition:
    """A condition that differs: its name, and its values on both sides."""

    name: str
    a: str
    b: str


@dataclass(frozen=True)
class Result:
    """The result of a session, complete or not."""

    session: Session
    measured: int
    """Measurements that are stored."""
    planned: int
    failed: tuple[str, ...]
    """Why measurements failed, each reason once."""
    metrics: tuple[MetricResult, ...]
    """Throughput comes first; a metric without a pair is not there."""
    spread_a: Spread | None
    """Of A's throughput within and between boots; None where it cannot be told apart."""
    spread_b: Spread | None
    advice: tuple[Advice, ...]
    """Empty without an interval."""
    warnings: Mapping[str, int]
    """In how many measurements each warning was detected, by its code."""
    differences: tuple[Condition, ...] = ()
    """Conditions that differ between A and B: they may explain a difference, or be what is compared."""

    @property
    def throughput(self) -> MetricResult | None:
        """The result in throughput."""
        return next((one for one in self.metrics if one.metric == THROUGHPUT.name), None)


def analyse(folder: Path) -> Result:
    """Return the result of a session by its folder, as far as it was measured. Raises InputError when it cannot be read."""
    session = sessions.read(folder)
    measured = sessions.measurements(folder, session)
    judged = [_Judged(one) for one in measured if one.cell.status == "measured"]
    found = [result for metric in METRICS if metric.compared if (result := _result(metric, judged))]
    names = {result.metric for result in found}
    shown = [result for result in found if _spare(result.metric) not in names]
    metrics = _adjusted(sorted(shown, key=lambda result: result.metric != THROUGHPUT.name))
    first = metrics[0].paired if metrics and metrics[0].metric == THROUGHPUT.name else None
    error = first.error if first else None
    return Result(
        session=session,
        measured=len(measured),
        planned=2 * session.settings.repeats * session.boots,
        failed=tuple(dict.fromkeys(one.cell.reason for one in measured if one.cell.status != "measured")),
        metrics=tuple(metrics),
        spread_a=_spread([one for one in measured if one.side == "A"], THROUGHPUT),
        spread_b=_spread([one for one in measured if one.side == "B"], THROUGHPUT),
        advice=() if error is None else tuple(Advice(share, over_boots.boots_for(error, share)) for share in ADVISED),
        warnings=dict(Counter(code.value for one in judged for code in one.codes)),
        differences=tuple(_differences([one.measured for one in judged])),
    )


def spreads(measured: Sequence[Measured]) -> tuple[MetricSpread, ...]:
    """Return the spread of each metric that is compared, of all measurements of a session whose variants are the same."""
    found = {metric.name: _spread(measured, metric) for metric in METRICS if metric.compared}
    return tuple(MetricSpread(name, one.within, one.between, one.boots, one.means) for name, one in found.items() if one)


def _differences(measured: Sequence[Measured]) -> Iterator[Condition]:
    """Yield the loads and versions that differ between the first measurement of A and that of B."""
    a, b = (next((one.cell for one in measured if one.side == side), None) for side in ("A", "B"))
    if a is None or b is None:
        return
    one, other = _conditions(a), _conditions(b)
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            yield Condition(name, one.get(name, "none"), other.get(name, "none"))


def _conditions(cell: Cell) -> Mapping[str, str]:
    return {
        "connections": f"{cell.connections:,}",
        "route": cell.route,
        "waiting in the handler": f"{cell.sleep_seconds:g} s",
        **{f"version of {name}": version for name, version in cell.versions.items()},
    }


class _Judged:
    """A measurement and its warnings."""

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        warnings = audit.warnings(measured.cell, measured.run)
        self.codes: frozenset[Code] = frozenset(warning.code for warning in warnings)
        self._spoiled: frozenset[Spoils] = frozenset[Spoils]().union(
            *(one.spoils for one in warnings if one.invalid and one.code not in OF_THE_MACHINE)
        )

    @property
    def at_ceiling(self) -> bool:
        return Code.CEILING in self.codes

    def is_valid(self, metric: Metric) -> bool:
        return metric.spoiled_by not in self._spoiled


def _result(metric: Metric, judged: Sequence[_Judged]) -> MetricResult | None:
    """Return B against A in a metric; None where no pair has both values above 0."""
    by_pair: dict[tuple[int, int], dict[str, _Judged]] = {}
    for one in judged:
        by_pair.setdefault((one.measured.boot, one.measured.pair), {})[one.measured.side] = one
    whole = {key: (two["A"], two["B"]) for key, two in by_pair.items() if len(two) == 2}
    valid = {key: two for key, two in whole.items() if all(one.is_valid(metric) for one in two)}
    by_boot: dict[int, list[tuple[float, float]]] = {}
    for (boot, _), two in valid.items():
        a, b = (metric.read(one.measured.cell) for one in two)
        if a and b and min(a, b) > 0:
            by_boot.setdefault(boot, []).append((a, b))
    paired = over_boots.compare(list(by_boot.values()))
    if paired is None:
        return None
    at_ceiling = metric is THROUGHPUT and all(one.at_ceiling for two in valid.values() for one in two)
    answer = Answer.AT_CEILING if at_ceiling else Answer.NOT_KNOWN
    return MetricResult(
        metric=metric.name,
        a=_typical([[a for a, _ in pairs] for pairs in by_boot.values()]),
        b=_typical([[b for _, b in pairs] for pairs in by_boot.values()]),
        paired=paired,
        adjusted_p=paired.p,
        answer=answer,
        detectable=paired.detectable,
        left_out=len(whole) - len(valid),
    )


def _typical(boots: Sequence[Sequence[float]]) -> float:
    """Return the typical value of one side: like the ratio, the geometric mean of the boots' levels."""
    return statistics.geometric_mean([statistics.geometric_mean(values) for values in boots])


def _adjusted(results: Sequence[MetricResult]) -> list[MetricResult]:
    """Return the results with their answers: throughput by its own p-value, the others after Holm's correction."""
    others = [result for result in results if result.metric != THROUGHPUT.name and result.paired.p is not None]
    adjusted = dict(zip((one.metric for one in others), holm([one.paired.p or 0.0 for one in others]), strict=True))
    made = [replace(result, adjusted_p=adjusted.get(result.metric, result.paired.p)) for result in results]
    return [replace(result, answer=_answer(result)) for result in made]


def _answer(result: MetricResult) -> Answer:
    if result.answer is Answer.AT_CEILING or result.adjusted_p is None:
        return result.answer
    if result.adjusted_p >= SIGNIFICANT:
        return Answer.NO_DIFFERENCE
    higher = next(metric for metric in METRICS if metric.name == result.metric).kind == "higher is better"
    return Answer.BETTER if (result.paired.ratio > 1) == higher else Answer.WORSE


def _spare(name: str) -> str:
    """Return the metric that one stands in for; empty for others."""
    return next(metric for metric in METRICS if metric.name == name).instead_of


def _spread(measured: Sequence[Measured], metric: Metric) -> Spread | None:
    systems: dict[Side, dict[int, list[float]]] = {}
    for one in measured:
        value = metric.read(one.cell) if one.cell.status == "measured" else None
        if value is not None:
            systems.setdefault(one.side, {}).setdefault(one.boot, []).append(value)
    return over_boots.spread(*(list(boots.values()) for boots in systems.values()))
