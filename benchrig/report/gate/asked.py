"""What a gate is asked to judge, read from the command line and checked before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig.bench.suite import Plan
from benchrig.errors import Hint, InputError, Inv
from benchrig.mistakes import Mistakes
from benchrig.report.claims import check_expectation
from benchrig.report.gate.model import MOST_EXPRESSIONS
from benchrig.report.load import find_folder

HISTORY = "history"
"""The reference that stands for earlier runs of like conditions."""


@dataclass(frozen=True)
class Asked:
    """What the user asks a gate for."""

    fail_if: tuple[str, ...] = ()
    """Expressions that must not hold."""
    limit_percent: float | None = None
    """How much worse than the reference a metric may be; None where nothing is compared."""
    against: str = ""
    """The reference: HISTORY, or the name or path of a run or of published figures."""

    def found(self, root: Path) -> Asked:
        """Return the same with the reference found: `latest` is the run that is so now, before another is measured.

        Raises InputError for a run that there is not.
        """
        folder = find_folder(self.against, root) if self.against not in ("", HISTORY) else None
        return replace(self, against=str(folder)) if folder else self

    def check(self, rows: Sequence[str], others: Sequence[str] = ()) -> None:
        """Raise InputError for an expression that is not one, or names other rows than these.

        A pattern stands for `rows`; those of `others` can only be named outright.
        """
        more = [name for name in others if name not in rows]
        for text in self.fail_if:
            try:
                check_expectation(text, rows, more)
            except InputError as error:
                raise InputError(f"--fail-if {error}") from None

    def check_plan(self, plan: Plan) -> None:
        """Raise InputError as `check` does for the rows of a bench, and where there is nothing to judge."""
        self.check([row.name for row in plan.rows], plan.all_rows)
        see_something(self, [expected.text for expected in plan.expect], plan.suite)


def asked(fail_if: Sequence[str], limit: float | None, against: str) -> Asked:
    """Return what the flags of `gate` ask for; the limit of --fail-over is a share: 0.05 is 5 %.

    Raises InputError for a flag without its other, and for too many expressions.
    """
    if (limit is not None) != bool(against):
        lacking, given = ("--fail-over", "--against") if limit is None else ("--against", "--fail-over")
        hint = Hint("Write for example: ", Inv("gate", "--fail-over", "5%", "--against", "history", on_inventory=False))
        raise InputError(f"{given} needs {lacking}", hint)
    if len(fail_if) > MOST_EXPRESSIONS:
        raise InputError(f"--fail-if is given {len(fail_if):,} times; at most {MOST_EXPRESSIONS:,} are judged")
    percent = None if limit is None else round(100 * limit, 9)
    return Asked(tuple(dict.fromkeys(fail_if)), percent, against)


def see_something(asked: Asked, expected: Sequence[str], suite: str) -> None:
    """Raise InputError where a gate has nothing to judge: it would pass whatever was measured."""
    if asked.fail_if or asked.against or expected:
        return
    where = f"the suite '{suite}' expects nothing" if suite else "published figures have no suite that expects anything"
    hint = "Give --fail-if EXPRESSION, --fail-over 5% --against NAME, or write `expect:` in the suite: docs/ci.md."
    raise InputError(f"there is nothing to judge: {where}, and no flag names a limit", hint)


def check_expected(plan: Plan) -> None:
    """Raise InputError with `file:line` of each expression of a suite's `expect:` that is not one, or names unknown rows."""
    mistakes = Mistakes()
    if len(plan.expect) > MOST_EXPRESSIONS:
        mistakes.add(plan.expect[0].where, f"{len(plan.expect):,} expressions; at most {MOST_EXPRESSIONS:,} are judged")
        mistakes.raise_all()
    for expected in plan.expect:
        mistakes.attempt(expected.where, check_expectation, expected.text, plan.all_rows)
    mistakes.raise_all()
