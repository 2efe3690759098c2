"""Metrics of the spread between connections, as the load host's kernel counted it shortly before the load ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchrig.units import COUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchrig.results.model import Cell, Segments

from benchrig.report.metrics.metric import Combined, Metric


def _spread(read: Callable[[Segments], int]) -> Callable[[Cell], float | None]:
    def of_cell(cell: Cell) -> float | None:
        client = cell.connections_seen.client if cell.connections_seen else None
        return read(client.segments) if client and client.segments else None

    return of_cell


def _metric(name: str, which: str, read: Callable[[Segments], int], combined: Combined = "median") -> Metric:
    return Metric(
        name=f"connection_segments_{name}",
        heading=f"segments,\n{name}",
        meaning=f"TCP segments with data that {which} had received half a second before the end; a small reply is one",
        unit=COUNT,
        kind="count",
        combined=combined,
        grows=True,
        read=_spread(read),
    )


CONNECTIONS: tuple[Metric, ...] = (
    _metric("min", "the connection with the fewest", lambda segments: segments.least, "min"),
    _metric("p10", "the connection above a tenth of all", lambda segments: segments.p10),
    _metric("p50", "the median connection", lambda segments: segments.median),
    _metric("max", "the connection with the most", lambda segments: segments.most, "max"),
)
