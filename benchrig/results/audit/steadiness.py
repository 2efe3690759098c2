"""Warnings about the course of a load: a ramp, a drift, changes of level, stalls, memory that grows."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.steadiness import Kind, of_cell
from benchrig.results.warnings import Unit, Value, Warning, number

RAMP_COST = 0.03
"""Share of the steady throughput from which on a ramp is told: less is within the spread of repeats."""

AFTER_CONNECTING = 1.0
"""Seconds after the last connection was opened from which on a ramp is the server's own warm-up."""


def _ramp(cell: Cell, _: Run) -> Iterator[Warning]:
    judged = of_cell(cell)
    ramp = judged.ramp if judged else None
    if ramp and ramp.cost >= RAMP_COST:
        values: dict[str, Value] = {
            "seconds": number(round(ramp.seconds, 1), Unit.SECONDS),
            "cost": number(100 * ramp.cost, Unit.PERCENT),
        }
        if ramp.seconds - ramp.connecting_seconds >= AFTER_CONNECTING:
            yield Warning(Code.WARMING_UP, cell.host, values)
        else:
            values["connecting"] = number(round(ramp.connecting_seconds, 1), Unit.SECONDS)
            yield Warning(Code.RAMP, cell.host, values)


def _drift(cell: Cell, _: Run) -> Iterator[Warning]:
    if (judged := of_cell(cell)) and judged.drift:
        case = "rising" if judged.drift > 0 else "falling"
        yield Warning(Code.DRIFT, cell.host, {"case": case, "change": number(100 * abs(judged.drift), Unit.PERCENT)})


def _steps(cell: Cell, _: Run) -> Iterator[Warning]:
    if (judged := of_cell(cell)) and judged.steps:
        change, seconds = max(zip(judged.steps, judged.step_seconds, strict=True), key=lambda step: abs(step[0]))
        case = judged.kind.value
        if len(judged.steps) == 1:
            late = " late" if judged.kind is Kind.NO_STEADY_STATE else ""
            case, change = f"{'rose' if change > 0 else 'fell'}{late}", abs(change)
        values: dict[str, Value] = {
            "case": case,
            "steps": number(len(judged.steps)),
            "change": number(100 * change, Unit.PERCENT),
            "seconds": number(round(seconds, 1), Unit.SECONDS),
        }
        yield Warning(Code.STEP, cell.host, values)


def _stalls(cell: Cell, _: Run) -> Iterator[Warning]:
    if (judged := of_cell(cell)) and (stalls := judged.stalls):
        values: dict[str, Value] = {
            "case": "pauses",
            "stalls": number(stalls.count),
            "total": number(round(stalls.total_seconds, 1), Unit.SECONDS),
            "longest": number(round(stalls.longest_seconds, 1), Unit.SECONDS),
        }
        yield Warning(Code.STALLED, cell.host, values)


def _memory(cell: Cell, _: Run) -> Iterator[Warning]:
    if (judged := of_cell(cell)) and (growth := judged.growth):
        values: dict[str, Value] = {
            "rate": number(growth.bytes_per_second, Unit.BYTES_PER_SECOND),
            "each": number(growth.bytes_per_million_requests, Unit.BYTES),
        }
        yield Warning(Code.MEMORY_GROWS, cell.host, values)


DETECTORS: tuple[Detector, ...] = (_ramp, _drift, _steps, _stalls, _memory)
