"""What a comparison lacks to judge anything, and the command that measures it."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.errors import InputError
from benchrig.report import describe
from benchrig.report.compare.values import Comparison, Pairing
from benchrig.report.table import Table
from benchrig.statistics.difference import LEAST_REPEATS
from benchrig.statistics.interval import ENOUGH_REPEATS


def failure(comparison: Comparison) -> InputError | None:
    """Return the error of a comparison of runs with so few repeats that no difference can be judged; None of any other."""
    lacking = dict(few for pairing in comparison.pairings if pairing.lacks_repeats for few in _few(pairing))
    if not lacking:
        return None
    said = ", ".join(f"{side} ({table.name}) has {_repeats(table)}" for side, (table, _) in lacking.items())
    commands = dict.fromkeys(describe.repeats_command(table, rows, ENOUGH_REPEATS) for table, rows in lacking.values())
    return InputError(
        f"no difference can be judged: {said} of each row, and it takes {LEAST_REPEATS}",
        f"Measure again: {' && '.join(commands)}",
    )


def _few(pairing: Pairing) -> Iterator[tuple[str, tuple[Table, tuple[str, ...]]]]:
    for side, table in (("A", pairing.a), (pairing.side, pairing.b)):
        if _most(table) < LEAST_REPEATS:
            yield side, (table, tuple(row.name for row in table.rows if row.label in pairing.rows))


def _most(table: Table) -> int:
    return max((row.repeats for row in table.rows), default=0)


def _repeats(table: Table) -> str:
    return "1 repeat" if _most(table) == 1 else f"{_most(table)} repeats"
