"""The latencies of all repeats of a row together, from the histograms that its cells keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchrig.results import histogram
from benchrig.results.model import Cell

PERCENTILES = ("50", "75", "90", "99", "99.9", "99.99")


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
    try:
        together = histogram.merged(map(histogram.decode, histograms))
        percentiles = {name: together.percentile(float(name)) / 1e3 for name in PERCENTILES}
    except histogram.HistogramError:
        return None
    return Latencies(together.count, percentiles, histogram.encode(together))
