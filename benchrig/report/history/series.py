"""The series of a row: its values over runs of like conditions, the steps in them, and whether the newest run is off."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchrig.report.figures import sample
from benchrig.report.history.like import Change, Facts, Unlike, changes, shown, unlike
from benchrig.report.metrics import Metric
from benchrig.results.index import Measured
from benchrig.statistics import steps
from benchrig.statistics.difference import SIGNIFICANT, holm

MOST_UNLIKE = 3
"""Conditions that a sentence names, of those that differ in other runs."""


@dataclass(frozen=True)
class Point:
    """A run in the series of a row."""

    run: str
    started_at: str
    commit: str
    value: float | None
    """Of the metric, as reports show it; null where it has none."""
    values: tuple[float, ...]
    """Of each repeat."""
    unused: str
    """Why it is shown and takes part in nothing; empty where it does."""
    label: str = ""
    """What the user calls the run; empty where it has no label."""


@dataclass(frozen=True)
class Level:
    """A stretch of runs between two steps."""

    first_run: str
    last_run: str
    runs: int
    typical: float
    """The median of its runs' values."""


@dataclass(frozen=True)
class Step:
    """A place where a series steps: the runs beside it, and what differs between them."""

    run: str
    """The first run of the new level."""
    run_before: str
    """The last run of the old level."""
    commit: str
    commit_before: str
    ratio: float | None
    """Typical value of the new level over that of the old one; null where that is 0."""
    differs: tuple[Change, ...]
    """What is recorded otherwise in the first run of the new level than in the last run of the old one."""


@dataclass(frozen=True)
class Judgement:
    """Whether a run is off from the like runs before it, by one metric of one row."""

    row: str
    metric: str
    run: str
    value: float | None
    """Null where the run has none that can be used."""
    higher_is_better: bool
    runs: tuple[str, ...]
    """The like runs that it was judged by: those of the best level, without runs that were off because they were worse."""
    values: tuple[float, ...]
    """Their values."""
    runs_needed: int
    """So many are needed at least."""
    unused: str = ""
    """Why the run's value cannot be used; empty where it can."""
    unlike: tuple[Unlike, ...] = ()
    """Runs of the row that it was not judged by, by the first condition that differs."""
    expected: float | None = None
    """What those runs let expect; null of too few."""
    low: float | None = None
    """Lower end of the 95 % prediction interval of one more run."""
    high: float | None = None
    ratio: float | None = None
    """Its value over the expected one."""
    p: float | None = None
    """How likely a run without a change is to be as far off; of several rows judged together, adjusted for their number."""
    worse_since: str = ""
    """The first run from which on all were worse, which are not among `runs`; empty where the run before it was not."""
    worse_runs: int = 0
    """How many those are."""

    @property
    def unknown(self) -> str:
        """Why it is not known whether the run is off, in words; empty where it is known."""
        if self.p is not None:
            return ""
        if self.value is None:
            return self.unused or f"the run has no {self.metric}"
        others = "; ".join(map(str, self.unlike[:MOST_UNLIKE]))
        few = f"too few runs of like conditions: {self.runs_needed} are needed, {len(self.runs)} are there"
        return f"{few}; other conditions: {others}" if others and not self.runs else few

    @property
    def off(self) -> bool | None:
        """Say whether it is off; None where that is not known."""
        return None if self.p is None else self.p < SIGNIFICANT

    @property
    def worse(self) -> float | None:
        """Return the share by which it is worse than expected: 0.05 is 5 %; negative of a better one; None: not known."""
        if self.ratio is None:
            return None
        return 1 - self.ratio if self.higher_is_better else self.ratio - 1

    def exceeds(self, share: float) -> bool | None:
        """Say whether it is off and worse by more than a share; None where that is not known."""
        if self.off is None:
            return None
        if self.worse is None:
            # What was always 0 is any number of times as much.
            return self.off and not self.higher_is_better and (self.value or 0) > 0
        return self.off and self.worse > share


@dataclass(frozen=True)
class Series:
    """A row over the runs of like conditions, the oldest first."""

    row: str
    system: str
    conditions: Mapping[str, str]
    """Those of its newest run that measured it: other runs are alike if these are the same."""
    points: tuple[Point, ...]
    levels: tuple[Level, ...]
    steps: tuple[Step, ...]
    newest: Judgement
    unlike: tuple[Unlike, ...]
    """Runs of the row that were left out, by the first condition that differs."""
    left_out: int = 0
    """Earlier like runs that were not looked at."""


def series(measured: Sequence[Measured], metric: Metric, last: int, facts: Callable[[str, str], Facts]) -> Series:
    """Return the series of a row from all its runs, the oldest first; `last` is how many like runs are looked at.

    `facts` returns what may explain a difference, of a run and a row. Needs one run.
    """
    reference = next((one for one in reversed(measured) if one.values), measured[-1])
    like, others = _like(measured, reference)
    looked_at = like[-last:]
    points = tuple(_point(one, metric) for one in looked_at)
    used = [point for point in points if not point.unused]
    places = steps.steps([point.value for point in used if point.value is not None])
    ends = [0, *places, len(used)]
    levels = tuple(_level(used[one:other]) for one, other in itertools.pairwise(ends) if other > one)
    return Series(
        row=reference.label,
        system=reference.system,
        conditions=shown(reference.conditions),
        points=points,
        levels=levels,
        steps=tuple(
            _step(used[at - 1], used[at], levels[number : number + 2], reference.label, facts)
            for number, at in enumerate(places)
        ),
        newest=replace(judgement(reference.label, metric, points[-1], points[:-1]), unlike=others),
        unlike=others,
        left_out=len(like) - len(looked_at),
    )


def judged_by_like(measured: Sequence[Measured], metric: Metric, last: int) -> Judgement:
    """Return whether the last of some runs of a row is off from those before it whose conditions are like its own."""
    newest = measured[-1]
    like, others = _like(measured, newest)
    points = [_point(one, metric) for one in like[-last:]]
    return replace(judgement(newest.label, metric, points[-1], points[:-1]), unlike=others)


def _like(measured: Sequence[Measured], reference: Measured) -> tuple[list[Measured], tuple[Unlike, ...]]:
    """Return the runs whose conditions are those of a reference, and the others by what differs first."""
    found: dict[int, Change | None] = {}
    like, others = [], Counter[Change]()
    for one in measured:
        # The conditions of most runs are the same object.
        key = id(one.conditions)
        if key not in found:
            found[key] = unlike(reference.conditions, one.conditions)
        differs = found[key]
        if differs is None:
            like.append(one)
        else:
            others[differs] += 1
    return like, tuple(Unlike(one.name, one.after, one.before, runs) for one, runs in others.most_common())


def _point(one: Measured, metric: Metric) -> Point:
    value = sample(one.values, metric).value if one.values else None
    unused = one.unused or ("" if one.values else "no value")
    return Point(one.run, one.started_at, one.commit, value, one.values, unused)


def _level(points: Sequence[Point]) -> Level:
    typical = statistics.median(point.value for point in points if point.value is not None)
    return Level(points[0].run, points[-1].run, len(points), typical)


def _step(before: Point, first: Point, beside: Sequence[Level], row: str, facts: Callable[[str, str], Facts]) -> Step:
    old, new = (level.typical for level in beside)
    differs = changes(facts(before.run, row), facts(first.run, row))
    return Step(first.run, before.run, first.commit, before.commit, new / old if old else None, differs)


def judgement(row: str, metric: Metric, newest: Point, before: Sequence[Point]) -> Judgement:
    """Return whether a run is off from the runs before it, without those that were worse (`steps.reference`)."""
    used = [(point.run, point.value) for point in before if not point.unused and point.value is not None]
    direction = metric.higher_is_better if metric.compared or metric.kind != "count" else None
    reference = steps.reference([value for _, value in used], direction)
    taken = [used[place] for place in reference.places[-steps.MOST_RUNS :]]
    since = reference.worse_since
    values = tuple(value for _, value in taken)
    value = None if newest.unused else newest.value
    bare = Judgement(
        row=row,
        metric=metric.name,
        run=newest.run,
        value=value,
        higher_is_better=metric.higher_is_better,
        runs=tuple(run for run, _ in taken),
        values=values,
        runs_needed=steps.LEAST_RUNS,
        unused=newest.unused,
        worse_since="" if since is None else used[since][0],
        worse_runs=0 if since is None else len(used) - since,
    )
    found = None if value is None else steps.deviation(values, value)
    if found is None:
        return bare
    expected = found.prediction
    return replace(bare, expected=expected.expected, low=expected.low, high=expected.high, ratio=found.ratio, p=found.p)


def together(judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """Return the judgements of several rows or metrics, their p-values adjusted for their number by Holm's method."""
    known = [one for one in judgements if one.p is not None]
    adjusted = iter(holm([one.p for one in known if one.p is not None]))
    return tuple(one if one.p is None else replace(one, p=next(adjusted)) for one in judgements)
