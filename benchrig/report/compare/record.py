"""`./inv compare --json`: the whole comparison for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from benchrig.report.compare.values import Change, Comparison, MetricMean, Pairing
from benchrig.report.conditions import Condition
from benchrig.report.export.json import text_of
from benchrig.report.figures import Sample
from benchrig.report.sentences import cause
from benchrig.report.table import Table
from benchrig.report.verdict import Answer, Cause


@dataclass(frozen=True, kw_only=True)
class SideRecord:
    """A run, or published figures."""

    name: str
    """The run's folder name, or the published set's name."""
    is_run: bool
    suite: str | None
    """None of published figures."""
    started_at: str | None
    git_commit: str | None
    incomplete: bool
    not_run: tuple[str, ...]
    """Rows that the run never came to."""


@dataclass(frozen=True, kw_only=True)
class ValueRecord:
    """A metric of a row of one side, in the unit that the metric's name ends with."""

    value: float
    """What is shown: the median of the repeats; of a count, the most of them."""
    low: float | None
    """Lower end of the median's 95 % interval; None of too few repeats."""
    high: float | None
    repeats: int


@dataclass(frozen=True, kw_only=True)
class ChangeRecord:
    """A metric of a row, compared with A."""

    row: str
    metric: str
    """Its name, as in `report.json`."""
    a: ValueRecord | None
    b: ValueRecord | None
    ratio: float | None
    """B over A: of the typical values of the repeats, with outliers held, where it was tested; else of the values."""
    ratio_low: float | None
    """Lower end of the ratio's 95 % interval; None where it was not tested, or some values are 0."""
    ratio_high: float | None
    p: float | None
    """Of the test; None where nothing was tested."""
    adjusted_p: float | None
    """The same, adjusted for the number of rows of the metric."""
    excluded_percent: float | None
    """Where no difference is shown: a larger one than this is excluded."""
    boots_session: str | None
    """The A/A session that the spread between boots is known from, which is then in the interval; None: it is not known."""
    verdict: Answer
    cause: Cause | None
    """Why nothing is known, or no test was needed."""
    text: str
    """The cause in words; empty without one."""


@dataclass(frozen=True, kw_only=True)
class MeanRecord:
    """The geometric mean of a metric's ratios."""

    metric: str
    rows: int
    """Over how many rows: those that were tested."""
    ratio: float
    ratio_low: float
    """Lower end of its 95 % interval."""
    ratio_high: float
    has_boots: bool
    """The spread between boots, which all rows of a run share, is in the interval."""


@dataclass(frozen=True, kw_only=True)
class PairingRecord:
    """A compared with one other run or published set, which is B here, whatever its `side` is called on the terminal."""

    side: str
    a: SideRecord
    b: SideRecord
    first_servers: tuple[str, ...]
    """Servers that alone were compared, of a run on several."""
    conditions: tuple[Condition, ...]
    """Conditions that differ."""
    changes: tuple[ChangeRecord, ...]
    means: tuple[MeanRecord, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord:
    """What `./inv compare --json` prints. None means no value."""

    noise_percent: float
    """Differences up to this are not called any."""
    pairings: tuple[PairingRecord, ...]


def render(comparison: Comparison) -> str:
    """Return a comparison as JSON text."""
    return text_of(asdict(record(comparison)))


def record(comparison: Comparison) -> ComparisonRecord:
    """Return a comparison as a record of plain values."""
    return ComparisonRecord(noise_percent=100 * comparison.noise, pairings=tuple(map(_pairing, comparison.pairings)))


def _pairing(pairing: Pairing) -> PairingRecord:
    return PairingRecord(
        side=pairing.side,
        a=_side(pairing.a),
        b=_side(pairing.b),
        first_servers=tuple(server for _, server in pairing.first_servers),
        conditions=pairing.conditions,
        changes=tuple(map(_change, pairing.changes)),
        means=tuple(map(_mean, pairing.means)),
        only_a=pairing.only_a,
        only_b=pairing.only_b,
    )


def _side(table: Table) -> SideRecord:
    run = table.run
    return SideRecord(
        name=table.name,
        is_run=run is not None,
        suite=run.suite if run else None,
        started_at=run.started_at if run else None,
        git_commit=run.git_commit if run else None,
        incomplete=table.incomplete,
        not_run=table.not_run,
    )


def _change(change: Change) -> ChangeRecord:
    found = change.difference
    return ChangeRecord(
        row=change.row,
        metric=change.metric.name,
        a=_value(change.a, change.a_value),
        b=_value(change.b, change.b_value),
        ratio=change.ratio,
        ratio_low=found.low if found else None,
        ratio_high=found.high if found else None,
        p=change.p,
        adjusted_p=change.adjusted_p,
        excluded_percent=None if change.excluded is None else 100 * change.excluded,
        boots_session=change.boots.session if change.boots else None,
        verdict=change.verdict,
        cause=change.cause,
        text=cause(change.outcome),
    )


def _value(sample: Sample | None, shown: float | None) -> ValueRecord | None:
    if sample is None or shown is None:
        return None
    interval = sample.interval
    return ValueRecord(
        value=shown,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        repeats=len(sample.values),
    )


def _mean(mean: MetricMean) -> MeanRecord:
    found = mean.mean
    return MeanRecord(
        metric=mean.metric.name,
        rows=found.rows,
        ratio=found.ratio,
        ratio_low=found.low,
        ratio_high=found.high,
        has_boots=mean.has_boots,
    )
