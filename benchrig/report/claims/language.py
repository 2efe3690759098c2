"""The language that claims are written in: comparisons between figures of rows.

    throughput(flask-gunicorn) / throughput(flask-sync) >= 7
    has_timeouts(sanic) == yes and throughput(sanic) > max(throughput(fastapi-*))
    latency_p99(sanic) < 200 ms

A function takes the name of one row, or a pattern that stands for several inside `min` and `max`. `parser.py` reads
expressions. docs/claims.md is the reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from benchrig.report.claims.dimensions import BARE, Dimension, joined, multiplied, of_unit

Arithmetic = Literal["+", "-", "*", "/"]
Relation = Literal["<", "<=", ">", ">=", "==", "~="]
Extreme = Literal["min", "max"]

TRUTHS = {"yes": 1.0, "no": 0.0}


@dataclass(frozen=True)
class Number:
    """A number, with its unit if one is written, or `yes` or `no`."""

    text: str
    value: float
    """In the unit of metrics: `2 s` is 2000, as latencies are in ms."""
    unit: str = ""
    """The unit of metrics that it is in; empty where none is written."""


@dataclass(frozen=True)
class Figure:
    """A function of one row."""

    function: str
    row: str

    @property
    def text(self) -> str:
        """The figure as it is written in an expression."""
        return f"{self.function}({self.row})"


@dataclass(frozen=True)
class Operation:
    """Arithmetic on two terms."""

    text: str
    operator: Arithmetic
    left: Term
    right: Term


@dataclass(frozen=True)
class Choice:
    """The least or greatest of some terms."""

    text: str
    which: Extreme
    terms: tuple[Term, ...]


Term = Number | Figure | Operation | Choice


@dataclass(frozen=True)
class Comparison:
    """Terms, and the relation between each and the next: `1 < a <= 2` has three and two."""

    terms: tuple[Term, ...]
    relations: tuple[Relation, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in it, without duplicates."""
        return tuple(dict.fromkeys(figure for term in self.terms for figure in figures_in(term)))


@dataclass(frozen=True)
class Expression:
    """Comparisons that must all hold."""

    text: str
    comparisons: tuple[Comparison, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in it, without duplicates."""
        return tuple(dict.fromkeys(figure for comparison in self.comparisons for figure in comparison.figures))


@dataclass(frozen=True)
class Names:
    """The names that an expression may use."""

    functions: Mapping[str, Dimension]
    """Each with the unit of its figures."""
    truths: Collection[str]
    """The functions among them that answer yes or no."""
    document: Collection[str]
    """The article's rows: those that a pattern stands for."""
    others: Collection[str] = ()
    """Rows that can only be named outright."""
    implied: str = ""
    """The row that a function without one is about; empty where each must name its row."""


def figures_in(term: Term) -> Iterator[Figure]:
    """Return the figures of a term, in their order."""
    match term:
        case Figure():
            yield term
        case Operation():
            yield from figures_in(term.left)
            yield from figures_in(term.right)
        case Choice():
            for one in term.terms:
                yield from figures_in(one)


def dimension(term: Term, functions: Mapping[str, Dimension]) -> Dimension:
    """Return the unit of a term. Raises UnitError where it adds or chooses from what is of different kinds."""
    match term:
        case Number():
            return replace(of_unit(term.unit), written=True) if term.unit else BARE
        case Figure():
            return functions[term.function]
        case Choice():
            first, *others = term.terms
            found, text = dimension(first, functions), first.text
            for other in others:
                found = joined(found, dimension(other, functions), (text, other.text), "compared")
            return found
        case Operation():
            left, right = dimension(term.left, functions), dimension(term.right, functions)
            if term.operator in "*/":
                return multiplied(left, right, 1 if term.operator == "*" else -1)
            verb = "added" if term.operator == "+" else "subtracted"
            return joined(left, right, (term.left.text, term.right.text), verb)
