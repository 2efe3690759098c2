"""`report.html`: the report as one file for a browser, complete without its script, and without anything to fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from markupsafe import Markup

from benchrig.language import say
from benchrig.report import columns, describe
from benchrig.report.charts import charts
from benchrig.report.document import Report
from benchrig.report.footnotes import Footnote
from benchrig.report.legend import legend
from benchrig.report.page import claims, environment, figures
from benchrig.report.page.frame import file, filled, style
from benchrig.report.sentences import title
from benchrig.report.spoken import spoken
from benchrig.report.summary import Kind, Spoiler, summary, words

MOST_ROWS = 2_000
"""So many rows are in the page's table: a browser takes minutes to show five times as many."""

MOST_SPOILERS = 6
"""So many things that spoil figures are named on the first screen."""


def render(report: Report, folder: str | None = "") -> str:
    """Return the report as one HTML document, for small and large screens, with a light and a dark colour scheme.

    `folder` is the path from the page to the run's folder, for its links: empty where the page is in it, None where there is
    none, as of a published set.
    """
    report = spoken(report)
    table, found = report.table, summary(report)
    grid = columns.grid(table, columns.of_files(table, report.columns), own=False)
    kinds = charts(report)
    drawn = tuple(chain.from_iterable(kinds.values()))
    some = replace(table, rows=table.rows[:MOST_ROWS])
    shown = figures.made(some, replace(grid, rows=grid.rows[:MOST_ROWS]), folder, bool(report.columns))
    return filled(
        "page.html.j2",
        Markup(style("claims.css")) + shown.style,
        report=report,
        table=table,
        grid=grid,
        summary=found,
        told=words,
        day=words.day(found),
        legend=legend(table),
        figures=shown,
        claims=claims.section(report),
        environment=environment.environment(table.run),
        database=environment.database(table.run),
        lead=drawn[0] if drawn else None,
        rest=drawn[1:],
        folded={_named(kind): folded for kind, of in kinds.items() if (folded := [one for one in of if one.folded])},
        footnote_of=_footnote_of(grid.footnotes),
        most_spoilers=MOST_SPOILERS,
        most_names=words.MOST_NAMES,
        most_rows=MOST_ROWS,
        describe=describe,
        script=Markup(file("page.js")),
    )


def _named(kind: str) -> str:
    """Return what the folded charts of a kind are called together."""
    return say("Each row over time: throughput, CPU and memory") if kind == "courses" else say("More charts")


def _footnote_of(footnotes: tuple[Footnote, ...]) -> Callable[[Spoiler], int | None]:
    """Return what finds the number of the footnote about a spoiler; None where there is none."""
    numbers = {footnote.kind: number for number, footnote in enumerate(footnotes, 1)}
    named = {Kind.FAILED: "failed", Kind.NOT_POSSIBLE: "not possible"}
    return lambda spoiler: numbers.get(title(spoiler.code) if spoiler.code else named.get(spoiler.kind, ""))
