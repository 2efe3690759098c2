"""Metrics of a run against earlier runs of like conditions.

Each of these counts once: so what differs from boot to boot is in the noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig.errors import InputError
from benchrig.report.gate.model import Basis, Judged, Worsening
from benchrig.report.gate.worsening import METRICS, Ratio, by_ratio, is_worse, judged, limit_ratio
from benchrig.report.history import Judgement, judge
from benchrig.report.metrics import BY_NAME, THROUGHPUT
from benchrig.report.table import Table


def against(name: str, table: Table, limit_percent: float, reports: Path) -> list[Judged]:
    """Return the judgements on each row and metric of a run by the like runs before it; `name` is the run's name or path.

    Raises InputError for published figures, and where the run cannot be read.
    """
    if table.run is None:
        raise InputError(f"published figures have no history: name a run, not '{table.name}', or another --against")
    found = [_worsening(one, limit_percent) for one in _wanted(judge(name, reports, METRICS))]
    return [judged(one) for one in (*found, *map(_not_run, table.not_run))]


def _wanted(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """Yield those that say something: of a row without values, one alone; the corrected p99 in place of a missing one."""
    there = {(one.row, one.metric) for one in judgements if one.value is not None}
    rows = {row for row, _ in there}
    for one in judgements:
        instead_of = BY_NAME[one.metric].instead_of
        if one.metric == THROUGHPUT.name or (
            one.row in rows and (one.row, one.metric) in there and (one.row, instead_of) not in there
        ):
            yield one


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
