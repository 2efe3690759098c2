"""Warnings about what the machines' kernels held back: CPU time by a quota, and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run, Throttle
from benchrig.results.warnings import Unit, Value, Warning, number

THROTTLED_SHARE = 0.01
"""From this share of a measurement's time on. A quota that is reached holds programs up for much longer."""

MEMORY_PRESSURE_PERCENT = 5.0
"""Of a measurement's time in which a program waited for memory. Without a shortage, it is 0."""

APPS_GROUP = "system.slice"
"""The control group of the apps. The load generator is beside it, and a group above both is that of both."""


@dataclass(frozen=True)
class _Machine:
    """A machine under load: what its kernel held back."""

    host: str
    generator: bool
    """The load generator ran on it."""
    pressure: Mapping[str, float]
    throttled: Mapping[str, Throttle]


def _machines(cell: Cell) -> Iterator[_Machine]:
    if cell.server:
        yield _Machine(cell.host, cell.load_on_server, cell.server.pressure, cell.server.throttled)
    for other in cell.beside:
        yield _Machine(other.host, other.generator, other.cpu.pressure, other.cpu.throttled)


def _throttled(cell: Cell, _: Run) -> Iterator[Warning]:
    """Warn of each group that was held up. Where that stopped the load generator, the figures are not the system's."""
    for machine in _machines(cell):
        for group, held in machine.throttled.items():
            if held.seconds < THROTTLED_SHARE * cell.duration_seconds:
                continue
            generator = machine.generator and APPS_GROUP not in group.split("/")
            values: dict[str, Value] = {
                "case": "generator" if generator else "app",
                "group": group,
                "machine": machine.host,
                "periods": number(held.periods),
                "held": number(held.seconds, Unit.SECONDS),
            }
            yield Warning(Code.THROTTLED, machine.host, values, invalid=generator)


def _pressure(cell: Cell, run: Run) -> Iterator[Warning]:
    waited = [(one.host, one.pressure.get("memory", 0.0)) for one in _machines(cell)]
    if run.shares_kernel:
        # Each of them sees the whole computer's.
        waited = waited[:1]
    for host, share in waited:
        if share >= MEMORY_PRESSURE_PERCENT:
            values: dict[str, Value] = {"machine": host, "share": number(share, Unit.PERCENT)}
            yield Warning(Code.MEMORY_PRESSURE, host, values)


DETECTORS: tuple[Detector, ...] = (_throttled, _pressure)
