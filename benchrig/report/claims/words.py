"""A claim's figures and relations in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchrig.language import Text, later
from benchrig.report.claims.functions import DIMENSIONS, KnownFigure, shown
from benchrig.report.claims.language import (
    TRUTHS,
    Arithmetic,
    Choice,
    Expression,
    Figure,
    Number,
    Operation,
    Relation,
    Term,
    dimension,
    figures_in,
)
from benchrig.report.claims.relations import links, pairs
from benchrig.report.claims.values import Bounded, UndefinedError, Values, bounds, chosen
from benchrig.report.verdict import Quantity

WORDS: Mapping[Relation, str] = {
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
        for (left, relation, right), outcome in zip(pairs(comparison), links(comparison, known), strict=True)
        if outcome is which
    )


def _sentence(left: Term, relation: Relation, right: Term, figures: KnownFigures, outcome: bool | None) -> str:
    if isinstance(left, Number) and relation in _TURNED:
        left, relation, right = right, _TURNED[relation], left
    if relation == "==" and outcome is not None:
        return _equal(left, right, figures, outcome)
    values = {
        "left": _named(left, figures),
        "relation": Text(WORDS[relation]),
        "right": _named(right, figures),
        "quotient": _quotient(left, right, figures),
    }
    match outcome:
        case True:
            return later("{left} is {relation} {right}{quotient}", **values)
        case False:
            return later("{left} is not {relation} {right}{quotient}", **values)
        case None:
            return later("{left} may or may not be {relation} {right}{quotient}", **values)


def _equal(left: Term, right: Term, figures: KnownFigures, outcome: bool) -> str:
    named = _named(left, figures, True)
    return named if outcome else later("{left}, not {right}", left=named, right=_named(right, figures))


def _quotient(left: Term, right: Term, figures: KnownFigures) -> str:
    """Return the quotient of two sides in brackets, where its interval decides: both sides have one."""
    left, right = (_decisive(term, figures) for term in (left, right))
    if not all(any(figures[figure].known.sample for figure in figures_in(term)) for term in (left, right)):
        return ""
    term = Operation(f"({left.text}) / ({right.text})", "/", left, right)
    if not _is_there(term, figures):
        return ""
    value, interval = _shown(bounds(term, _values(figures)), figures, term)
    return later(" (quotient {value})", value=shown(value, interval)) if interval else ""


def _decisive(term: Term, figures: KnownFigures) -> Term:
    return chosen(term, _values(figures)) if isinstance(term, Choice) else term


def _named(term: Term, figures: KnownFigures, link: bool = False) -> str:
    """Return a term's value, for a figure with its name before it; with `link`, as a statement: `errors(go) is 0`."""
    match term:
        case Number():
            return term.text if term.unit or term.text in TRUTHS or term.text.endswith("%") else shown(term.value)
        case Figure():
            text = figures[term].text
            return (
                later("{name} is {value}", name=term.text, value=text)
                if link
                else Text("{name} {value}", {"name": term.text, "value": text})
            )
        case Choice():
            return _named(chosen(term, _values(figures)), figures, link)
        case Operation():
            return _written(term, figures)


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
    value, interval = _shown(bounds(term, _values(figures)), figures, term)
    low, high = interval or (None, None)
    return Quantity(term.text, _written(term, figures), value if math.isfinite(value) else None, low, high)


def _written(term: Operation, figures: KnownFigures) -> str:
    """Return a calculated value with its interval, and with its unit if it is one that metrics have."""
    return shown(*_shown(bounds(term, _values(figures)), figures, term), dimension(term, DIMENSIONS).unit)


def _shown(found: Bounded, figures: KnownFigures, term: Term) -> tuple[float, tuple[float, float] | None]:
    """Return the value of a term, with its interval if every figure in it has one or is exact."""
    parts = [figures[figure] for figure in figures_in(term)]
    known = any(part.interval or part.within for part in parts) and all(part.enough for part in parts)
    bounded = known and math.isfinite(found.low) and math.isfinite(found.high)
    return found.value, (found.low, found.high) if bounded else None


def _is_there(term: Term, figures: KnownFigures) -> bool:
    """Return whether a term has a value: all its figures are there, and it does not divide by 0."""
    try:
        bounds(term, _values(figures))
    except (KeyError, UndefinedError):
        return False
    return True


def _values(figures: KnownFigures) -> Values:
    return {figure: found.known for figure, found in figures.items()}
