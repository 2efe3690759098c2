"""Whether a metric of rows differs: the tests behind a comparison of runs, and behind that of several servers in one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchrig.report.compare.values import Change, MetricMean
from benchrig.report.conditions import same_traffic
from benchrig.report.figures import Sample
from benchrig.report.metrics import THROUGHPUT, Metric
from benchrig.report.table import Row
from benchrig.report.verdict import Answer, Cause, Outcome
from benchrig.results.codes import Code
from benchrig.results.sessions import Known
from benchrig.statistics.boots import welch_between_boots
from benchrig.statistics.difference import LEAST_REPEATS, SIGNIFICANT, Difference, holm, welch
from benchrig.statistics.means import geometric
from benchrig.statistics.ranks import mann_whitney
from benchrig.statistics.ties import ceiling_margin

LEAST_COUNTS = 4
"""Of fewer repeats of each, the Mann–Whitney test never has a p-value below 0.05: 3 against 3 can be in 20 orders."""

Pairs = Sequence[tuple[Row, Row]]


@dataclass(frozen=True)
class Terms:
    """How two tables are compared."""

    sides: tuple[str, str] = ("A", "B")
    """What they are called in a reason."""
    noise: float = 0.0
    """Differences up to this share are not called any."""
    are_published: bool = False
    """One of them has published figures, which have no repeats."""
    same_duration: bool = True
    """Both loads were as long, so that what grows with the duration compares."""
    boots: Mapping[tuple[str, str], Known] = field(default_factory=dict)
    """The spread between boots, by label of the row and name of the metric, where it is known."""


def changes(pairs: Pairs, metric: Metric, terms: Terms) -> tuple[Change, ...]:
    """Return how a metric differs in each pair of rows of A and B, judged together by Holm's method."""
    tested = [_tested(a, b, metric, terms) for a, b in pairs]
    family = [i for i, change in enumerate(tested) if change.p is not None]
    for i, adjusted in zip(family, holm([tested[i].p or 0.0 for i in family]), strict=True):
        tested[i] = _decided(tested[i], adjusted)
    return tuple(tested)


def mean_of(found: Sequence[Change]) -> MetricMean | None:
    """Return the geometric mean of a metric's ratios over the rows that were tested; None of fewer than two.

    The spread between boots is in it where it is known of each of these rows.
    """
    tested = [one for one in found if one.difference]
    if len(tested) < 2:
        return None
    known = [one.boots.spread for one in tested if one.boots]
    boots = known if len(known) == len(tested) else []
    mean = geometric([of_repeats for one in tested if (of_repeats := _of_repeats(one))], boots)
    return MetricMean(found[0].metric, mean, has_boots=bool(boots)) if mean else None


def _of_repeats(tested: Change) -> Difference | None:
    """Return the difference without the spread between boots, which all rows of a run share."""
    if tested.boots and tested.a and tested.b:
        return welch(tested.a.values, tested.b.values)
    return tested.difference


def _tested(a: Row, b: Row, metric: Metric, terms: Terms) -> Change:
    one, other = a.figures.get(metric.name), b.figures.get(metric.name)
    untested = Change(terms.sides[1], a.label, metric, one, other, Outcome(Answer.NO_DIFFERENCE))
    if settled := _settled(a, b, metric, terms):
        return replace(untested, outcome=settled)
    if not (one and other):
        return replace(untested, outcome=_not_measured(terms, not one, not other))
    fewest = min(len(one.values), len(other.values))
    if fewest < LEAST_REPEATS:
        return replace(untested, outcome=_too_few(fewest, LEAST_REPEATS))
    if metric.kind == "count" or min(one.low, other.low) <= 0:
        return _by_ranks(untested, one, other)
    margin = max(terms.noise, _by_ceiling(a, b, metric))
    known = terms.boots.get((a.label, metric.name))
    between = welch_between_boots(one.values, other.values, known.spread, margin) if known else None
    difference = between or welch(one.values, other.values, margin)
    assert difference
    return replace(untested, difference=difference, p=difference.p, boots=known if between else None)


def _by_ceiling(a: Row, b: Row, metric: Metric) -> float:
    """Return up to which share a difference says nothing about two systems, because both are near the same ceiling."""
    if metric is not THROUGHPUT:
        return 0.0
    return ceiling_margin((a.value(metric) or 0.0, b.value(metric) or 0.0), (a.ceiling, b.ceiling))


def _by_ranks(untested: Change, one: Sample, other: Sample) -> Change:
    """Test values of which some are 0, which have no ratio, and counts."""
    a, b = one.values, other.values
    if len({*a, *b}) == 1:
        # Nothing is tested, so it does not count in the family either.
        return replace(untested, outcome=Outcome(Answer.NO_DIFFERENCE, Cause.EQUAL))
    if 2 / math.comb(len(a) + len(b), len(a)) >= SIGNIFICANT:
        return replace(untested, outcome=_too_few(min(len(a), len(b)), LEAST_COUNTS))
    return replace(untested, p=mann_whitney(a, b))


def _decided(tested: Change, adjusted_p: float) -> Change:
    assert tested.a
    assert tested.b
    decided = replace(tested, adjusted_p=adjusted_p)
    if adjusted_p >= SIGNIFICANT:
        return decided
    rises = tested.difference.ratio > 1 if tested.difference else _tends_up(tested.a.values, tested.b.values)
    return replace(decided, outcome=Outcome(Answer.BETTER if rises == tested.metric.higher_is_better else Answer.WORSE))


def _tends_up(a: Sequence[float], b: Sequence[float]) -> bool:
    return sum((y > x) - (y < x) for x in a for y in b) > 0


def _settled(a: Row, b: Row, metric: Metric, terms: Terms) -> Outcome | None:
    """Return the outcome that no test of the values can change."""
    if not (a.figures and b.figures):
        return _not_measured(terms, not a.figures, not b.figures)
    if not same_traffic(a, b):
        return Outcome(Answer.NOT_COMPARABLE, Cause.OTHER_LOAD)
    if invalid := [(side, codes) for side, row in zip(terms.sides, (a, b), strict=True) if (codes := _invalid(row, metric))]:
        together = tuple(dict.fromkeys(code for _, codes in invalid for code in codes))
        return Outcome(Answer.NOT_KNOWN, Cause.INVALID, tuple(side for side, _ in invalid), codes=together)
    if metric.grows and not (terms.same_duration and a.timeout_seconds == b.timeout_seconds):
        return Outcome(Answer.NOT_COMPARABLE, Cause.OTHER_DURATION)
    if metric is THROUGHPUT and a.at_ceiling and b.at_ceiling:
        return Outcome(Answer.NO_DIFFERENCE, Cause.AT_CEILING)
    return Outcome(Answer.NOT_KNOWN, Cause.PUBLISHED) if terms.are_published else None


def _invalid(row: Row, metric: Metric) -> tuple[Code, ...]:
    """Return the warnings that make a row's value of a metric invalid: of throughput, any, as it ranks the row."""
    spoiling = (one for one in row.warnings if one.invalid)
    return tuple(one.code for one in spoiling if metric is THROUGHPUT or metric.spoiled_by in one.spoils)


def _not_measured(terms: Terms, in_a: bool, in_b: bool) -> Outcome:
    sides = tuple(side for side, missing in zip(terms.sides, (in_a, in_b), strict=True) if missing)
    return Outcome(Answer.NOT_KNOWN, Cause.NOT_MEASURED, sides)


def _too_few(repeats: int, needed: int) -> Outcome:
    return Outcome(Answer.NOT_KNOWN, Cause.TOO_FEW_REPEATS, repeats=repeats, needed=needed)
