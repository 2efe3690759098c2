"""The judge of claims: returns a verdict on each claim from the values of a table.

A claim is reproduced if the intervals of its figures show that its expression is true, contradicted if they show that it is
false, and inconclusive otherwise: the judge never guesses. A published figure is a point: a document is judged by what it
prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from benchrig.language import Later, later
from benchrig.report import describe
from benchrig.report.claims import notes, words
from benchrig.report.claims.file import Claim
from benchrig.report.claims.functions import Conditions
from benchrig.report.claims.language import Expression
from benchrig.report.claims.relations import holds
from benchrig.report.claims.values import UndefinedError, point
from benchrig.report.claims.weighing import find_all, weigh
from benchrig.report.table import Table
from benchrig.report.verdict import Quantity, Reason, Verdict, Wanted, Why, Word


def judge(claims: Sequence[Claim], table: Table, document: Table | None) -> tuple[Verdict, ...]:
    """Return the verdict on each claim by a table, with the article's own figures.

    `document` is the table of the published set, or None. If it is `table`, the article is judged by its own figures.
    """
    return tuple(_Judge(claim, table, document).verdict() for claim in claims)


class _Judge:
    """Judges one claim on one table."""

    def __init__(self, claim: Claim, table: Table, document: Table | None) -> None:
        self.claim = claim
        self.table = table
        self.document = document
        self.conditions = _conditions(document)

    def verdict(self) -> Verdict:
        expression = self.claim.expression
        bare = Verdict(
            claim=self.claim.name,
            says=self.claim.says,
            place=self.claim.place,
            expression=expression.text if expression else "",
            word=Word.NOT_TESTABLE,
            reason=Reason(Why.NOT_MEASURABLE, (self.claim.not_testable,)),
            published=(),
            measured=(),
        )
        if expression is None:
            return bare
        weighed = weigh(expression, self.table, self.conditions)
        return replace(
            bare,
            word=weighed.word,
            reason=weighed.reason,
            wanted=_wanted(expression, weighed.reason),
            invalid_by=weighed.invalid if weighed.invalid_alone else (),
            not_in_run=weighed.not_in_run,
            published=self.published(expression),
            measured=words.quantities(expression, weighed.figures) if self.table.run or not self.document else (),
            notes=notes.notes(expression, self.table, self.document, told=weighed.invalid),
            causes=(*self.causes(), *notes.ceiling(expression, self.table)),
        )

    def published(self, expression: Expression) -> tuple[Quantity, ...]:
        if self.document is None:
            return ()
        return words.quantities(expression, find_all(expression, self.document, None)[0])

    def causes(self) -> Iterator[str]:
        """Return the causes that the results show, each with its evidence."""
        for cause in self.claim.causes:
            figures, missing = find_all(cause.when, self.table, self.conditions)
            if missing:
                continue
            values = {figure: found.known if found.interval else point(found.value) for figure, found in figures.items()}
            try:
                if not holds(cause.when, values):
                    continue
            except UndefinedError:
                continue
            found = words.quantities(cause.when, figures)
            yield later("{text} ({detail})", text=cause.says, detail=Later(partial(describe.quantities, found)))


def _conditions(document: Table | None) -> Conditions | None:
    if document is None or document.source is None:
        return None
    return Conditions(document.source.source, {row.name: row.connections for row in document.rows})


def _wanted(expression: Expression, reason: Reason) -> Wanted | None:
    rows = tuple(dict.fromkeys(figure.row for figure in expression.figures))
    return Wanted(rows, reason.needed, reason.why is Why.OTHER_CONDITIONS) if reason.command else None
