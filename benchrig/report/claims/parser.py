"""Reads expressions of the claims' language, and refuses what makes no sense, with its column.

Nothing but what `_GRAMMAR` has is in the language: an expression can neither reach a file nor run for ever.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from benchrig.agent.nearest import nearest
from benchrig.report.claims.dimensions import BARE, WRITTEN, Dimension, UnitError, joined, of_unit
from benchrig.report.claims.language import (
    TRUTHS,
    Arithmetic,
    Choice,
    Comparison,
    Expression,
    Extreme,
    Figure,
    Names,
    Number,
    Operation,
    Relation,
    Term,
    dimension,
)
from benchrig.units import MICROSECONDS, MILLISECONDS, PERCENT_OF_A_CORE

if TYPE_CHECKING:
    import lark

MOST_CHARACTERS = 500
"""The longest expression; a longer one is hard to read, and could be nested deeper than Python allows."""

MOST_OPERATIONS = 100
"""Operators in an expression; each one may nest it deeper."""

MOST_VALUES = 1000
"""Values that an expression can have, one for each choice that its `min` and `max` have together."""

LARGEST = 1e18

_GRAMMAR = r"""
    ?start: comparison ("and" comparison)*     -> conjunction
    comparison: sum (RELATION sum)+
    ?sum: product | sum ADD product            -> operation
    ?product: atom | product MULTIPLY atom     -> operation
    ?atom: NUMBER UNIT?                        -> number
         | TRUTH                               -> truth
         | EXTREME "(" sum ("," sum)* ")"      -> extreme
         | NAME "(" ROW ")"                    -> figure
         | NAME                                -> implied
         | "(" sum ")"

    RELATION: "<=" | ">=" | "==" | "~=" | "<" | ">"
    ADD: "+" | "-"
    MULTIPLY: "*" | "/"
    EXTREME.2: /(min|max)(?=\s*\()/
    TRUTH.2: /(yes|no)\b/
    NAME: /[A-Za-z_]\w*/
    NUMBER: /[0-9]+(\.[0-9]+)?/
    UNIT: /(UNITS)(?!\w)/
    ROW: /[A-Za-z0-9_*?][\w.*?-]*/
    %ignore /\s+/
""".replace("UNITS", "|".join(map(re.escape, WRITTEN)).replace("/", r"\/"))


class ExpressionError(Exception):
    """An invalid expression: what is wrong with it, and at which column (counted from 1)."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column} of the expression: {message}")
        self.column = column
        self.message = message


def parse(text: str, names: Names) -> Expression:
    """Read an expression. Raises ExpressionError for a mistake in its grammar and for an unknown name."""
    # Imported late: a report without claims has no use for a parser.
    import lark

    # The Greek letter looks like the sign of micro.
    line = " ".join(text.split()).replace("\u03bc", "µ")
    if not line:
        raise ExpressionError(1, "it is empty")
    if len(line) > MOST_CHARACTERS:
        raise ExpressionError(MOST_CHARACTERS + 1, f"an expression has at most {MOST_CHARACTERS} characters")
    try:
        tree = _parser().parse(line)
    except lark.exceptions.UnexpectedInput as error:
        raise _unexpected(error, line) from None
    if len(list(tree.find_data("operation"))) > MOST_OPERATIONS:
        raise ExpressionError(1, f"an expression has at most {MOST_OPERATIONS} operators")
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
    word = re.match(r"[^\W\d]\w*(/s\b)?", rest)
    if word and word[0] not in ("or", "not") and re.search(r"[0-9]\s*$", line[: error.column - 1]):
        return ExpressionError(error.column, f"unknown unit '{word[0]}'; {nearest(word[0], WRITTEN)}")
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
        terms = [self.term(node) for node in tree.children[::2]]
        relations = tree.children[1::2]
        for i, relation in enumerate(relations):
            left, right = terms[i : i + 2]
            if self.is_truth(left) != self.is_truth(right) or (self.is_truth(left) and relation != "=="):
                raise ExpressionError(relation.column, "yes and no can only be compared by == with what answers yes or no")
            if _values(left) * _values(right) > MOST_VALUES:
                raise ExpressionError(relation.column, f"its min and max choose from more than {MOST_VALUES:,} combinations")
            terms[i : i + 2] = self.joined(relation.column, left, right, "compared")
            if i and terms[i] is not left:
                wrong = f"{left.text} has another unit here than before it: write two comparisons, joined by 'and'"
                raise ExpressionError(relation.column, wrong)
        return Comparison(tuple(terms), tuple(cast(Relation, str(token)) for token in relations))

    def term(self, tree: Any) -> Term:
        """Read a term that is one value."""
        match tree.data:
            case "number":
                return self.number(*tree.children)
            case "truth":
                return Number(str(tree.children[0]), TRUTHS[str(tree.children[0])])
            case "figure":
                return self.one_figure(tree)
            case "implied":
                return self.implied_figure(*tree.children)
            case "extreme":
                return self.choice(tree)
            case _:
                return self.operation(tree)

    def number(self, number: Any, unit: Any = None) -> Number:
        value, text = float(number), str(number)
        if value > LARGEST:
            raise ExpressionError(number.column, f"a number is at most {LARGEST:.0e}")
        if unit is None:
            return Number(text, value)
        name, size = WRITTEN[str(unit)]
        return Number(f"{text} {unit}", value * size, name)

    def operation(self, tree: Any) -> Operation:
        left, operator, right = tree.children
        terms = (self.term(left), self.term(right))
        if any(self.is_truth(term) for term in terms):
            raise ExpressionError(operator.column, f"'{operator}' is for numbers, not for yes and no")
        if operator == "/" and isinstance(terms[1], Number) and not terms[1].value:
            raise ExpressionError(operator.column, "it divides by 0")
        if operator in ("+", "-"):
            terms = self.joined(operator.column, *terms, {"+": "added", "-": "subtracted"}[operator])
        if operator == "*":
            terms = self.factors(*terms)
        return Operation(self.source(tree), cast(Arithmetic, str(operator)), *terms)

    def factors(self, left: Term, right: Term) -> tuple[Term, Term]:
        """Return two factors: of a figure with a unit, a percentage is a share. `50 % * cores(go)` is in % of a core."""
        one, other = (dimension(term, self.names.functions) for term in (left, right))
        return (
            _as_share(left, one)[0] if other.powers else left,
            _as_share(right, other)[0] if one.powers else right,
        )

    def joined(self, column: int, left: Term, right: Term, verb: str) -> tuple[Term, Term]:
        """Return two terms of one kind: a percentage beside a quotient as a share, a time in the other's unit.

        Raises ExpressionError where they are of different kinds.
        """
        of = self.names.functions
        try:
            one, other = dimension(left, of), dimension(right, of)
            if _is_quotient(one):
                right, other = _as_share(right, other)
            if _is_quotient(other):
                left, one = _as_share(left, one)
            left, one = _in_unit(left, one, other)
            right, other = _in_unit(right, other, one)
            joined(one, other, (left.text, right.text), verb)
        except UnitError as error:
            raise ExpressionError(column, str(error)) from None
        return left, right

    def choice(self, tree: Any) -> Choice:
        which, *nodes = tree.children
        terms = tuple(term for node in nodes for term in self.several(node))
        if len({self.is_truth(term) for term in terms}) > 1:
            raise ExpressionError(which.column, f"{which}() takes either numbers or yes and no")
        choice = Choice(self.source(tree), cast(Extreme, str(which)), terms)
        try:
            dimension(choice, self.names.functions)
        except UnitError as error:
            raise ExpressionError(which.column, str(error)) from None
        return choice

    def several(self, tree: Any) -> tuple[Term, ...]:
        """Read what `min` and `max` choose from: a pattern is each of its rows."""
        return self.figures(tree) if tree.data == "figure" else (self.term(tree),)

    def one_figure(self, tree: Any) -> Figure:
        row = tree.children[1]
        if _is_pattern(str(row)):
            raise ExpressionError(row.column, f"'{row}' stands for several rows: put it into min() or max()")
        (figure,) = self.figures(tree)
        return figure

    def implied_figure(self, function: Any) -> Figure:
        self.see_known(function)
        if not self.names.implied:
            raise ExpressionError(function.column, f"'{function}' lacks its row: write {function}(ROW)")
        return Figure(str(function), self.names.implied)

    def see_known(self, function: Any) -> None:
        if function not in self.names.functions:
            known = nearest(str(function), [*self.names.functions, "min", "max"])
            raise ExpressionError(function.column, f"unknown function '{function}'; {known}")

    def figures(self, tree: Any) -> tuple[Figure, ...]:
        function, row = tree.children
        self.see_known(function)
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


def _is_quotient(of: Dimension) -> bool:
    """Say whether a term is the quotient of two like figures, so that a percentage is a share of one."""
    return not (of.powers or of.bare or of.counted)


def _as_share(term: Term, of: Dimension) -> tuple[Term, Dimension]:
    if isinstance(term, Number) and term.unit == PERCENT_OF_A_CORE.name:
        return Number(term.text, term.value / 100), BARE
    return term, of


def _in_unit(term: Term, of: Dimension, other: Dimension) -> tuple[Term, Dimension]:
    """Return a time that is written in the expression in microseconds, where the other term is a figure in these."""
    if isinstance(term, Number) and of.unit == MILLISECONDS.name and other.unit == MICROSECONDS.name:
        found = Number(term.text, 1000 * term.value, MICROSECONDS.name)
        return found, replace(of_unit(found.unit), written=True)
    return term, of


def _values(term: Term) -> int:
    """Return how many values a term has, one for each choice that its `min` and `max` have together."""
    match term:
        case Choice():
            return sum(map(_values, term.terms))
        case Operation():
            return _values(term.left) * _values(term.right)
    return 1
