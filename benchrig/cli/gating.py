"""The task that passes or fails a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchrig import console
from benchrig.cli.arguments import RUN, check_run, find_run, parse_percent
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command


@command(
    help={
        "run": f"{RUN}; default: the run just made, else the latest",
        "suite": "the latest run of this suite",
        "fail-if": "fail where this is shown to hold: 'latency_p99(sanic) > 200 ms'; may be given several times",
        "fail-over": "fail where a row's throughput or p99 is shown to be worse than --against by more than this: 5%",
        "against": "the reference of --fail-over: history (earlier runs of like conditions), a run, or published figures",
        "json": "print the result as JSON",
        "junit": "write JUnit XML to this file",
        "summary": "write Markdown to this file, for the comment of a pull request",
    },
    words=("run",),
    iterable=["fail_if"],
)
def gate(
    ctx: ChainContext,
    run: str = "",
    suite: str = "",
    fail_if: list[str] | None = None,
    fail_over: str = "",
    against: str = "",
    json: bool = False,
    junit: str = "",
    summary: str = "",
) -> Iterator[None]:
    """Pass or fail a run by limits, or against an earlier one.

    Example: ./inv gate latest --fail-if 'latency_p99(sanic) > 200 ms'
    """
    from benchrig import report as reporting
    from benchrig.report import gate as gating

    limit = parse_percent("fail-over", fail_over) if fail_over else None
    asked = gating.asked(fail_if or [], limit, against)
    outputs = gating.Outputs({"--junit": junit, "--summary": summary})
    outputs.check()
    check_run(run, suite)
    asked = asked.found(ROOT)
    if ctx.chain.planned and not run:
        asked.check_plan(ctx.chain.planned)
    yield
    found = gating.judge(find_run(ctx, run, suite), asked, ROOT)
    if json:
        console.document(gating.render_json(found))
    else:
        console.result(gating.render_terminal(found, reporting.width_of(sys.stdout)))
    unwritten = outputs.write(found)
    if unwritten and gating.failure(found):
        console.warn(str(unwritten))
    ctx.chain.failure = ctx.chain.failure or gating.failure(found) or unwritten
