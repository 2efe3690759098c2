"""`report.json`: the whole report for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from benchrig.console import CONTROLS
from benchrig.language import ENGLISH, use
from benchrig.report.document import Report
from benchrig.report.export.record import record
from benchrig.report.latencies import latencies_of
from benchrig.report.sentences import reason
from benchrig.report.verdict import Verdict

_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in CONTROLS if chr(code) != "\n"}
"""JSON itself escapes only the first 32 characters; between values it has line breaks."""


@use(ENGLISH)
def render(report: Report) -> str:
    """Return the report as JSON text: `run`, `machines`, `label`, `incomplete`, `not_run`, `published`, `rows` and `claims`.

    Its sentences are English. `run` is null for a published set. `published` is the source of the published figures, with
    their `name`. `samples` of a row has each metric's value in every repeat, beside their median, range and 95 % interval.
    `replies` has how many there were by status and by route, `latencies` those of all repeats together.
    """
    table = report.table
    run = plain(table.run) if table.run else None
    machines = run.pop("machines") if run else []
    rows = [
        {
            **plain(record(row)),
            "samples": {name: plain(sample) for name, sample in row.figures.items()},
            "versions": dict(row.versions),
            "command": row.command,
            "replies": plain(row.replies) if row.replies else None,
            "latencies": plain(latencies) if (latencies := latencies_of(row.histograms)) else None,
            "raw": row.raw,
        }
        for row in table.rows
    ]
    document = {
        "run": run,
        "machines": machines,
        "label": table.label,
        "incomplete": table.incomplete,
        "not_run": table.not_run,
        "published": {"name": table.source.name, **plain(table.source.source)} if table.source else None,
        "rows": rows,
        "claims": [claim_of(verdict) for verdict in report.verdicts],
    }
    return text_of(document)


def plain(value: Any) -> Any:
    """Return a value of dataclasses as dicts and lists: `dataclasses.asdict` without a copy of each number and text."""
    kind = type(value)
    if kind in (float, int, str, bool, type(None)):
        return value
    if is_dataclass(kind):
        return {name: plain(getattr(value, name)) for name in _fields(kind)}
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (tuple, list)) else value


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def text_of(document: object) -> str:
    """Return a document of plain values as JSON text, with its end of line. Raises ValueError for a number that is none."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=_value).translate(_ESCAPES) + "\n"


def claim_of(verdict: Verdict) -> dict[str, object]:
    """Return a verdict with its reason in words; `because` has the reason's values."""
    return {**plain(verdict), "reason": reason(verdict), "because": plain(verdict.reason)}


def _value(found: object) -> object:
    """Return what stands for an object that JSON does not know: an enum's value."""
    if isinstance(found, Enum):
        return found.value
    raise TypeError(f"not a value of a report: {found!r}")
