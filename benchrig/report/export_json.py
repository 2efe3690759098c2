"""`report.json`: the whole table for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from benchrig.report.record import record
from benchrig.report.table import Table


def render(table: Table) -> str:
    """Return the table as JSON text: `run`, `machines`, `incomplete`, `not_run`, `published` and `rows`."""
    run = asdict(table.run)
    machines = run.pop("machines")
    rows = [
        {**asdict(record(row)), "versions": dict(row.versions), "command": row.command, "raw": row.raw} for row in table.rows
    ]
    document = {
        "run": run,
        "machines": machines,
        "incomplete": table.incomplete,
        "not_run": table.not_run,
        "published": asdict(table.published.source) if table.published else None,
        "rows": rows,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
