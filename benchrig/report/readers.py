"""Readers of metrics: functions that read a value from a stored cell, or from a load generator's own text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchrig.results.model import Cell, Latency, Load, ServerLoad


def of_load(read: Callable[[Load], float]) -> Callable[[Cell], float | None]:
    """Return a reader of a value of the load; None for a cell without a load."""
    return lambda cell: read(cell.load) if cell.load else None


def of_latency(read: Callable[[Latency], float | None]) -> Callable[[Cell], float | None]:
    """Read a latency that no correction changes, in milliseconds; None where no reply was timed."""
    return _timed(lambda load: load.latency, read)


def of_corrected(read: Callable[[Latency], float | None]) -> Callable[[Cell], float | None]:
    """Read a latency as the load generator prints it, in milliseconds; None where there is none."""
    return _timed(lambda load: load.corrected, read)


def _timed(
    which: Callable[[Load], Latency | None], read: Callable[[Latency], float | None]
) -> Callable[[Cell], float | None]:
    def of_cell(cell: Cell) -> float | None:
        latency = which(cell.load) if cell.load else None
        return milliseconds(read(latency)) if latency and latency.max_us > 0 else None

    return of_cell


def of_measured(read: Callable[[Latency], float | None]) -> Callable[[Cell], float | None]:
    """Read a latency as it was measured, in milliseconds; None where only the corrected one is known."""
    return lambda cell: milliseconds(read(cell.load.measured)) if cell.load and cell.load.measured else None


def milliseconds(microseconds: float | None) -> float | None:
    """Return microseconds in milliseconds."""
    return None if microseconds is None else microseconds / 1000


def of_server(read: Callable[[ServerLoad], float]) -> Callable[[Cell], float | None]:
    """Return a reader of a value that was sampled on the server; None for a cell without samples."""
    return lambda cell: read(cell.server) if cell.server else None


def cpu_microseconds_per_request(cell: Cell) -> float | None:
    """Return the CPU time of the app's processes for each counted reply, in µs; None without samples or replies."""
    server, load = cell.server, cell.load
    if not (server and load and load.requests):
        return None
    return server.cpu_percent / 100 * server.seconds * 1e6 / load.requests


def generator_cpu_percent(cell: Cell) -> float | None:
    """Return the CPU time of the load generator in percent of one core."""
    generator = cell.generator
    return 100 * generator.cpu_seconds / generator.wall_seconds if generator and generator.wall_seconds else None
