"""Rows made up for tests of charts: with latencies of replies, and with the course of each repeat."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchrig.report import Report
from benchrig.report.courses import Course
from benchrig.report.figures import sample
from benchrig.report.metrics import BY_NAME, REQUESTS, TIMEOUTS
from benchrig.report.table import Row
from benchrig.results.histogram import Histogram, encode
from tests.support import series
from tests.support.charted import a_row, report_of

PERCENTS = (50, 75, 90, 99, 99.9)


def histogram_of(values_us: Sequence[float]) -> Histogram:
    """Return the histogram of latencies in microseconds."""
    return Histogram(
        dict(Counter(int(value) - int(value) % (1 << max(0, int(value).bit_length() - 8)) for value in values_us))
    )


def log_normal(count: int, median_us: float = 1e5, spread: float = 0.3, seed: int = 1) -> list[float]:
    """Return latencies whose logarithms are normally distributed."""
    chance = random.Random(seed)
    return [median_us * math.exp(chance.gauss(0, spread)) for _ in range(count)]


def timed(name: str, *repeats: Sequence[float], late: int = 0, corrected: float = 1.0, **changes: object) -> Row:
    """Return a row with these latencies in each repeat, in microseconds, and as many late replies in each.

    Its corrected percentiles are those that were measured, times `corrected`.
    """
    histograms = [histogram_of(values) for values in repeats]
    figures = dict(a_row(name, *[1000.0] * len(repeats)).figures)
    figures[REQUESTS.name] = sample([len(values) + late for values in repeats], REQUESTS)
    figures[TIMEOUTS.name] = sample([late] * len(repeats), TIMEOUTS)
    for percent in PERCENTS:
        key = f"p{percent}".replace(".", "_")
        values = [one.percentile(percent) / 1e3 for one in histograms]
        for metric, factor in ((f"latency_{key}_ms", 1.0), (f"latency_corrected_{key}_ms", corrected)):
            figures[metric] = sample([factor * value for value in values], BY_NAME[metric])
    row = a_row(name, figures=figures, histograms=tuple(map(encode, histograms)), timeout_seconds=10.0)
    return replace(row, status="measured", reason="", repeats=len(repeats), **changes)  # type: ignore[arg-type]


def a_course(share: Callable[[float], float] = series.flat, repeat: int = 1, **changes: object) -> Course:
    """Return the course of a load of 6 s, by the share of its rate at each time."""
    seen = series.observed(share, seed=repeat, **changes)  # type: ignore[arg-type]
    return Course(repeat, seen.series, seen.requests, seen.duration_seconds)


def with_courses(name: str, *courses: Course, **changes: object) -> Row:
    """Return a row with these courses."""
    return a_row(name, *[1000.0] * len(courses), courses=courses, **changes)


def sixteen() -> Report:
    """Return the report of 16 rows with 6 repeats each: some come too late, some have a ramp, some grow."""
    rows = []
    for number in range(16):
        courses = tuple(
            a_course(series.ramped if number % 2 else series.flat, repeat, memory=lambda at: 5e7 + 1e6 * at)
            for repeat in range(1, 7)
        )
        latencies = [log_normal(4000, 1e3 * 1.7**number, 0.4, seed=repeat) for repeat in range(6)]
        rows.append(
            timed(f"framework-{number}-2000", *latencies, late=40 * (number % 3 == 2), corrected=1.5, courses=courses)
        )
    return report_of(*rows)
