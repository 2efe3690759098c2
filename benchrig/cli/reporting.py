"""The task that shows a run as a table, and writes its reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.cli.arguments import RUN, check_run, find_run, parse_names
from benchrig.cli.chain import ChainContext
from benchrig.cli.charting import check_folder, write_charts, write_file
from benchrig.cli.task import ROOT, command
from benchrig.errors import BenchrigError

if TYPE_CHECKING:
    from benchrig.report import Report
    from benchrig.report.output import Output


@command(
    help={
        "run": f"{RUN}; default: the run just made, else the latest",
        "suite": "the latest run of this suite",
        "lang": "the language of the report: en (default) or zh",
        "sort": "a column, such as latency_p99, lowest first; with :desc behind it, highest first",
        "columns": "which ones, comma-separated, such as system,throughput,p99; all: every one with a value",
        "filter": "which rows: patterns as of bench, valid, failed, or conditions such as 'latency_p99 < 200 ms'",
        "format": "table (default), markdown, csv, json, html or junit",
        "output": "the file to write to, in the format of its ending; - is standard output (default)",
        "charts": "the folder to write all charts to, as SVG and PNG",
    },
    words=("run",),
)
def report(
    ctx: ChainContext,
    run: str = "",
    suite: str = "",
    lang: str = "en",
    sort: str = "",
    columns: str = "",
    filter: str = "",
    format: str = "",
    output: str = "",
    charts: str = "",
) -> Iterator[None]:
    """Print a run's table; write Markdown, HTML, CSV and JSON.

    Example: ./inv report latest --sort latency_p99 --filter valid
    """
    from benchrig import language
    from benchrig import report as reporting
    from benchrig.report import output as outputs
    from benchrig.report import selection
    from benchrig.report.charts import charts as drawn

    check_run(run, suite)
    language.check(lang)
    chosen = selection.parse(sort, parse_names(columns), filter)
    target = outputs.parse(format, output, columns=bool(columns))
    check_folder(charts)
    yield
    name = find_run(ctx, run, suite)
    with language.use(lang):
        try:
            # Who asks for a file, a form or charts wants that alone: the run's own files stay in the language they have.
            alone = bool(target.file or charts) or target.format != outputs.TABLE
            found = reporting.write_reports(name, ROOT, keep=alone)
        except OSError as error:
            # The records can be read all the same, as in someone else's folder.
            found = reporting.load(name, ROOT)
            ctx.chain.failure = ctx.chain.failure or BenchrigError(f"{error.filename}: cannot be written: {error.strerror}")
        shown = selection.select(found, chosen)
        failure = _show(shown, target)
        if charts:
            # A document on standard output is that alone.
            of_table = target.file or target.format == outputs.TABLE
            found_charts = chain.from_iterable(drawn(shown).values())
            write_charts(found_charts, charts, console.result if of_table else console.line)
    ctx.chain.failure = ctx.chain.failure or failure


def _show(report: Report, target: Output) -> BenchrigError | None:
    """Print a report, or write it to the file that the user named. Return why it could not be written."""
    from benchrig.drawing import signs_for
    from benchrig.report import describe, width_of
    from benchrig.report import output as outputs
    from benchrig.report.terminal import page

    if report.table.left_out and (target.file or target.format not in outputs.SAYS_WHAT_IS_SHOWN):
        console.line(describe.shown_line(report.table))
    if target.file:
        return write_file(target.file, outputs.text(report, target))
    if target.format == outputs.TABLE:
        made = page(report, width_of(sys.stdout), signs_for(sys.stdout))
        console.result(made.text, made.spans)
    else:
        (console.document if target.format == "json" else console.result)(outputs.text(report, target))
    return None
