"""Weighs an expression by a table: whether it holds, why, and what would decide it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchrig.report import describe
from benchrig.report.claims import limits, words
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
from benchrig.report.claims.relations import NEAR, holds, outlook
from benchrig.report.claims.values import UndefinedError, Values
from benchrig.report.table import Table
from benchrig.report.verdict import Reason, Why, Word
from benchrig.results.codes import Code
from benchrig.statistics.interval import ENOUGH_REPEATS


@dataclass(frozen=True)
class Weighed:
    """What became of an expression."""

    word: Word
    reason: Reason
    figures: Mapping[Figure, KnownFigure]
    """Those of its figures that the table has."""
    invalid: tuple[Code, ...] = ()
    """The warnings that make rows of it invalid."""
    invalid_alone: bool = False
    """Nothing else keeps it from being tested."""
    not_in_run: bool = False
    """It is not testable only because its rows were not part of the run."""


def weigh(expression: Expression, table: Table, conditions: Conditions | None) -> Weighed:
    """Weigh an expression by a table. `conditions` are those that an article's figures were measured under.

    What the size of the machine decides is no test of an article; without conditions, it is judged like all else.
    """
    figures, missing = find_all(expression, table, conditions)
    invalid = [error.code for error in missing if isinstance(error, InvalidRowError)]
    word, reason = _Scales(expression, table, conditions, figures).read(tuple(error.text for error in missing))
    return Weighed(
        word,
        reason,
        figures,
        tuple(dict.fromkeys(invalid)),
        bool(invalid) and len(invalid) == len(missing),
        bool(missing) and all(isinstance(error, NotInRunError) for error in missing),
    )


def find_all(
    expression: Expression, table: Table, conditions: Conditions | None
) -> tuple[dict[Figure, KnownFigure], list[NoFigureError]]:
    """Return the figures of an expression that a table has, and the errors of those that it does not have."""
    found: dict[Figure, KnownFigure] = {}
    missing: dict[str, NoFigureError] = {}
    for figure in expression.figures:
        try:
            found[figure] = find(figure, table, conditions)
        except NoFigureError as error:
            missing[str(error)] = error
    return found, list(missing.values())


@dataclass(frozen=True)
class _Scales:
    """One expression on one table, with the figures that were found for it."""

    expression: Expression
    table: Table
    conditions: Conditions | None
    figures: Mapping[Figure, KnownFigure]

    def read(self, missing: tuple[str, ...]) -> tuple[Word, Reason]:
        """Return the word of the verdict and its reason."""
        if missing:
            return Word.NOT_TESTABLE, Reason(Why.NO_VALUE, missing)
        if self.conditions and (facts := limits.beyond(self.expression, self.figures, self.table)):
            return Word.NOT_TESTABLE, Reason(Why.BEYOND_MACHINE, facts)
        known = {figure: found.known for figure, found in self.figures.items()}
        try:
            outcome = holds(self.expression, known)
            if outcome is None:
                return Word.INCONCLUSIVE, self.undecided(known)
        except UndefinedError as error:
            return Word.NOT_TESTABLE, Reason(Why.NO_VALUE, (error.text,))
        assumed = any(found.interval and found.interval.assumed for found in self.figures.values())
        facts = words.relations(self.expression, self.figures, outcome)
        reason = Reason(Why.RELATIONS, facts, repeats=min(self.repeats.values(), default=0), assumed=assumed)
        return Word.REPRODUCED if outcome else Word.CONTRADICTED, reason

    def undecided(self, known: Values) -> Reason:
        """Return why an expression is not decided, and what would decide it."""
        if pending := tuple(dict.fromkeys(found.pending for found in self.figures.values() if found.pending)):
            return self.under_other_conditions(pending)
        if not all(found.enough for found in self.figures.values()):
            return self.without_interval()
        repeats, facts = max(self.repeats.values()), words.relations(self.expression, self.figures, None)
        if holds(self.expression, {figure: one.settled for figure, one in known.items()}) is None:
            return Reason(Why.REPEATS_DIFFER, facts, repeats=repeats)
        ahead = outlook(self.expression, known, repeats)
        excluded = _percent(ahead.excluded)
        if not math.isfinite(ahead.repeats):
            why = Why.TOO_CLOSE if ahead.excluded <= NEAR else Why.TOO_WIDE
            return Reason(why, facts, repeats=repeats, excluded_percent=excluded)
        needed = max(int(ahead.repeats), repeats + 1)
        return Reason(
            Why.WIDE_INTERVALS,
            facts,
            repeats=repeats,
            needed=needed,
            command=self.command(needed),
            within_percent=_percent(ahead.within),
            excluded_percent=excluded,
        )

    def under_other_conditions(self, facts: tuple[str, ...]) -> Reason:
        """Return that the load was not the article's, and the command that makes the article's load."""
        needed = 1 if all(map(_is_counted, self.expression.figures)) else ENOUGH_REPEATS
        command = describe.published_command(self.table, self.rows, needed)
        return Reason(Why.OTHER_CONDITIONS, facts, repeats=min(self.repeats.values()), needed=needed, command=command)

    def without_interval(self) -> Reason:
        """Return what the values of too few repeats say."""
        points = {figure: replace(found, exact=True, interval=None, within=None) for figure, found in self.figures.items()}
        outcome = holds(self.expression, {figure: found.known for figure, found in points.items()})
        return Reason(
            Why.TOO_FEW_REPEATS,
            words.relations(self.expression, points, outcome),
            supports=outcome,
            repeats=min(self.repeats.values()),
            needed=ENOUGH_REPEATS,
            command=self.command(ENOUGH_REPEATS),
        )

    @property
    def rows(self) -> frozenset[str]:
        """The names of the expression's rows."""
        return frozenset(figure.row for figure in self.expression.figures)

    @property
    def repeats(self) -> Mapping[str, int]:
        """The number of repeats of each row of the expression."""
        return {row.name: row.repeats for row in self.table.rows if row.name in self.rows}

    def command(self, repeats: int) -> str:
        """Return the command that measures the expression's rows with this number of repeats."""
        return describe.repeats_command(self.table, self.rows, repeats)


def _percent(share: float) -> float | None:
    return 100 * share if math.isfinite(share) else None


def _is_counted(figure: Figure) -> bool:
    """Return whether one repeat is enough to judge a figure."""
    metric = FUNCTIONS[figure.function].metric
    return metric is None or metric.kind == "count"
