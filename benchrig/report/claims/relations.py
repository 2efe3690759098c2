"""Relations between the terms of an expression: whether they hold, do not hold, or are not decided, and what would
decide.

A relation is judged by the 95 % interval of the difference of its sides: of the difference of their logarithms, where
neither side can be below 0. It holds if the whole interval says so, and does not hold if the whole interval says the
contrary. `~=` is a test of equivalence (D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987):
the interval must lie within its bounds. `min` and `max` are judged by the relation to each of their values: that each
of several relations holds is shown by each of them at the full level (the intersection-union test, R. L. Berger,
Technometrics 24, 1982); that one of them holds, by one of them at the level divided by their number (Bonferroni).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchrig.report.claims.language import Comparison, Expression, Relation, Term, figures_in
from benchrig.report.claims.values import Range, Several, Value, Values, alone, point, value_of
from benchrig.statistics import advice
from benchrig.statistics.delta import Uncertain
from benchrig.statistics.difference import SIGNIFICANT
from benchrig.statistics.estimate import NEGLIGIBLE

NEAR = 0.1
"""`~=` holds within this share of its right side. What is shown to be so close to its limit is too close to decide."""


@dataclass(frozen=True)
class Below:
    """The relation that one value is below another, or at most as large."""

    low: Uncertain
    """The first value minus the second, or the difference of their logarithms: at its lower bound."""
    high: Uncertain
    strictly: bool
    size: float
    """What one percent is of: 1 of logarithms, else the larger of the two values."""
    logs: bool

    @property
    def suggested(self) -> bool:
        """What the estimates say."""
        return self.high.value < 0 or (self.high.value == 0 and not self.strictly)

    def share(self, distance: float) -> float:
        """Return a distance as a share of the values; infinite where they are 0."""
        if self.logs:
            return math.expm1(min(distance, 100.0))
        return distance / self.size if self.size else math.inf


@dataclass(frozen=True)
class Together:
    """Relations of which all must hold, or one."""

    parts: tuple[Statement, ...]
    every: bool | None
    """All must hold; one is enough (False); or it is not known which of them counts (None)."""
    rivals: bool = False
    """They are about different values, any of which may be extreme by chance."""

    @property
    def suggested(self) -> bool:
        """What the estimates say."""
        return (any if self.every is False else all)(part.suggested for part in self.parts)


Statement = Below | Together


@dataclass(frozen=True)
class Outlook:
    """What more repeats would do for a relation that is not decided."""

    repeats: float
    """So many decide it, or exclude that the sides are further apart than `within`; infinite where none are worth it."""
    within: float
    """A share: 0.03 is 3 %."""
    excluded: float
    """That the sides are further apart than this share is excluded already."""


DECIDED = Outlook(0, 0, 0)
HOPELESS = Outlook(math.inf, math.inf, math.inf)


def holds(expression: Expression, values: Values) -> bool | None:
    """Say whether an expression holds (True), does not hold (False), or is not decided (None).

    Raises UndefinedError when it divides by 0.
    """
    return _all([link for comparison in expression.comparisons for link in links(comparison, values)])


def links(comparison: Comparison, values: Values) -> list[bool | None]:
    """Return for each relation of a comparison whether it holds, as `holds` does."""
    return [_link(left, relation, right, values) for left, relation, right in pairs(comparison)]


def pairs(comparison: Comparison) -> list[tuple[Term, Relation, Term]]:
    """Return the relations of a comparison, each with its sides."""
    sides = itertools.pairwise(comparison.terms)
    return [(left, relation, right) for (left, right), relation in zip(sides, comparison.relations, strict=True)]


def outlook(expression: Expression, values: Values, repeats: int) -> Outlook:
    """Return what more repeats would do for an expression that is not decided; its rows have at most `repeats`."""
    statements = []
    for comparison in expression.comparisons:
        for left, relation, right in pairs(comparison):
            if _link(left, relation, right, values) is None:
                known = _with_error_of_median(left, right, values)
                statements.append(_statement(value_of(left, known), relation, value_of(right, known)))
    return _outlook(Together(tuple(statements), every=True), repeats, SIGNIFICANT) if statements else DECIDED


def _with_error_of_median(left: Term, right: Term, values: Values) -> Values:
    """Return values with which a figure that is judged alone, by its median, has the error of a median."""
    figure = alone((*figures_in(left), *figures_in(right)), values)
    return values if figure is None else {**values, figure: replace(values[figure], by_interval=True)}


def _link(left: Term, relation: Relation, right: Term, values: Values) -> bool | None:
    """Judge one relation. One figure alone is judged at both ends of the interval that reports print."""
    figure = alone((*figures_in(left), *figures_in(right)), values)
    if figure is None:
        return _judged(left, relation, right, values)
    known = values[figure]
    at = {_judged(left, relation, right, {**values, figure: point(x)}) for x in (known.low, known.value, known.high)}
    return at.pop() if len(at) == 1 else None


def _judged(left: Term, relation: Relation, right: Term, values: Values) -> bool | None:
    shown, refuted = _p_values(_statement(value_of(left, values), relation, value_of(right, values)))
    return True if shown < SIGNIFICANT / 2 else False if refuted < SIGNIFICANT / 2 else None


def _all(parts: Sequence[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _statement(left: Value, relation: Relation, right: Value) -> Statement:
    match relation:
        case "<" | "<=":
            return _below(left, right, strictly=relation == "<")
        case ">" | ">=":
            return _below(right, left, strictly=relation == ">")
        case "==":
            return Together((_below(left, right, strictly=False), _below(right, left, strictly=False)), every=True)
        case "~=":
            low, high = _times(right, 1 - NEAR, 1 + NEAR), _times(right, 1 + NEAR, 1 - NEAR)
            return Together((_below(low, left, strictly=False), _below(left, high, strictly=False)), every=True)


def _below(left: Value, right: Value, *, strictly: bool) -> Statement:
    if isinstance(left, Several):
        parts = tuple(_below(part, right, strictly=strictly) for part in left.parts)
        return Together(parts, (left.which == "max") if left.sure else None, rivals=True)
    if isinstance(right, Several):
        parts = tuple(_below(left, part, strictly=strictly) for part in right.parts)
        return Together(parts, (right.which == "min") if right.sure else None, rivals=True)
    if left.logs and right.logs:
        low, high, size = left.low.log() - right.high.log(), left.high.log() - right.low.log(), 1.0
    else:
        low, high, size = left.low - right.high, left.high - right.low, max(abs(left.shown), abs(right.shown))
    return Below(_rounded(low, size), _rounded(high, size), strictly, size, left.logs and right.logs)


def _rounded(difference: Uncertain, size: float) -> Uncertain:
    """Return a difference; one that is only that of the computer's arithmetic is 0."""
    is_zero = math.isfinite(difference.value) and abs(difference.value) <= NEGLIGIBLE * size
    return replace(difference, value=0.0) if is_zero else difference


def _times(value: Value, above: float, below: float) -> Value:
    """Return a value times a factor, or times the other one where it is below 0."""
    if isinstance(value, Several):
        return replace(value, parts=tuple(_times(part, above, below) for part in value.parts))
    by = above if value.value >= 0 else below
    factor = Uncertain(by)
    return Range(value.value * by, value.low * factor, value.high * factor, value.positive)


def _p_values(statement: Statement) -> tuple[float, float]:
    """Return the p-values of two tests: small where the statement is shown, and where its contrary is."""
    if isinstance(statement, Below):
        contrary = Uncertain(0.0) - statement.low
        return statement.high.p_below(statement.strictly), contrary.p_below(not statement.strictly)
    shown, refuted = zip(*map(_p_values, statement.parts), strict=True)
    tests = len(statement.parts) if statement.rivals else 1
    if statement.every is None:
        return max(shown), max(refuted)
    if statement.every:
        return max(shown), min(1.0, tests * min(refuted))
    return min(1.0, tests * min(shown)), max(refuted)


def _outlook(statement: Statement, repeats: int, significant: float) -> Outlook:
    if isinstance(statement, Below):
        return _outlook_below(statement, repeats, significant)
    # What is suggested decides which of the relations must be shown, and whether the level is shared among them.
    each = statement.suggested == (statement.every is not False)
    level = significant if each or not statement.rivals else significant / len(statement.parts)
    if each or statement.every is None:
        return max((_outlook(part, repeats, level) for part in statement.parts), key=lambda one: one.repeats)
    deciding = [part for part in statement.parts if part.suggested == statement.suggested]
    return min((_outlook(part, repeats, level) for part in deciding), key=lambda one: one.repeats)


def _outlook_below(below: Below, repeats: int, significant: float) -> Outlook:
    near = below.high if below.suggested else below.low
    if not near.estimate.error:
        # Fixed bounds: decided, or never.
        return DECIDED if min(_p_values(below)) == 0 else HOPELESS
    found = advice.settle(near.estimate, repeats, significant=significant)
    if found is None:
        return DECIDED
    needed = math.inf if found.repeats is None else found.repeats
    return Outlook(needed, below.share(found.within), below.share(found.excluded))
