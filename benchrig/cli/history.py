"""The task that shows rows over many runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.cli.arguments import parse_count
from benchrig.cli.chain import ChainContext
from benchrig.cli.charting import check_alone, check_folder, write_charts, write_file
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError

if TYPE_CHECKING:
    from benchrig.report.history import History

_FORMATS = ("html", "json", "table")


@command(
    help={
        "row": "one row of a suite, run by run; default: all rows of the newest run's suite, a line each",
        "metric": "a function of the language of claims, such as latency_p99; default: throughput",
        "suite": "the runs of this suite; default: that of the newest run",
        "last": "how many of the newest like runs to look at; default: 50",
        "json": "print the history as JSON",
        "output": "the file to write to instead, as its ending says: .html, .json or .txt",
        "charts": "the folder to write the chart to, as SVG and PNG",
    },
    words=("row",),
)
def history(
    ctx: ChainContext,
    row: str = "",
    metric: str = "throughput",
    suite: str = "",
    last: str = "",
    json: bool = False,
    output: str = "",
    charts: str = "",
) -> Iterator[None]:
    """Show rows over many runs: where they stepped, and why.

    Example: ./inv history go-2000 --metric latency_p99
    """
    from benchrig.drawing import signs_for
    from benchrig.report import history as past
    from benchrig.report import output as outputs
    from benchrig.report import width_of
    from benchrig.report.charts import past as drawing

    check_alone(output, json=json)
    target = outputs.by_ending(output, _FORMATS)
    check_folder(charts)
    of = past.metric_named(metric)
    count = parse_count("last", last)
    if count is not None and not 1 <= count <= past.MOST_LAST:
        raise InputError(f"--last takes 1 to {past.MOST_LAST:,} runs, not {count:,}")
    yield
    found = past.history(ROOT / "reports", of, suite, row, count or past.LAST)
    if json:
        console.document(_text(found, outputs.JSON))
    elif target.file:
        ctx.chain.failure = ctx.chain.failure or write_file(target.file, _text(found, target.format))
    else:
        console.result(past.render(found, signs_for(sys.stdout), width_of(sys.stdout)))
    if charts:
        # A document on standard output is that alone.
        write_charts(drawing.draw(found), charts, console.line if json else console.result)


def _text(found: History, format: str) -> str:
    """Return a history in the form of a file."""
    from benchrig.drawing import UNICODE
    from benchrig.report import history as past
    from benchrig.report.export.json import text_of
    from benchrig.report.page import past as page

    match format:
        case "html":
            return page.render(found)
        case "json":
            return text_of(past.document(found))
        case _:
            return past.render(found, UNICODE)
