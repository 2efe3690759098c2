"""A history as a page: what was found with a chart, the steps with what differs there, and a table of the runs."""

from __future__ import annotations

from benchrig.language import say, say_count
from benchrig.report.charts import past, past_rows
from benchrig.report.charts.past_words import metric_said
from benchrig.report.history import terminal
from benchrig.report.history.lookup import History
from benchrig.report.metrics import BY_NAME
from benchrig.report.page.frame import filled, style


def render(history: History) -> str:
    """Return a history as one HTML document, with a light and a dark colour scheme, for small and large screens."""
    metric = BY_NAME[history.metric]
    chart = next(past.draw(history), None)
    one = history.rows[0] if len(history.rows) == 1 else None
    if one:
        headings, rows = past.headings(metric), past.cells(one, metric)
        what = [say_count("{count} run of like conditions", "{count} runs of like conditions", len(one.points)), one.system]
    else:
        headings = past_rows.headings(metric)
        rows = tuple(past_rows.cells(row, metric) for row in history.rows)
        what = [say_count("{count} row", "{count} rows", len(history.rows))]
    return filled(
        "history.html.j2",
        style("compared.css"),
        title=say("History of {row}", row=one.row) if one else say("History of all rows of {suite}", suite=history.suite),
        what=[metric_said(metric), say("suite {suite}", suite=history.suite), *what],
        newest=history.newest_run,
        chart=chart,
        conditions=one.conditions if one else {},
        steps=[tuple(terminal.step_lines(step, metric)) for step in one.steps] if one else [],
        closing=tuple(terminal.closing(one, metric)) if one else (),
        headings=headings,
        rows=rows,
        word=headings.index(say("what was seen")) + 1,
    )
