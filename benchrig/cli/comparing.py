"""The tasks that compare runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.cli.arguments import RUN, check_run, parse_percent
from benchrig.cli.chain import ChainContext
from benchrig.cli.charting import check_alone, check_folder, write_charts, write_file
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError

if TYPE_CHECKING:
    from benchrig.report.compare.values import Comparison

_FORMATS = ("html", "markdown", "json", "table")


@command(
    help={
        "a": f"the reference: {RUN}",
        "b": "what to compare with A, named likewise",
        "more": "further ones, each compared with A",
        "noise": "differences up to this, such as 1%, are not called any",
        "json": "print the comparison as JSON",
        "markdown": "print it as Markdown, for a pull request",
        "output": "the file to write to instead, as its ending says: .html, .md, .json or .txt",
        "charts": "the folder to write all charts to, as SVG and PNG",
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
    output: str = "",
    charts: str = "",
) -> Iterator[None]:
    """Compare runs, or a run with published figures.

    Example: ./inv compare 20261130-170140 latest --noise 1%
    """
    from benchrig import report as reporting
    from benchrig.report import output as outputs
    from benchrig.report.charts import ratios
    from benchrig.report.compare import lacking, record, terminal
    from benchrig.report.history import known_spreads
    from benchrig.results.store import LATEST

    names = [a, b, *(more or [])]
    check_alone(output, json=json, markdown=markdown)
    target = outputs.by_ending(output, _FORMATS)
    check_folder(charts)
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
    failure = None
    if json:
        console.document(record.render(found))
    elif markdown:
        console.result(_text(found, outputs.MARKDOWN).rstrip("\n"))
    elif target.file:
        failure = write_file(target.file, _text(found, target.format))
    else:
        page = terminal.render(found, reporting.width_of(sys.stdout))
        console.result(page.text, page.spans)
    if charts:
        # A document on standard output is that alone.
        write_charts(ratios.draw(found), charts, console.line if json or markdown else console.result)
    ctx.chain.failure = ctx.chain.failure or failure or lacking.failure(found)


def _text(found: Comparison, format: str) -> str:
    """Return a comparison in the form of a file."""
    from benchrig.report.compare import markdown, record, terminal
    from benchrig.report.page import comparison

    match format:
        case "html":
            return comparison.render(found)
        case "markdown":
            return markdown.render(found)
        case "json":
            return record.render(found)
        case _:
            return terminal.render(found).text


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
