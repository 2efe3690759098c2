"""Metrics of a run against a reference: whether one is shown to be worse by more than a limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig.report import describe, history
from benchrig.report.compare import Change, Pairing, compare, texts
from benchrig.report.compare.tables import Boots
from benchrig.report.document import Report
from benchrig.report.figures import Sample
from benchrig.report.gate import errors
from benchrig.report.gate.model import Basis, Judged, Judgement, Kind, Worsening
from benchrig.report.metrics import BY_NAME, THROUGHPUT, Metric
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Answer, Cause
from benchrig.results.model import Run
from benchrig.results.sessions import Known
from benchrig.statistics import advice, limits
from benchrig.statistics.interval import LEAST_REPEATS

METRICS = (THROUGHPUT, BY_NAME["latency_p99_ms"], BY_NAME["latency_corrected_p99_ms"])
"""What --fail-over judges. The corrected p99 stands in for the other where only that is known."""

_JUDGEMENTS: Mapping[Basis, Judgement] = {
    Basis.SHOWN_WORSE: Judgement.FAILED,
    Basis.WITHIN_LIMIT: Judgement.PASSED,
    Basis.AT_CEILING: Judgement.PASSED,
    Basis.ONLY_IN_RUN: Judgement.SKIPPED,
    Basis.ONLY_IN_REFERENCE: Judgement.SKIPPED,
    Basis.MORE_ERRORS: Judgement.FAILED,
}
"""All others leave it undecided."""

_CAUSES: Mapping[Cause, Basis] = {
    Cause.AT_CEILING: Basis.AT_CEILING,
    Cause.TOO_FEW_REPEATS: Basis.TOO_FEW_REPEATS,
    Cause.INVALID: Basis.INVALID,
    Cause.OTHER_LOAD: Basis.OTHER_LOAD,
}

Ends = tuple[float, float] | None
"""What a value lies between."""

_SIDES = {"A": "the reference", "B": "the run"}


@dataclass(frozen=True)
class Ratio:
    """The run's value over the reference's, and what is shown of it."""

    typical: float
    low: float
    """Lower end of its 95 % interval."""
    high: float
    worse: bool
    """It is shown to be worse."""
    beyond: bool
    """It is shown to be worse by more than the limit."""


def against(reference: Report, report: Report, limit_percent: float, reports: Path) -> tuple[list[Judged], tuple[str, ...]]:
    """Return the judgements on each row and metric, and what to know of the two: A is the reference, B the run.

    What A/A sessions in `reports` know of the spread between boots is in the intervals. Raises InputError when the two have
    no row in common.
    """

    def boots(run: Run, row: Row) -> Mapping[str, Known]:
        return history.known_spreads(reports, run, row)

    (pairing,) = compare([reference, report], boots=boots).pairings
    beyond = _beyond(reference, report, limit_percent, boots)
    changes = [one for one in pairing.changes if one.metric in METRICS and not _says_nothing_new(one, pairing)]
    tests = sum(one.difference is not None for one in changes)
    found = [_worsening(one, pairing, limit_percent, tests, beyond=(one.row, one.metric.name) in beyond) for one in changes]
    notes = (*texts.notes(pairing), *map(str, pairing.conditions), *texts.between_boots(pairing))
    alone = (*_alone(pairing), *_on_others(pairing, report.table))
    return [judged(one) for one in (*found, *errors.compared(pairing), *alone)], notes


def judged(found: Worsening) -> Judged:
    """Return the judgement on a metric of a row."""
    judgement = _JUDGEMENTS.get(found.basis, Judgement.NOT_DECIDED)
    return Judged(Kind.FAIL_OVER, f"{found.metric}({found.row})", judgement, worsening=found)


def by_ratio(found: Worsening, metric: Metric, ratio: Ratio, limit_percent: float) -> Worsening:
    """Return what a ratio with its interval says of a limit: worse by more, not worse by more, or neither."""
    low, high = (ratio.low, ratio.high) if metric.kind == "lower is better" else (ratio.high, ratio.low)
    worst = _share(high, metric)
    if ratio.beyond:
        basis = Basis.SHOWN_WORSE
    elif worst is not None and worst <= limit_percent:
        basis = Basis.WITHIN_LIMIT
    else:
        basis = Basis.LIMIT_IN_INTERVAL if ratio.worse else Basis.NO_DIFFERENCE
    return replace(
        found,
        basis=basis,
        worse_percent=_share(ratio.typical, metric),
        worse_low_percent=_share(low, metric),
        worse_high_percent=worst,
    )


def limit_ratio(metric: Metric, limit_percent: float) -> float:
    """Return the ratio that is worse by exactly the limit: of 5 %, 0.95 for throughput and 1.05 for a latency."""
    return 1 + limit_percent / 100 * (-1 if metric.kind == "higher is better" else 1)


def is_worse(metric: Metric, low: float, high: float, limit: float = 1.0) -> bool:
    """Return whether a whole interval of ratios is worse than a limit."""
    return high < limit if metric.kind == "higher is better" else low > limit


def _share(ratio: float, metric: Metric) -> float | None:
    """Return how much worse a value of so many times the reference's is, in percent; None where that is infinite."""
    worse = 1 - ratio if metric.kind == "higher is better" else ratio - 1
    return 100 * worse if math.isfinite(worse) else None


def _beyond(reference: Report, report: Report, limit_percent: float, boots: Boots) -> set[tuple[str, str]]:
    """Return the rows and metrics that are shown to be worse by more than the limit.

    A comparison takes noise as a share of the smaller value: 5 % less throughput is 5.26 % of it.
    """
    share = limit_percent / 100
    found = set()
    for kind, noise in (("higher is better", share / (1 - share)), ("lower is better", share)):
        for change in compare([reference, report], noise, boots).changes:
            if change.metric.kind == kind and change.verdict is Answer.WORSE:
                found.add((change.row, change.metric.name))
    return found


def _worsening(change: Change, pairing: Pairing, limit_percent: float, tests: int, *, beyond: bool) -> Worsening:
    """Return what is known of a metric that both have, or that one of them was to have; it is one of so many tests."""
    outcome, metric = change.outcome, change.metric
    found = Worsening(
        row=change.row,
        metric=metric.claimed,
        unit=metric.unit.name,
        reference_value=change.a_value,
        value=change.b_value,
        basis=_basis(change),
        p=change.adjusted_p,
        repeats=(_repeats(change.a), _repeats(change.b)),
        needed=outcome.needed,
        codes=outcome.codes,
        detail=_detail(change, pairing.b),
    )
    if change.cause is Cause.PUBLISHED:
        ends = [_ends(sample, table) for sample, table in ((change.a, pairing.a), (change.b, pairing.b))]
        found = _by_points(found, change, ends, limit_percent)
    elif change.cause is None and change.difference:
        test = change.difference
        ratio = Ratio(test.ratio, test.low, test.high, change.verdict is Answer.WORSE, beyond)
        found = by_ratio(found, metric, ratio, limit_percent)
        found = replace(found, needed=_needed(found, change, limit_percent, tests))
    return replace(found, command=_command(pairing.b, change.row, found.needed))


def _says_nothing_new(change: Change, pairing: Pairing) -> bool:
    """Return whether it is a second metric of a row that one of the two did not measure: the first one says so."""
    rows = [row for table in (pairing.a, pairing.b) for row in table.rows if row.label == change.row]
    return change.metric is not THROUGHPUT and not all(row.figures for row in rows)


def _basis(change: Change) -> Basis:
    """Return why a metric cannot be judged by a ratio; that there is none, where nothing else is known."""
    if change.cause is Cause.NOT_MEASURED:
        return Basis.NOT_MEASURED if "B" in change.outcome.sides else Basis.ONLY_IN_RUN
    return _CAUSES.get(change.cause, Basis.NO_RATIO) if change.cause else Basis.NO_RATIO


def _by_points(found: Worsening, change: Change, ends: Sequence[Ends], limit_percent: float) -> Worsening:
    """Return what published figures say: each is a point, and a run's value has the 95 % interval of its median."""
    one, other = ends
    if one is None or other is None:
        return replace(found, basis=Basis.TOO_FEW_REPEATS, needed=LEAST_REPEATS)
    if not (change.ratio and min(one) > 0):
        return replace(found, basis=Basis.NO_RATIO)
    low, high, metric = other[0] / one[1], other[1] / one[0], change.metric
    limit = limit_ratio(metric, limit_percent)
    ratio = Ratio(change.ratio, low, high, is_worse(metric, low, high), is_worse(metric, low, high, limit))
    return by_ratio(found, metric, ratio, limit_percent)


def _ends(sample: Sample | None, table: Table) -> Ends:
    """Return what a value lies between; None of too few repeats."""
    if sample and table.run is None:
        return sample.value, sample.value
    return (sample.interval.low, sample.interval.high) if sample and sample.interval else None


def _repeats(sample: Sample | None) -> int:
    return len(sample.values) if sample else 0


def _needed(found: Worsening, change: Change, limit_percent: float, tests: int) -> int:
    """Return how many repeats of each would tell whether it is worse by more than the limit.

    0 where that is known, where it is too close to the limit to be worth them, and where the spread between boots is in the
    interval, which repeats do not narrow.
    """
    if not change.difference or change.boots:
        return 0
    estimate, repeats = change.difference.estimate, max(change.difference.repeats)
    limit = math.log(limit_ratio(change.metric, limit_percent))
    match found.basis:
        case Basis.LIMIT_IN_INTERVAL:
            advised = advice.settle(estimate, repeats, limit)
            return (advised.repeats if advised else None) or 0
        case Basis.NO_DIFFERENCE:
            worse = replace(estimate, value=math.copysign(1.0, limit) * estimate.value)
            return limits.repeats_within(worse, repeats, abs(limit), tests) or 0
        case _:
            return 0


def _detail(change: Change, table: Table) -> str:
    """Return why the run has no value, as far as its row says; of an invalid row, which of both it is."""
    if change.cause is Cause.INVALID:
        return " and ".join(_SIDES[side] for side in change.outcome.sides)
    row = next((row for row in table.rows if row.label == change.row), None)
    return row.reason.splitlines()[0] if change.b is None and row and row.reason else ""


def _command(table: Table, label: str, needed: int) -> str:
    """Return the command that measures a row of a run so often; empty of published figures."""
    names = {row.name for row in table.rows if row.label == label}
    return describe.repeats_command(table, names, needed) if table.run and needed and names else ""


def _on_others(pairing: Pairing, table: Table) -> Iterator[Worsening]:
    """Yield the rows of the run's other servers, where the reference has one server and only the first is compared."""
    for side, server in pairing.first_servers:
        for row in table.rows if side == "B" else ():
            if row.several and row.host != server:
                yield Worsening(
                    row=row.label,
                    metric=THROUGHPUT.claimed,
                    unit=THROUGHPUT.unit.name,
                    reference_value=None,
                    value=row.value(THROUGHPUT),
                    basis=Basis.ONLY_IN_RUN,
                )


def _alone(pairing: Pairing) -> Iterator[Worsening]:
    """Yield the rows that only one of them has. One that the run was to measure is not left out, but not decided."""
    there = {row.label: row for row in (*pairing.a.rows, *pairing.b.rows)}
    for label in (*pairing.only_a, *pairing.only_b):
        of_run = label in pairing.only_b
        basis = Basis.NOT_MEASURED if label in pairing.b.not_run else Basis.ONLY_IN_REFERENCE
        value = there[label].value(THROUGHPUT)
        yield Worsening(
            row=label,
            metric=THROUGHPUT.claimed,
            unit=THROUGHPUT.unit.name,
            reference_value=None if of_run else value,
            value=value if of_run else None,
            basis=Basis.ONLY_IN_RUN if of_run else basis,
        )
