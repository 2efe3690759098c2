"""Makes the summary of a report."""

from __future__ import annotations

from datetime import datetime

from benchrig.report.document import Report
from benchrig.report.published import Published
from benchrig.report.summary.leading import findings
from benchrig.report.summary.spoiling import spoilers
from benchrig.report.summary.values import Summary, What
from benchrig.report.table import Table


def summary(report: Report) -> Summary:
    """Return what was measured, when and where, who is first and whether that is shown, and what spoils the figures."""
    table, run = report.table, report.table.run
    found, groups = findings(table)
    return Summary(
        what=_what(table),
        started_at=run.started_at if run else "",
        took_seconds=_took(run.started_at, run.finished_at) if run and not run.parts else None,
        machines=run.machines if run else (),
        published_machine=table.origin.source.machine if isinstance(table.origin, Published) else "",
        findings=found,
        groups=groups,
        spoilers=spoilers(table),
    )


def _what(table: Table) -> What:
    run = table.run
    measured = [row for row in table.rows if row.status == "measured"]
    repeats = [row.repeats for row in measured] or [0]
    return What(
        title=table.title,
        name=table.name,
        suite=run.suite if run else "",
        profile=run.profile if run else "",
        rows=len(table.rows) + len(table.not_run),
        measured=len(measured),
        repeats=(min(repeats), max(repeats)),
        seconds=table.origin.source.duration_seconds
        if isinstance(table.origin, Published)
        else table.origin.settings.duration_seconds,
    )


def moment(text: str) -> datetime | None:
    """Return a time that a record has; None of one that is empty or damaged."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _took(started: str, finished: str) -> float | None:
    one, other = moment(started), moment(finished)
    try:
        seconds = (other - one).total_seconds() if one and other else -1.0
    except TypeError:
        # One of them has no time zone, as a record that was edited may.
        return None
    return seconds if seconds > 0 else None
