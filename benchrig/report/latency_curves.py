"""The latency of a row by percentile: as it was measured, and corrected, as far as each of them is known."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.report.latencies import chosen, decoded, over_repeats
from benchrig.report.metrics import METRICS, REQUESTS, TIMEOUTS, Metric
from benchrig.report.table import Row
from benchrig.results.histogram import Histogram

FIRST = 2.0
"""Where a curve begins: the median. Its places are 1 / (1 - p): one reply in so many is slower."""

LAST = 10_000.0
"""Where it ends at the latest: p99.99."""

IN_DECADE = 11
"""Points of a curve between p90 and p99."""

SLOWER = 10
"""So many replies of all repeats are slower than the last percentile that is drawn: of fewer, another load has others."""

_NAMED = (50.0, 75.0, 90.0, 99.0, 99.9, 99.99)

PLACES: tuple[float, ...] = tuple(
    sorted(
        {
            *(round(FIRST * 10 ** (step / IN_DECADE), 2) for step in range(4 * IN_DECADE) if step % IN_DECADE),
            *(round(100 / (100 - percent), 6) for percent in _NAMED),
        }
    )
)
"""Where the measured curves have points."""

_PERCENTILE = re.compile(r"latency_(?:corrected_)?p(\d+(?:_\d+)?)_ms")


@dataclass(frozen=True)
class Point:
    """A percentile of a row's latency."""

    place: float
    """1 / (1 - p): 100 is p99."""
    milliseconds: float


@dataclass(frozen=True)
class LatencyCurve:
    """The latency of a row by percentile."""

    row: Row
    replies: int
    """That were timed, in all repeats; 0 where it is not known."""
    measured: tuple[Point, ...]
    """The medians of the repeats, as of all figures."""
    corrected: tuple[Point, ...]
    """After the load generator's own correction: the percentiles that it prints."""
    late: int
    """Replies that came after the timeout: no latency was recorded of them."""
    clipped_at: float | None
    """The place from which on replies were late; None where too few were to be seen in a drawing."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All points of both curves."""
        return self.measured + self.corrected


def curve_of(row: Row) -> LatencyCurve | None:
    """Return the latency of a row by percentile; None where nothing is known of it, or nothing that its replies support."""
    some = chosen(row.histograms)
    repeats = decoded(some)
    late, counted = (int(sum(_values(row, metric))) for metric in (TIMEOUTS, REQUESTS))
    all_read = bool(repeats) and len(some) == len(row.histograms)
    replies = sum(one.count for one in repeats) if all_read else max(counted - late, 0)
    clipped = max((replies + late) / late, FIRST) if late and counted else None
    # A published row may not tell its requests: what it prints is all that is known.
    supported = replies / SLOWER if counted or repeats else LAST
    last = min(LAST, supported, clipped or LAST)
    found = LatencyCurve(
        row=row,
        replies=replies,
        measured=_of_histograms(repeats, last) if repeats else _known(row, last, corrected=False),
        corrected=_known(row, last, corrected=True),
        late=late,
        clipped_at=clipped if clipped and clipped <= LAST else None,
    )
    return found if found.points or found.clipped_at else None


def _of_histograms(repeats: Sequence[Histogram], last: float) -> tuple[Point, ...]:
    # In the median of the repeats' percentiles, as in that of any figure, one repeat that differs does not count.
    last = min(last, statistics.median(one.count for one in repeats))
    places = [place for place in PLACES if place < last]
    if last >= FIRST:
        places.append(last)
    values = over_repeats(repeats, [100 - 100 / place for place in places])
    return tuple(Point(place, value / 1e3) for place, value in zip(places, values, strict=True))


def _values(row: Row, metric: Metric) -> Sequence[float]:
    sample = row.figures.get(metric.name)
    return sample.values if sample else ()


def _known(row: Row, last: float, *, corrected: bool) -> tuple[Point, ...]:
    """Return the percentiles among a row's metrics, in the order of the percentiles."""
    found = []
    for metric in METRICS:
        percent = _percent(metric)
        if percent is not None and bool(metric.instead_of) is corrected and (value := row.value(metric)) is not None:
            found.append(Point(1 / (1 - percent / 100), value))
    return tuple(point for point in sorted(found, key=lambda point: point.place) if point.place <= last * 1.001)


def _percent(metric: Metric) -> float | None:
    """Return the percentile that a metric is; None of others."""
    found = _PERCENTILE.fullmatch(metric.name)
    return float(found[1].replace("_", ".")) if found else None
