"""The values of a comparison: what changed in which row, by how much, and what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.report.conditions import Condition
from benchrig.report.figures import Sample
from benchrig.report.metrics import Metric
from benchrig.report.table import Table
from benchrig.report.verdict import Answer, Cause, Outcome
from benchrig.results.sessions import Known
from benchrig.statistics.difference import Difference
from benchrig.statistics.means import Mean


@dataclass(frozen=True)
class Change:
    """A metric of one row in A, and in another table."""

    side: str
    """What the other table is called: `B`."""
    row: str
    """The row's label."""
    metric: Metric
    a: Sample | None
    """None where it has no value there."""
    b: Sample | None
    outcome: Outcome
    difference: Difference | None = None
    """The ratio of B to A with its interval; None where nothing was tested, or a value is 0."""
    p: float | None = None
    """Of the test that there is no difference, or none above the noise; None where nothing was tested."""
    adjusted_p: float | None = None
    """The same for all rows of the metric together, by Holm's method: the verdict rests on it."""
    boots: Known | None = None
    """What an A/A session has found of the spread between boots, which is then in the interval; None: it is not known."""

    @property
    def verdict(self) -> Answer:
        """What B is, compared with A."""
        return self.outcome.answer

    @property
    def cause(self) -> Cause | None:
        """Why nothing is known, or why no difference counts; None where the test decides."""
        return self.outcome.cause

    @property
    def is_found(self) -> bool:
        """A difference was shown."""
        return self.verdict in (Answer.BETTER, Answer.WORSE)

    @property
    def a_value(self) -> float | None:
        """What A is shown with: the median of the repeats; of a count, what reports show."""
        return _shown(self.metric, self.a)

    @property
    def b_value(self) -> float | None:
        """What B is shown with."""
        return _shown(self.metric, self.b)

    @property
    def ratio(self) -> float | None:
        """B over A, by the test where there is one; else of the values shown. None where one is missing, or A's is 0."""
        if self.difference:
            return self.difference.ratio
        a, b = self.a_value, self.b_value
        return b / a if a and b is not None else None

    @property
    def excluded(self) -> float | None:
        """Where no difference is shown: a larger one than this share is excluded, and a smaller one may have been missed."""
        return self.difference.detectable if self.difference and self.verdict is Answer.NO_DIFFERENCE else None


def _shown(metric: Metric, sample: Sample | None) -> float | None:
    if sample is None:
        return None
    return sample.value if metric.kind == "count" else sample.median


@dataclass(frozen=True)
class MetricMean:
    """The geometric mean of a metric's ratios over the rows that were tested."""

    metric: Metric
    mean: Mean
    has_boots: bool = False
    """The spread between boots is in its interval."""


@dataclass(frozen=True)
class Pairing:
    """A compared with one other table."""

    side: str
    """What the other table is called: `B`."""
    a: Table
    b: Table
    first_servers: tuple[tuple[str, str], ...]
    """Sides of which only the first server is compared, each with that server."""
    conditions: tuple[Condition, ...]
    """Conditions that differ: they may explain a difference in the figures."""
    changes: tuple[Change, ...]
    """By metric in the order of the registry, then by row in A's order."""
    means: tuple[MetricMean, ...]
    only_a: tuple[str, ...]
    """Labels of the rows that the other table does not have."""
    only_b: tuple[str, ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that were compared."""
        return tuple(dict.fromkeys(change.metric for change in self.changes))

    @property
    def rows(self) -> tuple[str, ...]:
        """The labels of the rows of both."""
        return tuple(dict.fromkeys(change.row for change in self.changes))

    @property
    def of_runs(self) -> bool:
        """Both are runs: each is a sample of one of what the machine does from boot to boot."""
        return self.a.run is not None and self.b.run is not None

    @property
    def lacks_repeats(self) -> bool:
        """Nothing can be judged, for want of repeats alone."""
        causes = {change.cause for change in self.changes} - _SETTLED
        return causes == {Cause.TOO_FEW_REPEATS}


_SETTLED = {Cause.AT_CEILING, Cause.NOT_MEASURED, Cause.INVALID, Cause.OTHER_LOAD, Cause.OTHER_DURATION}
"""What repeats would not change."""


@dataclass(frozen=True)
class Comparison:
    """A compared with each of the others."""

    pairings: tuple[Pairing, ...]
    noise: float
    """Differences up to this share are not called any: 0.01 is 1 %."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of all pairings."""
        return tuple(change for pairing in self.pairings for change in pairing.changes)
