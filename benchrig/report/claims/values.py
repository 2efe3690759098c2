"""The value of a claim's expression over figures that lie within intervals.

Interval arithmetic (R. E. Moore, Interval Analysis, 1966): a sum, product or quotient of intervals encloses every value that
the figures within them can give, and a relation is only true or false if it is so for all of them. A figure that stands in
an expression twice is taken for two, which makes the result wider and never wrong.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchrig.report.claims.language import Choice, Comparison, Expression, Figure, Number, Operation, Relation, Term
from benchrig.statistics.advice import MOST_REPEATS

NEAR = 0.1
"""`~=` holds within this share of its right side."""


class UndefinedError(Exception):
    """An expression divides by a figure that is 0."""


@dataclass(frozen=True)
class Interval:
    """A figure: its value, and the bounds it lies within."""

    value: float
    low: float
    high: float
    fixed: bool = False
    """More repeats do not narrow it: its bounds are those of the repeats, or are not known under these conditions."""

    def around(self, share: float) -> Interval:
        """Return the interval shrunk to a share of its width, around its value; a fixed one as it is."""
        if self.fixed:
            return self
        return Interval(
            self.value, self.value - share * (self.value - self.low), self.value + share * (self.high - self.value)
        )


Values = Mapping[Figure, Interval]


def point(value: float) -> Interval:
    """Return a figure that is known exactly, or is judged without an interval."""
    return Interval(value, value, value)


def unbounded(value: float) -> Interval:
    """Return a figure without any known bounds: anything from 0 up, as no figure is below 0."""
    return Interval(value, 0.0, math.inf)


def value_of(term: Term, values: Values) -> Interval:
    """Return the value of a term. Raises UndefinedError when it divides by 0."""
    match term:
        case Number():
            return point(term.value)
        case Figure():
            return values[term]
        case Choice():
            chosen = [value_of(one, values) for one in term.terms]
            pick = max if term.which == "max" else min
            return Interval(pick(c.value for c in chosen), pick(c.low for c in chosen), pick(c.high for c in chosen))
        case Operation():
            return _combined(term, value_of(term.left, values), value_of(term.right, values))


def chosen(choice: Choice, values: Values) -> Term:
    """Return the term that is the least or greatest by its value. Raises UndefinedError as `value_of` does."""
    pick = max if choice.which == "max" else min
    return pick(choice.terms, key=lambda term: value_of(term, values).value)


def holds(expression: Expression, values: Values) -> bool | None:
    """Say whether an expression holds everywhere within the intervals (True), nowhere (False), or in part (None).

    Raises UndefinedError when it divides by 0.
    """
    return _all([link for comparison in expression.comparisons for link in links(comparison, values)])


def links(comparison: Comparison, values: Values) -> list[bool | None]:
    """Return for each relation of a comparison whether it holds, as `holds` does."""
    terms = [value_of(term, values) for term in comparison.terms]
    return [
        _related(left, relation, right)
        for (left, right), relation in zip(itertools.pairwise(terms), comparison.relations, strict=True)
    ]


def repeats_to_settle(expression: Expression, values: Values, repeats: int) -> int | None:
    """Return how many repeats would settle an expression that holds in part; None when more than MOST_REPEATS.

    The interval of a median shrinks as 1/sqrt(repeats): if the relation is settled when every interval is shrunk to the
    share s of its width, that takes repeats / s**2, provided that the medians stay where they are.
    """
    for more in range(repeats + 1, MOST_REPEATS + 1):
        share = math.sqrt(repeats / more)
        if holds(expression, {figure: interval.around(share) for figure, interval in values.items()}) is not None:
            return more
    return None


def _all(parts: list[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _related(left: Interval, relation: Relation, right: Interval) -> bool | None:
    match relation:
        case "<":
            return _either(left.high < right.low, left.low >= right.high)
        case "<=":
            return _either(left.high <= right.low, left.low > right.high)
        case ">" | ">=":
            return _related(right, "<" if relation == ">" else "<=", left)
        case "==":
            same = left.low == left.high == right.low == right.high
            return _either(same, left.high < right.low or left.low > right.high)
        case "~=":
            within = left.low >= _lower(right.high) and left.high <= _upper(right.low)
            return _either(within, left.high < _lower(right.low) or left.low > _upper(right.high))


def _either(everywhere: bool, nowhere: bool) -> bool | None:
    return True if everywhere else False if nowhere else None


def _lower(value: float) -> float:
    return min((1 - NEAR) * value, (1 + NEAR) * value)


def _upper(value: float) -> float:
    return max((1 - NEAR) * value, (1 + NEAR) * value)


def _combined(term: Operation, left: Interval, right: Interval) -> Interval:
    match term.operator:
        case "+":
            return Interval(left.value + right.value, left.low + right.low, left.high + right.high)
        case "-":
            return Interval(left.value - right.value, left.low - right.high, left.high - right.low)
        case "*":
            return _product(left, right)
        case "/":
            return _product(left, _reciprocal(term, right))


def _product(left: Interval, right: Interval) -> Interval:
    corners = [_times(one, other) for one in (left.low, left.high) for other in (right.low, right.high)]
    return Interval(left.value * right.value, min(corners), max(corners))


def _times(one: float, other: float) -> float:
    """Multiply two bounds; 0 times an infinite one is 0, as an infinite bound is never reached."""
    return 0.0 if 0.0 in (one, other) else one * other


def _reciprocal(term: Operation, divisor: Interval) -> Interval:
    if divisor.value == 0:
        raise UndefinedError(f"{term.right.text} is 0, and {term.text} divides by it")
    if divisor.low < 0 < divisor.high:
        return Interval(1 / divisor.value, -math.inf, math.inf)
    low = 1 / divisor.high if divisor.high else -math.inf
    high = 1 / divisor.low if divisor.low else math.inf
    return Interval(1 / divisor.value, low, high)
