"""Errors of a run against those of a reference: more of them are a failure, whatever throughput and latency say."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.report.compare import Change, Pairing
from benchrig.report.gate.model import Basis, Worsening
from benchrig.report.history import Judgement
from benchrig.report.metrics import ERRORS
from benchrig.report.table import Table
from benchrig.report.verdict import Answer, Cause


def compared(pairing: Pairing) -> Iterator[Worsening]:
    """Yield the rows with more errors, shown or open for want of repeats; why others do not compare, throughput says."""
    for change in pairing.changes:
        if change.metric is ERRORS and (basis := _basis(change)):
            repeats = [len(sample.values) if sample else 0 for sample in (change.a, change.b)]
            yield Worsening(
                row=change.row,
                metric=ERRORS.name,
                unit=ERRORS.name,
                reference_value=change.a_value,
                value=change.b_value,
                basis=basis,
                p=change.adjusted_p,
                repeats=(repeats[0], repeats[1]),
                needed=change.outcome.needed,
            )


def by_history(found: Judgement, table: Table) -> Iterator[Worsening]:
    """Yield a row each of whose repeats has more errors than the history lets expect."""
    row = next((row for row in table.rows if row.label == found.row), None)
    fewest = row.figures[ERRORS.name].low if row and ERRORS.name in row.figures else 0.0
    if found.exceeds(0.0) and found.high is not None and fewest > found.high:
        yield Worsening(
            row=found.row,
            metric=ERRORS.name,
            unit=ERRORS.name,
            reference_value=found.expected,
            value=found.value,
            basis=Basis.MORE_ERRORS,
            p=found.p,
            runs=len(found.runs),
        )


def _basis(change: Change) -> Basis | None:
    if change.verdict is Answer.WORSE:
        return Basis.MORE_ERRORS
    more = (change.b_value or 0) > (change.a_value or 0)
    return Basis.TOO_FEW_REPEATS if change.cause is Cause.TOO_FEW_REPEATS and more else None
