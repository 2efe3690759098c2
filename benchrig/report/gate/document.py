"""`./inv gate --json`: a gate for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from benchrig.report.export.json import text_of
from benchrig.report.gate import words
from benchrig.report.gate.model import Gate, Judged, Judgement, Kind, Short, Worsening
from benchrig.report.verdict import Quantity, Reason


@dataclass(frozen=True, kw_only=True)
class ConditionRecord:
    """A condition and what became of it."""

    kind: Kind
    condition: str
    """The expression, or the metric of a row that is compared: `throughput(sanic)`."""
    server: str
    """The server whose rows were judged; empty in a run on one server."""
    judgement: Judgement
    reason: str
    """Why, in words, and what would decide it."""
    because: Reason | None
    """Of an expression: why, as values."""
    measured: tuple[Quantity, ...]
    """The figures of an expression."""
    worsening: Worsening | None
    """Of a metric against the reference: values, interval, and what the judgement rests on."""
    short: tuple[Short, ...]
    """The rows that keep it from passing, because repeats of them are missing."""


@dataclass(frozen=True, kw_only=True)
class GateRecord:
    """What `./inv gate --json` prints."""

    run: str
    """The run's folder name, or the name of the published figures."""
    title: str
    suite: str | None
    """Null of published figures."""
    commit: str
    """The git commit of the run; empty where it is not known."""
    against: str | None
    """What --fail-over compared with; null without it."""
    limit_percent: float | None
    """Of --fail-over; null without it."""
    judgement: Judgement
    failed: int
    """How many conditions failed."""
    not_decided: int
    passed: int
    skipped: int
    conditions: tuple[ConditionRecord, ...]
    notes: tuple[str, ...]
    """What to know of the run (B) and the reference (A), such as conditions that differ and may explain a difference."""


def record(gate: Gate) -> GateRecord:
    """Return the record of a gate."""
    return GateRecord(
        run=gate.name,
        title=gate.title,
        suite=gate.suite or None,
        commit=gate.commit,
        against=gate.reference or None,
        limit_percent=gate.limit_percent,
        judgement=gate.judgement,
        failed=len(gate.those(Judgement.FAILED)),
        not_decided=len(gate.those(Judgement.NOT_DECIDED)),
        passed=len(gate.those(Judgement.PASSED)),
        skipped=len(gate.those(Judgement.SKIPPED)),
        conditions=tuple(_condition(judged, gate) for judged in gate.conditions),
        notes=gate.notes,
    )


def render(gate: Gate) -> str:
    """Return a gate as JSON text."""
    return text_of(asdict(record(gate)))


def _condition(judged: Judged, gate: Gate) -> ConditionRecord:
    return ConditionRecord(
        kind=judged.kind,
        condition=judged.condition,
        server=judged.server,
        judgement=judged.judgement,
        reason=words.reason(judged, gate),
        because=judged.verdict.reason if judged.verdict else None,
        measured=judged.verdict.measured if judged.verdict else (),
        worsening=judged.worsening,
        short=judged.short,
    )
