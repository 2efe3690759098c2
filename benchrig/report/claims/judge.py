"""The judge of claims: returns a verdict on each claim from the values of a table.

A claim is reproduced if its expression is true everywhere within the intervals of its figures, contradicted if it is true
nowhere, and inconclusive otherwise: the judge never guesses. A published figure is a point: a document is judged by what it
prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from benchrig.report import describe
from benchrig.report.claims import limits, notes, words
from benchrig.report.claims.file import Claim
from benchrig.report.claims.functions import (
    FUNCTIONS,
    Conditions,
    InvalidRowError,
    KnownFigure,
    NoFigureError,
    NotInRunError,
    find,
)
from benchrig.report.claims.language import Expression, Figure
from benchrig.report.claims.values import Interval, UndefinedError, holds, point, repeats_to_settle
from benchrig.report.claims.words import KnownFigures
from benchrig.report.table import Table
from benchrig.report.verdict import Quantity, Reason, Verdict, Wanted, Why, Word
from benchrig.statistics.interval import LEAST_REPEATS


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
        figures, missing = self.figures(expression)
        invalid = [error.code for error in missing if isinstance(error, InvalidRowError)]
        word, reason = self.word(expression, figures, tuple(str(error) for error in missing))
        return replace(
            bare,
            word=word,
            reason=reason,
            wanted=_wanted(expression, reason),
            invalid_by=tuple(dict.fromkeys(invalid)) if len(invalid) == len(missing) else (),
            not_in_run=bool(missing) and all(isinstance(error, NotInRunError) for error in missing),
            published=self.published(expression),
            measured=words.quantities(expression, figures) if self.table.run else (),
            notes=notes.notes(expression, self.table, self.document, told=invalid),
            causes=(*self.causes(), *notes.ceiling(expression, self.table)),
        )

    def figures(self, expression: Expression) -> tuple[dict[Figure, KnownFigure], list[NoFigureError]]:
        """Return the figures of an expression that the table has, and the errors of those that it does not have."""
        return _figures(expression, self.table, self.conditions)

    def published(self, expression: Expression) -> tuple[Quantity, ...]:
        if self.document is None:
            return ()
        return words.quantities(expression, _figures(expression, self.document, None)[0])

    def word(self, expression: Expression, figures: KnownFigures, missing: tuple[str, ...]) -> tuple[Word, Reason]:
        """Return the word of the verdict and its reason."""
        if missing:
            return Word.NOT_TESTABLE, Reason(Why.NO_VALUE, missing)
        if facts := limits.beyond(expression, figures, self.table):
            return Word.NOT_TESTABLE, Reason(Why.BEYOND_MACHINE, facts)
        known = {figure: found.known for figure, found in figures.items()}
        try:
            outcome = holds(expression, known)
            if outcome is None:
                return Word.INCONCLUSIVE, self.undecided(expression, figures, known)
        except UndefinedError as error:
            return Word.NOT_TESTABLE, Reason(Why.NO_VALUE, (str(error),))
        word = Word.REPRODUCED if outcome else Word.CONTRADICTED
        return word, Reason(Why.RELATIONS, words.relations(expression, figures, outcome))

    def undecided(self, expression: Expression, figures: KnownFigures, known: Mapping[Figure, Interval]) -> Reason:
        """Return why a claim is inconclusive, and what would decide it."""
        if pending := tuple(dict.fromkeys(found.pending for found in figures.values() if found.pending)):
            return self.under_other_conditions(expression, pending)
        if not all(found.enough for found in figures.values()):
            return self.without_interval(expression, figures)
        repeats = max(self.repeats(expression))
        if holds(expression, {figure: interval.around(0) for figure, interval in known.items()}) is None:
            return Reason(Why.REPEATS_DIFFER, words.relations(expression, figures, None), repeats=repeats)
        needed = repeats_to_settle(expression, known, repeats)
        facts = words.relations(expression, figures, None)
        if needed is None:
            return Reason(Why.TOO_CLOSE, facts, repeats=repeats)
        command = self.command(expression, needed)
        return Reason(Why.WIDE_INTERVALS, facts, repeats=repeats, needed=needed, command=command)

    def under_other_conditions(self, expression: Expression, facts: tuple[str, ...]) -> Reason:
        """Return that the load was not the article's, and the command that makes the article's load."""
        needed = 1 if all(_is_counted(figure) for figure in expression.figures) else LEAST_REPEATS
        command = describe.published_command(self.table, {figure.row for figure in expression.figures}, needed)
        return Reason(Why.OTHER_CONDITIONS, facts, repeats=min(self.repeats(expression)), needed=needed, command=command)

    def without_interval(self, expression: Expression, figures: KnownFigures) -> Reason:
        """Return what the medians of too few repeats say."""
        points = {figure: replace(found, exact=True, interval=None, within=None) for figure, found in figures.items()}
        outcome = holds(expression, {figure: found.known for figure, found in points.items()})
        return Reason(
            Why.TOO_FEW_REPEATS,
            words.relations(expression, points, outcome),
            supports=outcome,
            repeats=min(self.repeats(expression)),
            needed=LEAST_REPEATS,
            command=self.command(expression, LEAST_REPEATS),
        )

    def repeats(self, expression: Expression) -> list[int]:
        """Return the number of repeats of each row of an expression."""
        names = {figure.row for figure in expression.figures}
        return [row.repeats for row in self.table.rows if row.name in names]

    def command(self, expression: Expression, repeats: int) -> str:
        """Return the command that measures an expression's rows with this number of repeats."""
        return describe.repeats_command(self.table, {figure.row for figure in expression.figures}, repeats)

    def causes(self) -> Iterator[str]:
        """Return the causes that the results show, each with its evidence."""
        for cause in self.claim.causes:
            figures, missing = self.figures(cause.when)
            if missing:
                continue
            values = {figure: found.known if found.interval else point(found.value) for figure, found in figures.items()}
            try:
                if not holds(cause.when, values):
                    continue
            except UndefinedError:
                continue
            evidence = describe.quantities(words.quantities(cause.when, figures))
            yield f"{cause.says} ({evidence})"


def _figures(
    expression: Expression, table: Table, conditions: Conditions | None
) -> tuple[dict[Figure, KnownFigure], list[NoFigureError]]:
    found: dict[Figure, KnownFigure] = {}
    missing: dict[str, NoFigureError] = {}
    for figure in expression.figures:
        try:
            found[figure] = find(figure, table, conditions)
        except NoFigureError as error:
            missing[str(error)] = error
    return found, list(missing.values())


def _conditions(document: Table | None) -> Conditions | None:
    if document is None or document.source is None:
        return None
    return Conditions(document.source.source, {row.name: row.connections for row in document.rows})


def _wanted(expression: Expression, reason: Reason) -> Wanted | None:
    rows = tuple(dict.fromkeys(figure.row for figure in expression.figures))
    return Wanted(rows, reason.needed, reason.why is Why.OTHER_CONDITIONS) if reason.command else None


def _is_counted(figure: Figure) -> bool:
    """Return whether one repeat is enough to judge a figure."""
    metric = FUNCTIONS[figure.function].metric
    return metric is None or metric.kind == "count"
