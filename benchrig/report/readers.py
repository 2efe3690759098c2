"""Readers of metrics: functions that read a value from a stored cell, or from a load generator's own text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchrig.bench.generators.base import Printed
    from benchrig.results.model import Cell, Latency, Load, ServerLoad


def of_load(read: Callable[[Load], float]) -> Callable[[Cell], float | None]:
    """Return a reader of a value of the load; None for a cell without a load."""
    return lambda cell: read(cell.load) if cell.load else None


def of_latency(read: Callable[[Latency], float | None]) -> Callable[[Cell], float | None]:
    """Read a latency, stored in microseconds, in milliseconds; None where no reply was timed."""

    def of_cell(cell: Cell) -> float | None:
        return milliseconds(read(cell.load.latency)) if cell.load and cell.load.latency.max_us > 0 else None

    return of_cell


def percentile(name: str) -> Callable[[Cell], float | None]:
    """Return a reader of a percentile of the latency in milliseconds, by its name in the record: `99`."""
    return of_latency(lambda latency: latency.percentiles_us.get(name))


def percentile_text(name: str) -> Callable[[Printed], float | None]:
    """Return a reader of the same percentile in a load generator's text."""
    return lambda text: milliseconds(text.percentiles_us.get(name))


def milliseconds(microseconds: float | None) -> float | None:
    """Return microseconds in milliseconds."""
    return None if microseconds is None else microseconds / 1000


def of_server(read: Callable[[ServerLoad], float]) -> Callable[[Cell], float | None]:
    """Return a reader of a value that was sampled on the server; None for a cell without samples."""
    return lambda cell: read(cell.server) if cell.server else None


def generator_cpu_percent(cell: Cell) -> float | None:
    """Return the CPU time of the load generator in percent of one core."""
    generator = cell.generator
    return 100 * generator.cpu_seconds / generator.wall_seconds if generator and generator.wall_seconds else None
