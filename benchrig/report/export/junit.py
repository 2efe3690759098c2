"""A report as JUnit XML: one test case for each row, with its figures as properties."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.language import ENGLISH, use
from benchrig.report import junit
from benchrig.report.document import Report
from benchrig.report.metrics import METRICS
from benchrig.report.sentences import sentence
from benchrig.report.table import Row


@use(ENGLISH)
def render(report: Report) -> str:
    """Return the report as XML, in English. A row that failed or is invalid is a failure, one that was not tried skipped."""
    table = report.table
    suite = table.run.suite if table.run else table.name
    cases = [_case(row) for row in table.rows]
    not_run = [junit.Case(name, "skipped", "the run ended before it measured this row") for name in table.not_run]
    return junit.render("benchrig report", table.name, suite, [*cases, *not_run])


def _case(row: Row) -> junit.Case:
    properties = dict(_properties(row))
    said = " ".join(map(sentence, row.warnings))
    match row.status:
        case "not_possible":
            return junit.Case(row.label, "skipped", row.reason, properties=properties)
        case "failed":
            return junit.Case(row.label, "failure", row.reason, "failed", properties)
    if row.invalid:
        reasons = " ".join(sentence(warning) for warning in row.warnings if warning.invalid)
        return junit.Case(row.label, "failure", reasons, "invalid", properties)
    return junit.Case(row.label, "passed", said, properties=properties)


def _properties(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what was measured of a row, unrounded, by the names that the figures have in CSV."""
    yield "system", row.system
    yield "connections", str(row.connections)
    yield "repeats", str(row.repeats)
    for metric in METRICS:
        if (value := row.value(metric)) is not None:
            yield metric.name, str(value)
