"""The tasks that compare runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchrig import console
from benchrig.cli.arguments import RUN, check_run
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command


@command(help={"a": f"the reference: {RUN}", "b": "what to compare with A, named likewise"})
def compare(ctx: ChainContext, a: str, b: str) -> Iterator[None]:
    """Compare two runs, or a run with published figures.

    Example: ./inv compare web-frameworks latest
    """
    from benchrig import report as reporting

    for name in (a, b):
        check_run(name, "")
    yield
    both = reporting.compare(reporting.load(a, ROOT), reporting.load(b, ROOT))
    console.result(reporting.render_comparison(both, reporting.width_of(sys.stdout)))
