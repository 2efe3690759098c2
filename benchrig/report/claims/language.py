"""The language that claims are written in: comparisons between figures of rows.

    throughput(flask-gunicorn) / throughput(flask-sync) >= 7
    has_timeouts(sanic) == yes and throughput(sanic) > max(throughput(fastapi-*))

A function takes the name of one row, or a pattern that stands for several inside `min` and `max`. Nothing else is in the
language: an expression can neither reach a file nor run for ever. docs/claims.md is its reference.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from benchrig.agent.nearest import nearest

if TYPE_CHECKING:
    import lark

Arithmetic = Literal["+", "-", "*", "/"]
Relation = Literal["<", "<=", ">", ">=", "==", "~="]
Extreme = Literal["min", "max"]

MOST_CHARACTERS = 500
"""The longest expression; a longer one is hard to read, and could be nested deeper than Python allows."""

TRUTHS = {"yes": 1.0, "no": 0.0}

_GRAMMAR = r"""
    ?start: comparison ("and" comparison)*     -> conjunction
    comparison: sum (RELATION sum)+
    ?sum: product | sum ADD product            -> operation
    ?product: atom | product MULTIPLY atom     -> operation
    ?atom: NUMBER                              -> number
         | TRUTH                               -> truth
         | EXTREME "(" sum ("," sum)* ")"      -> extreme
         | NAME "(" ROW ")"                    -> figure
         | "(" sum ")"

    RELATION: "<=" | ">=" | "==" | "~=" | "<" | ">"
    ADD: "+" | "-"
    MULTIPLY: "*" | "/"
    EXTREME.2: /(min|max)(?=\s*\()/
    TRUTH.2: /(yes|no)\b/
    NAME: /[A-Za-z_]\w*/
    NUMBER: /\d+(\.\d+)?/
    ROW: /[A-Za-z0-9_*?][\w.*?-]*/
    %ignore /\s+/
"""


class ExpressionError(Exception):
    """An invalid expression: what is wrong with it, and at which column (counted from 1)."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column} of the expression: {message}")


@dataclass(frozen=True)
class Number:
    """A number, or `yes` or `no`."""

    text: str
    value: float


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

    functions: Collection[str]
    truths: Collection[str]
    """The functions among them that answer yes or no."""
    document: Collection[str]
    """The article's rows: those that a pattern stands for."""
    others: Collection[str] = ()
    """Rows that can only be named outright."""


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


def parse(text: str, names: Names) -> Expression:
    """Read an expression. Raises ExpressionError for a mistake in its grammar and for an unknown name."""
    # Imported late: a report without claims has no use for a parser.
    import lark

    line = " ".join(text.split())
    if len(line) > MOST_CHARACTERS:
        raise ExpressionError(MOST_CHARACTERS + 1, f"an expression has at most {MOST_CHARACTERS} characters")
    try:
        tree = _parser().parse(line)
    except lark.exceptions.UnexpectedInput as error:
        raise _unexpected(error, line) from None
    reader = _Reader(line, names)
    expression = Expression(line, tuple(reader.comparison(node) for node in tree.children))
    if not expression.figures:
        raise ExpressionError(1, "it names no row")
    return expression


@cache
def _parser() -> lark.Lark:
    import lark

    return lark.Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(error: lark.exceptions.UnexpectedInput, line: str) -> ExpressionError:
    """Return the mistake at a place where the grammar expects something else."""
    if getattr(getattr(error, "token", None), "type", "") == "$END":
        return ExpressionError(len(line) + 1, "it ends too early")
    rest = line[error.column - 1 :]
    if re.match(r"=(?!=)", rest):
        return ExpressionError(error.column, "write == for equal, ~= for within 10 %")
    return ExpressionError(error.column, f"'{rest.split()[0]}' is not allowed here")


class _Reader:
    """Makes terms of lark's tree, and looks up the names in it."""

    def __init__(self, line: str, names: Names) -> None:
        self.line = line
        self.names = names
        self.named: frozenset[str] = frozenset()

    def comparison(self, tree: Any) -> Comparison:
        """Read one comparison. A pattern in it stands for the rows that it does not name outright as well."""
        self.named = frozenset(
            str(figure.children[1]) for figure in tree.find_data("figure") if not _is_pattern(str(figure.children[1]))
        )
        terms = tuple(self.term(node) for node in tree.children[::2])
        relations = tuple(cast(Relation, str(token)) for token in tree.children[1::2])
        for (left, right), relation in zip(itertools.pairwise(terms), tree.children[1::2], strict=True):
            if self.is_truth(left) != self.is_truth(right) or (self.is_truth(left) and relation != "=="):
                raise ExpressionError(relation.column, "yes and no can only be compared by == with what answers yes or no")
        return Comparison(terms, relations)

    def term(self, tree: Any) -> Term:
        """Read a term that is one value."""
        match tree.data:
            case "number":
                return Number(str(tree.children[0]), float(tree.children[0]))
            case "truth":
                return Number(str(tree.children[0]), TRUTHS[str(tree.children[0])])
            case "figure":
                return self.one_figure(tree)
            case "extreme":
                return self.choice(tree)
            case _:
                return self.operation(tree)

    def operation(self, tree: Any) -> Operation:
        left, operator, right = tree.children
        terms = (self.term(left), self.term(right))
        if any(self.is_truth(term) for term in terms):
            raise ExpressionError(operator.column, f"'{operator}' is for numbers, not for yes and no")
        return Operation(self.source(tree), cast(Arithmetic, str(operator)), *terms)

    def choice(self, tree: Any) -> Choice:
        which, *nodes = tree.children
        terms = tuple(term for node in nodes for term in self.several(node))
        if len({self.is_truth(term) for term in terms}) > 1:
            raise ExpressionError(which.column, f"{which}() takes either numbers or yes and no")
        return Choice(self.source(tree), cast(Extreme, str(which)), terms)

    def several(self, tree: Any) -> tuple[Term, ...]:
        """Read what `min` and `max` choose from: a pattern is each of its rows."""
        return self.figures(tree) if tree.data == "figure" else (self.term(tree),)

    def one_figure(self, tree: Any) -> Figure:
        row = tree.children[1]
        if _is_pattern(str(row)):
            raise ExpressionError(row.column, f"'{row}' stands for several rows: put it into min() or max()")
        (figure,) = self.figures(tree)
        return figure

    def figures(self, tree: Any) -> tuple[Figure, ...]:
        function, row = tree.children
        if function not in self.names.functions:
            known = nearest(str(function), [*self.names.functions, "min", "max"])
            raise ExpressionError(function.column, f"unknown function '{function}'; {known}")
        if _is_pattern(str(row)):
            rows = [name for name in self.names.document if fnmatch.fnmatchcase(name, row) and name not in self.named]
        else:
            rows = [name for name in (*self.names.document, *self.names.others) if name == row]
        if not rows:
            kind = "pattern of rows" if _is_pattern(str(row)) else "row"
            known = nearest(str(row), [*self.names.document, *self.names.others])
            raise ExpressionError(row.column, f"unknown {kind} '{row}'; {known}")
        return tuple(Figure(str(function), name) for name in rows)

    def is_truth(self, term: Term) -> bool:
        """Say whether a term answers yes or no."""
        match term:
            case Number():
                return term.text in TRUTHS
            case Figure():
                return term.function in self.names.truths
            case Choice():
                return any(self.is_truth(one) for one in term.terms)
        return False

    def source(self, tree: Any) -> str:
        return self.line[tree.meta.start_pos : tree.meta.end_pos]


def _is_pattern(row: str) -> bool:
    return "*" in row or "?" in row
