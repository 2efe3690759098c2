"""A claim's figures and relations in words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from benchrig.report.claims.functions import KnownFigure, shown
from benchrig.report.claims.language import (
    TRUTHS,
    Arithmetic,
    Choice,
    Comparison,
    Expression,
    Figure,
    Number,
    Operation,
    Relation,
    Term,
    figures_in,
)
from benchrig.report.claims.values import Interval, UndefinedError, chosen, links, value_of
from benchrig.report.verdict import Quantity

_WORDS: Mapping[Relation, str] = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "equal to",
    "~=": "within 10 % of",
}
_TURNED: Mapping[Relation, Relation] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

KnownFigures = Mapping[Figure, KnownFigure]
"""The figures of an expression that a table has."""


def quantities(expression: Expression, figures: KnownFigures) -> tuple[Quantity, ...]:
    """Return the figures of an expression that the table has: calculated ones, and those that they are calculated from.

    For `min` and `max`, only the chosen figure is returned.
    """
    by_name: dict[str, Quantity] = {}
    for term in (term for comparison in expression.comparisons for term in comparison.terms):
        for quantity in _quantities(term, figures, ("+", "-", "*", "/")):
            by_name.setdefault(quantity.name, quantity)
    return tuple(by_name.values())


def relations(expression: Expression, figures: KnownFigures, which: bool | None) -> tuple[str, ...]:
    """Return the relations of an expression that are true, false, or undecided within the intervals (None), in words."""
    known = _values(figures)
    return tuple(
        _sentence(left, relation, right, figures, outcome)
        for comparison in expression.comparisons
        for (left, right), relation, outcome in _links(comparison, known)
        if outcome is which
    )


def _links(
    comparison: Comparison, known: Mapping[Figure, Interval]
) -> Iterator[tuple[tuple[Term, Term], Relation, bool | None]]:
    return zip(itertools.pairwise(comparison.terms), comparison.relations, links(comparison, known), strict=True)


def _sentence(left: Term, relation: Relation, right: Term, figures: KnownFigures, outcome: bool | None) -> str:
    if isinstance(left, Number) and relation in _TURNED:
        left, relation, right = right, _TURNED[relation], left
    if relation == "==" and outcome is not None:
        return f"{_named(left, figures, ' is')}" + ("" if outcome else f", not {_named(right, figures)}")
    verb = {True: "is", False: "is not", None: "may or may not be"}[outcome]
    return f"{_named(left, figures)} {verb} {_WORDS[relation]} {_named(right, figures)}"


def _named(term: Term, figures: KnownFigures, link: str = "") -> str:
    """Return a term's value, for a figure with its name before it."""
    match term:
        case Number():
            return term.text if term.text in TRUTHS else shown(term.value)
        case Figure():
            return f"{term.text}{link} {figures[term].text}"
        case Choice():
            return _named(chosen(term, _values(figures)), figures, link)
        case Operation():
            return shown(*_shown(value_of(term, _values(figures)), figures, term))


def _quantities(term: Term, figures: KnownFigures, shown_operators: Sequence[Arithmetic] = ("/",)) -> Sequence[Quantity]:
    """Return the figures of a term, and the calculated ones; inside another calculation, only quotients."""
    match term:
        case Number():
            return ()
        case Figure():
            return (figures[term].quantity(term),) if term in figures else ()
        case Choice():
            there = tuple(one for one in term.terms if _is_there(one, figures))
            return _quantities(chosen(Choice(term.text, term.which, there), _values(figures)), figures) if there else ()
        case Operation():
            parts = (*_quantities(term.left, figures), *_quantities(term.right, figures))
            is_shown = term.operator in shown_operators and len(set(figures_in(term))) > 1 and _is_there(term, figures)
            return (_calculated(term, figures), *parts) if is_shown else parts


def _calculated(term: Operation, figures: KnownFigures) -> Quantity:
    value, interval = _shown(value_of(term, _values(figures)), figures, term)
    low, high = interval or (None, None)
    return Quantity(term.text, shown(value, interval), value, low, high)


def _shown(interval: Interval, figures: KnownFigures, term: Term) -> tuple[float, tuple[float, float] | None]:
    """Return the value of a term, with bounds if every figure in it has an interval or is exact."""
    parts = [figures[figure] for figure in figures_in(term)]
    known = any(part.interval or part.within for part in parts) and all(part.enough for part in parts)
    bounded = known and math.isfinite(interval.low) and math.isfinite(interval.high)
    return interval.value, (interval.low, interval.high) if bounded else None


def _is_there(term: Term, figures: KnownFigures) -> bool:
    """Return whether a term has a value: all its figures are there, and it does not divide by 0."""
    try:
        value_of(term, _values(figures))
    except (KeyError, UndefinedError):
        return False
    return True


def _values(figures: KnownFigures) -> Mapping[Figure, Interval]:
    return {figure: found.known for figure, found in figures.items()}
