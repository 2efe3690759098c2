"""`report.html`: the report as one file for a browser, complete without its script, and without anything to fetch."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from benchrig.console import printable
from benchrig.language import in_use, say
from benchrig.report import columns, describe
from benchrig.report.charts import charts, svg
from benchrig.report.document import Report
from benchrig.report.legend import legend
from benchrig.report.sentences import reason
from benchrig.report.spoken import spoken
from benchrig.report.table import Row
from benchrig.report.verdict import Word

if TYPE_CHECKING:
    from jinja2 import Template

_COLOURS: dict[Word, str] = {
    Word.REPRODUCED: "good",
    Word.CONTRADICTED: "bad",
    Word.INCONCLUSIVE: "doubtful",
    Word.NOT_TESTABLE: "untested",
}


def render(report: Report) -> str:
    """Return the report as one HTML document, for small and large screens, with a light and a dark colour scheme."""
    report = spoken(report)
    table = report.table
    grid = columns.grid(table, columns.of_files(table))
    text = _template().render(
        report=report,
        table=table,
        grid=grid,
        legend=legend(table),
        words=[column.words for column in grid.columns] + [True],
        rows=list(zip(grid.rows, map(_state, table.rows), strict=True)),
        colours=_COLOURS,
        charts=charts(report),
        describe=describe,
        reason=reason,
        language=in_use(),
        say=say,
        style=Markup(_style()),
        script=Markup(_file("page.js")),
    )
    return printable(text)


def _state(row: Row) -> str:
    """Return how a row is to be coloured; its warnings say the same in words."""
    return (
        "bad"
        if row.status == "failed"
        else "untested"
        if row.status == "not_possible"
        else "doubtful"
        if row.invalid
        else ""
    )


@cache
def _template() -> Template:
    # Only this file needs it: a table on the terminal and a comparison do without.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


@cache
def _style() -> str:
    return "\n".join([_file("page.css"), _file("table.css"), _file("claims.css"), svg.style()])


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
