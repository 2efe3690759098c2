"""The history of rows over many runs, and the judgement of a run by the like runs before it.

A run is judged by other runs, each of which counts once: so what differs from boot to boot is in the noise, as it is not
between two runs alone (`report/compare/`).
"""

from benchrig.report.history.boots import known_spreads
from benchrig.report.history.lookup import (
    LAST,
    MOST_LAST,
    History,
    document,
    enter,
    forget,
    history,
    judge,
    listed,
    metric_named,
    rows_before,
)
from benchrig.report.history.series import Judgement, Series, together
from benchrig.report.history.terminal import render

__all__ = [
    "LAST",
    "MOST_LAST",
    "History",
    "Judgement",
    "Series",
    "document",
    "enter",
    "forget",
    "history",
    "judge",
    "known_spreads",
    "listed",
    "metric_named",
    "render",
    "rows_before",
    "together",
]
