"""Metrics of a run against earlier runs of like conditions.

Each of these counts once: so what differs from boot to boot is in the noise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig.errors import InputError
from benchrig.report.gate import errors
from benchrig.report.gate.comparable import is_gone, rows
from benchrig.report.gate.model import Basis, Judged, Worsening
from benchrig.report.gate.worsening import METRICS, Ratio, by_ratio, is_worse, judged, limit_ratio
from benchrig.report.history import Judgement, judge, rows_before
from benchrig.report.metrics import BY_NAME, ERRORS, THROUGHPUT
from benchrig.report.table import Table

LIKE_RUNS = 200
"""The newest like runs that a run is judged by: a slowdown stays one for as long as runs before it are among them."""

RECENT_RUNS = 5
"""A row that one of so many runs before it has, and the run has not, is missing."""


def against(name: str, table: Table, limit_percent: float, root: Path) -> list[Judged]:
    """Return the judgements on each row and metric of a run by the like runs before it; `name` is the run's name or path.

    Raises InputError for published figures, and where the run cannot be read.
    """
    if table.run is None:
        raise InputError(f"published figures have no history: name a run, not '{table.name}', or another --against")
    judgements = judge(name, root / "reports", (*METRICS, ERRORS), LIKE_RUNS)
    found = [_worsening(one, limit_percent) for one in _wanted(judgements)]
    more = (errors.by_history(one, table) for one in judgements if one.metric == ERRORS.name)
    found += itertools.chain.from_iterable(more)
    return [judged(one) for one in (*found, *map(_not_run, table.not_run), *_gone(name, table, root))]


def _wanted(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """Yield those that say something: of a row without values, one alone; the corrected p99 in place of a missing one.

    A metric that earlier runs have and the run has not is among them.
    """
    by_row: dict[str, dict[str, Judgement]] = {}
    for one in judgements:
        by_row.setdefault(one.row, {})[one.metric] = one
    for metrics in by_row.values():
        yield metrics[THROUGHPUT.name]
        others = [metrics[metric.name] for metric in METRICS if metric is not THROUGHPUT]
        if any(one.value is not None for one in metrics.values()):
            yield from [*(one for one in others if one.value is not None), *(one for one in others if one.runs)][:1]


def _gone(name: str, table: Table, root: Path) -> Iterator[Worsening]:
    """Yield the rows that runs just before it have and the run has not: left out by the user, or gone from the suite."""
    assert table.run
    before = rows_before(name, root / "reports", RECENT_RUNS)
    missing = {label: row for label, row in before.items() if row not in table.run.rows}
    suite = rows(table, root) if missing else ()
    for label, row in missing.items():
        basis = Basis.ROW_GONE if is_gone(row, table, suite) else Basis.ONLY_IN_REFERENCE
        yield Worsening(label, THROUGHPUT.claimed, THROUGHPUT.unit.name, None, None, basis)


def _worsening(found: Judgement, limit_percent: float) -> Worsening:
    metric = BY_NAME[found.metric]
    made = Worsening(
        row=found.row,
        metric=metric.claimed,
        unit=metric.unit.name,
        reference_value=found.expected,
        value=found.value,
        basis=Basis.NOT_MEASURED if found.value is None else Basis.TOO_FEW_RUNS,
        p=found.p,
        runs=len(found.runs),
        runs_needed=found.runs_needed,
        detail=found.unused,
        worse_since=found.worse_since,
        worse_runs=found.worse_runs,
    )
    if found.value is None or found.ratio is None or found.low is None or found.high is None:
        return made
    low, high = found.value / found.high, found.value / found.low if found.low > 0 else math.inf
    worse = bool(found.off) and (found.worse or 0) > 0
    beyond = worse and is_worse(metric, low, high, limit_ratio(metric, limit_percent))
    return by_ratio(replace(made, detail=""), metric, Ratio(found.ratio, low, high, worse, beyond), limit_percent)


def _not_run(label: str) -> Worsening:
    """Return a row that the run was to measure and never came to."""
    return Worsening(label, THROUGHPUT.claimed, THROUGHPUT.unit.name, None, None, Basis.NOT_MEASURED)
