"""Rows near the same ceiling: no edge makes rows that are alike differ between two runs."""

from __future__ import annotations

import pytest

from benchrig.report import Report
from benchrig.report.compare import compare
from benchrig.report.table import make
from benchrig.report.verdict import Answer
from tests.support.reports import a_run, repeats_of


def run_at(share: float) -> Report:
    """Return a run of a row with six repeats around a share of its ceiling, which is 100,000 requests in 5 s."""
    counts = [round(100_000 * share) + step for step in (-30, -10, -5, 5, 10, 30)]
    return Report(make(a_run("go-2000"), repeats_of("go-2000", *counts)))


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (0.949, 0.951, Answer.NO_DIFFERENCE),
        (0.951, 0.949, Answer.NO_DIFFERENCE),
        (0.94, 0.97, Answer.NO_DIFFERENCE),
        (0.90, 0.97, Answer.BETTER),
        (0.86, 0.87, Answer.BETTER),
    ],
)
def test_a_difference_near_the_ceiling_counts_only_beyond_what_the_load_explains(
    a: float, b: float, verdict: Answer
) -> None:
    (change,) = (one for one in compare([run_at(a), run_at(b)]).changes if one.metric.name == "requests_per_second")
    assert change.difference
    assert change.verdict is verdict
