"""Expectations: expressions in the language of claims that a user types or a suite has, judged by a table."""

from __future__ import annotations

from collections.abc import Collection

from benchrig.agent.text import short
from benchrig.errors import InputError
from benchrig.report.claims import parser
from benchrig.report.claims.file import Claim
from benchrig.report.claims.functions import names_of
from benchrig.report.claims.judge import judge
from benchrig.report.claims.language import Expression
from benchrig.report.claims.parser import ExpressionError
from benchrig.report.table import Table
from benchrig.report.verdict import Verdict

_LONGEST = 100
"""Characters of an expression in an error."""


def check_expectation(text: str, rows: Collection[str], others: Collection[str] = ()) -> Expression:
    """Return an expression over some rows; it may name `others`, for which no pattern stands.

    Raises InputError with its text and the column of a mistake in it.
    """
    try:
        return parser.parse(text, names_of(rows, others))
    except ExpressionError as error:
        raise InputError(f"'{short(' '.join(text.split()), _LONGEST)}', column {error.column}: {error.message}") from None


def expectation(text: str, table: Table, others: Collection[str] = ()) -> Verdict:
    """Return the verdict of a table on an expression, whose `claim`, `says` and `place` are empty.

    The word is REPRODUCED where it holds, CONTRADICTED where it does not, INCONCLUSIVE where that is not decided, and
    NOT_TESTABLE where the table lacks a figure, where one must not be used, or where it divides by 0; `reason` says why, and
    `measured` has the figures. `others` are rows that may be named although the run did not have them: an expression that
    names one is not testable, with `not_in_run`. With several servers, `table` is that of one of them.

    Raises InputError for a mistake in it, as `check_expectation` does: a name that is neither a row of the table nor one of
    `others`, units that do not fit, a text that is too long.
    """
    # A pattern stands for the rows of an interrupted run that it never came to as well: what they are is not known.
    rows = dict.fromkeys((*(table.run.rows if table.run else ()), *(row.name for row in table.rows)))
    expression = check_expectation(text, rows, [name for name in dict.fromkeys(others) if name not in rows])
    (verdict,) = judge([Claim("", "", "", expression, "", ())], table, None)
    return verdict
