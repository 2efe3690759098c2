"""The tasks that compare runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from benchrig import console
from benchrig.cli.arguments import RUN, check_run, parse_percent
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError


@command(
    help={
        "a": f"the reference: {RUN}",
        "b": "what to compare with A, named likewise",
        "more": "further ones, each compared with A",
        "noise": "differences up to this, such as 1%, are not called any",
        "json": "print the comparison as JSON",
        "markdown": "print it as Markdown, for a pull request",
    },
    words=("more",),
    iterable=["more"],
)
def compare(
    ctx: ChainContext,
    a: str,
    b: str,
    more: list[str] | None = None,
    noise: str = "",
    json: bool = False,
    markdown: bool = False,
) -> Iterator[None]:
    """Compare runs, or a run with published figures.

    Example: ./inv compare 20261130-170140 latest --noise 1%
    """
    from benchrig import report as reporting
    from benchrig.report.compare import lacking, record, terminal
    from benchrig.report.compare import markdown as as_markdown
    from benchrig.report.history import known_spreads
    from benchrig.results.store import LATEST

    names = [a, b, *(more or [])]
    if json and markdown:
        raise InputError("--json and --markdown are two forms of one output: leave one out")
    limit = parse_percent("noise", noise)
    for name in names:
        check_run(name, "")
    # A task before in the chain may make the latest run.
    _check_different([name for name in names if name != LATEST])
    yield
    _check_different(names)
    found = reporting.compare(
        [reporting.load(name, ROOT) for name in names],
        limit,
        lambda run, row: known_spreads(ROOT / "reports", run, row),
    )
    if json:
        console.document(record.render(found))
    elif markdown:
        console.result(as_markdown.render(found).rstrip("\n"))
    else:
        page = terminal.render(found, reporting.width_of(sys.stdout))
        console.result(page.text, page.spans)
    ctx.chain.failure = ctx.chain.failure or lacking.failure(found)


def _check_different(names: Sequence[str]) -> None:
    """Raise InputError where two names mean the same run."""
    from benchrig.report.load import find_folder

    seen: dict[str, str] = {}
    for name in names:
        folder = find_folder(name, ROOT)
        meant = name if folder is None else str(folder)
        if meant in seen:
            both = f"'{name}' is given twice" if seen[meant] == name else f"'{seen[meant]}' and '{name}' are the same run"
            raise InputError(f"{both}: name different runs", "./inv ab A A measures what a system differs by from itself.")
        seen[meant] = name
