"""The task that shows rows over many runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchrig import console
from benchrig.cli.arguments import parse_count
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError


@command(
    help={
        "row": "one row of a suite, run by run; default: all rows of the newest run's suite, a line each",
        "metric": "a function of the language of claims, such as latency_p99; default: throughput",
        "suite": "the runs of this suite; default: that of the newest run",
        "last": "how many of the newest like runs to look at; default: 50",
        "json": "print the history as JSON",
    },
    words=("row",),
)
def history(
    ctx: ChainContext, row: str = "", metric: str = "throughput", suite: str = "", last: str = "", json: bool = False
) -> Iterator[None]:
    """Show rows over many runs: where they stepped, and why.

    Example: ./inv history go-2000 --metric latency_p99
    """
    from benchrig.report import history as past
    from benchrig.report import width_of
    from benchrig.report.drawing import signs_for
    from benchrig.report.export.json import text_of

    of = past.metric_named(metric)
    count = parse_count("last", last)
    if count is not None and not 1 <= count <= past.MOST_LAST:
        raise InputError(f"--last takes 1 to {past.MOST_LAST:,} runs, not {count:,}")
    yield
    found = past.history(ROOT / "reports", of, suite, row, count or past.LAST)
    if json:
        console.document(text_of(past.document(found)))
    else:
        console.result(past.render(found, signs_for(sys.stdout), width_of(sys.stdout)))
