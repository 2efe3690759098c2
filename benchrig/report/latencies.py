"""The latencies of all repeats of a row together, from the histograms that its cells keep."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchrig.language import say
from benchrig.results import histogram
from benchrig.results.histogram import Histogram
from benchrig.results.model import Cell

PERCENTILES = ("50", "75", "90", "99", "99.9", "99.99")


MOST_REPEATS = 50
"""Of a row in charts: it takes half a millisecond to read a histogram."""


@dataclass(frozen=True)
class Latencies:
    """Latency as measured, over all repeats of a row."""

    count: int
    """Replies that were timed."""
    percentiles_ms: Mapping[str, float]
    """Keyed by percentile as text; each is within 1/128 of the exact one."""
    histogram: str
    """In microseconds, in HdrHistogram's encoding: V2, compressed, in base64."""


def histograms_of(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return the histograms of a row's measured repeats; none where one of them has none."""
    found = tuple(cell.load.histogram if cell.load else "" for cell in cells)
    return found if all(found) else ()


def latencies_of(histograms: Sequence[str]) -> Latencies | None:
    """Return the latencies of several histograms together; None of none, or where one of them is damaged."""
    together = merged(tuple(histograms))
    if together is None:
        return None
    found = together.percentiles([float(name) for name in PERCENTILES])
    percentiles = {name: value / 1e3 for name, value in zip(PERCENTILES, found, strict=True)}
    return Latencies(together.count, percentiles, histogram.encode(together))


def merged(histograms: tuple[str, ...]) -> Histogram | None:
    """Return several encoded histograms as one; None of none, where one of them is damaged, or where all are empty."""
    found = decoded(histograms)
    return histogram.merged(found) if found else None


def chosen(histograms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the histograms of a row that its charts are made from: of many, every second one, every third one."""
    return histograms[:: math.ceil(len(histograms) / MOST_REPEATS) or 1]


def say_chosen(rows: Iterable[tuple[str, ...]]) -> str:
    """Return the sentence that says so where any row has more histograms; else nothing."""
    if all(chosen(histograms) == histograms for histograms in rows):
        return ""
    return say("Of a row with more than {most} repeats, {most} at most are in it, evenly chosen.", most=MOST_REPEATS)


@lru_cache(maxsize=64)
def decoded(histograms: tuple[str, ...]) -> tuple[Histogram, ...]:
    """Return those of several encoded histograms that are not empty; none where one of them is damaged."""
    try:
        return tuple(one for one in map(histogram.decode, histograms) if one.count)
    except histogram.HistogramError:
        return ()


def over_repeats(repeats: Sequence[Histogram], percents: Sequence[float]) -> list[float]:
    """Return the median over the repeats of each of these percentiles, in microseconds, as a report's table has them."""
    return [statistics.median(values) for values in zip(*(one.percentiles(percents) for one in repeats), strict=True)]
