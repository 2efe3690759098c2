"""The task that shows a run as a table, and writes its reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchrig import console
from benchrig.cli.arguments import RUN, check_run, find_run
from benchrig.cli.chain import ChainContext
from benchrig.cli.charting import check_folder, write_charts
from benchrig.cli.task import ROOT, command
from benchrig.errors import BenchrigError, unknown


@command(
    help={
        "run": f"{RUN}; default: the run just made, else the latest",
        "suite": "the latest run of this suite",
        "lang": "en (default) or zh, the language of the article's headings",
        "charts": "the folder to write all charts to, as SVG and PNG",
    },
    words=("run",),
)
def report(ctx: ChainContext, run: str = "", suite: str = "", lang: str = "en", charts: str = "") -> Iterator[None]:
    """Print a run's table; write Markdown, HTML, CSV and JSON.

    Example: ./inv report --suite web-frameworks --lang zh
    """
    from benchrig import language
    from benchrig import report as reporting

    check_run(run, suite)
    if lang != "en" and lang not in (known := reporting.languages(ROOT)):
        raise unknown("language", lang, known)
    check_folder(charts)
    yield
    name = find_run(ctx, run, suite)
    try:
        table = reporting.write_reports(name, ROOT)
    except OSError as error:
        # The records can be read all the same, as in someone else's folder.
        table = reporting.load(name, ROOT)
        ctx.chain.failure = ctx.chain.failure or BenchrigError(f"{error.filename}: cannot be written: {error.strerror}")
    console.result(reporting.render_terminal(table, lang, reporting.width_of(sys.stdout)))
    if charts:
        with language.use(lang):
            write_charts(table, charts)
