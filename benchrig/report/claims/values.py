"""The value of a claim's expression over figures: statistics of repeats inside, fixed bounds outside.

Figures with repeats are estimated as comparisons and ranks estimate them, and an expression over them by the delta method.
Figures that more repeats do not narrow lie within fixed bounds; interval arithmetic (R. E. Moore, Interval Analysis, 1966)
combines these. One figure alone is judged by the interval of its median, which reports print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchrig.language import later
from benchrig.report.claims.language import Arithmetic, Choice, Extreme, Figure, Number, Operation, Term, figures_in
from benchrig.statistics.delta import Uncertain, of_interval, of_sample

_LARGEST_LOG = 700.0
"""A floating-point number cannot be larger."""


class UndefinedError(Exception):
    """An expression divides by a figure that is 0."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True)
class Known:
    """A figure: its value, and the bounds that it lies within."""

    value: float
    low: float
    high: float
    fixed: bool = False
    """More repeats do not narrow it: its bounds are those of the repeats, or are not known under these conditions."""
    sample: tuple[float, ...] = ()
    """Its repeats, all above 0, where they tell how well it is known; empty where nothing but the bounds does."""
    by_interval: bool = False
    """It is estimated by its value and the error that its bounds tell, not by its repeats."""

    @property
    def settled(self) -> Known:
        """The figure after any number of repeats: a fixed one as it is, another one as a point."""
        return self if self.fixed else point(self.value)


Values = Mapping[Figure, Known]


def point(value: float) -> Known:
    """Return a figure that is known exactly, or is judged without an interval."""
    return Known(value, value, value)


def unbounded(value: float) -> Known:
    """Return a figure without any known bounds: anything from 0 up, as no figure is below 0."""
    return Known(value, 0.0, math.inf)


@dataclass(frozen=True)
class Range:
    """One value of an expression: the bounds that it lies within, each with its error."""

    value: float
    low: Uncertain
    high: Uncertain
    positive: bool
    """It cannot be below 0, whatever the figures are."""

    @property
    def shown(self) -> float:
        """The value that its interval is of: that of the typical values, unless it lies within fixed bounds."""
        return self.low.value if self.low.value == self.high.value else self.value

    @property
    def exact(self) -> bool:
        """It has no error and no bounds: it is made of numbers."""
        return self.low.value == self.high.value and not (self.low.moves or self.high.moves)

    @property
    def logs(self) -> bool:
        """Its error is one of logarithms."""
        return self.positive and self.low.value > 0 and math.isfinite(self.high.value)

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of its 95 % interval."""
        if not self.logs:
            return self.low.ends()[0], self.high.ends()[1]
        low, high = self.low.log().ends()[0], self.high.log().ends()[1]
        return math.exp(max(low, -_LARGEST_LOG)), math.exp(min(high, _LARGEST_LOG))


@dataclass(frozen=True)
class Several:
    """Values of which an expression takes the least or the greatest."""

    which: Extreme
    parts: tuple[Value, ...]
    sure: bool = True
    """It takes that one whatever the figures are: no factor could be below 0."""

    @property
    def positive(self) -> bool:
        """None of them can be below 0."""
        return all(part.positive for part in self.parts)


Value = Range | Several


@dataclass(frozen=True)
class Bounded:
    """What reports print of a term: its value, and the ends of its interval."""

    value: float
    low: float
    high: float


def value_of(term: Term, values: Values) -> Value:
    """Return the value of a term. Raises UndefinedError when it divides by 0."""
    match term:
        case Number():
            return _exact(term.value)
        case Figure():
            return _figure(term, values[term])
        case Choice():
            return Several(term.which, tuple(value_of(one, values) for one in term.terms))
        case Operation():
            return _combined(term, value_of(term.left, values), value_of(term.right, values))


def bounds(term: Term, values: Values) -> Bounded:
    """Return the value of a term with its interval. Raises UndefinedError as `value_of` does."""
    figure = alone(figures_in(term), values)
    if figure is None:
        return _bounded(value_of(term, values))
    known = values[figure]
    at = [_bounded(value_of(term, {**values, figure: point(x)})) for x in (known.value, known.low, known.high)]
    return Bounded(at[0].value, min(one.low for one in at), max(one.high for one in at))


def chosen(choice: Choice, values: Values) -> Term:
    """Return the term that is the least or greatest by its value. Raises UndefinedError as `value_of` does."""
    pick = max if choice.which == "max" else min
    return pick(choice.terms, key=lambda term: bounds(term, values).value)


def alone(figures: Iterable[Figure], values: Values) -> Figure | None:
    """Return the only figure with repeats among some; None where there is none, or more than one."""
    found = {figure for figure in figures if values[figure].sample}
    return found.pop() if len(found) == 1 else None


def _bounded(value: Value) -> Bounded:
    if isinstance(value, Range):
        return Bounded(value.shown, *value.ends)
    pick = max if value.which == "max" else min
    parts = [_bounded(part) for part in value.parts]
    least, most = (pick, pick) if value.sure else (min, max)
    return Bounded(pick(one.value for one in parts), least(one.low for one in parts), most(one.high for one in parts))


def _exact(value: float) -> Range:
    return Range(value, Uncertain(value), Uncertain(value), value >= 0)


def _figure(figure: Figure, known: Known) -> Range:
    if not known.sample:
        return Range(known.value, Uncertain(known.low), Uncertain(known.high), known.low >= 0)
    # The repeats of a row are those of all its figures, unless a figure is missing in some.
    repeats = len(known.sample)
    name = figure.row, repeats
    if known.by_interval:
        typical = of_interval(known.value, known.low, known.high, repeats, name)
    else:
        typical = of_sample(known.sample, name)
    return Range(known.value, typical, typical, True)


def _combined(term: Operation, left: Value, right: Value) -> Value:
    """Return the value of an operation; of several values, that with each of them."""
    if isinstance(left, Several):
        rises = _rises(right) if term.operator in "*/" else True
        return _each(left, rises, lambda part: _combined(term, part, right))
    if isinstance(right, Several):
        rises = {"+": True, "-": False, "*": _rises(left), "/": _falls(left, right)}[term.operator]
        return _each(right, rises, lambda part: _combined(term, left, part))
    return _OPERATIONS[term.operator](term, left, right)


def _each(several: Several, rises: bool | None, combine: Callable[[Value], Value]) -> Several:
    """Combine each of several values with another one. With a value that could be below 0, either could be the extreme."""
    which = several.which if rises is not False else ("min" if several.which == "max" else "max")
    return Several(which, tuple(map(combine, several.parts)), several.sure and rises is not None)


def _rises(factor: Value) -> bool | None:
    return True if factor.positive else None


def _falls(dividend: Range, divisor: Several) -> bool | None:
    return False if dividend.positive and divisor.positive else None


def _sum(_: Operation, left: Range, right: Range) -> Range:
    both = left.positive and right.positive
    return Range(left.value + right.value, left.low + right.low, left.high + right.high, both)


def _difference(_: Operation, left: Range, right: Range) -> Range:
    exact = left.exact and right.exact and left.value >= right.value
    return Range(left.value - right.value, left.low - right.high, left.high - right.low, exact)


def _product(_: Operation, left: Range, right: Range) -> Range:
    corners = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
    low, high = min(corners, key=lambda one: one.value), max(corners, key=lambda one: one.value)
    return Range(left.value * right.value, low, high, left.positive and right.positive)


def _quotient(term: Operation, left: Range, right: Range) -> Range:
    return _product(term, left, _inverse(term, right))


def _inverse(term: Operation, divisor: Range) -> Range:
    if divisor.value == 0:
        raise UndefinedError(later("{divisor} is 0, and {term} divides by it", divisor=term.right.text, term=term.text))
    if divisor.positive:
        # At a bound of 0 and at an infinite one, the quotient is only bounded on the other side.
        low = divisor.high.inverse() if math.isfinite(divisor.high.value) else Uncertain(0.0)
        high = divisor.low.inverse() if divisor.low.value else Uncertain(math.inf)
        return Range(1 / divisor.value, low, high, True)
    least, most = divisor.ends
    if least <= 0 <= most:
        return Range(1 / divisor.value, Uncertain(-math.inf), Uncertain(math.inf), False)
    low, high = (Uncertain(0.0) if math.isinf(end.value) else end.inverse() for end in (divisor.high, divisor.low))
    return Range(1 / divisor.value, low, high, False)


_OPERATIONS: Mapping[Arithmetic, Callable[[Operation, Range, Range], Range]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
}
