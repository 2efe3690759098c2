"""A comparison as a page: what was compared, what was found with a chart, the conditions that differ, and the tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchrig.language import say, say_count
from benchrig.report import describe
from benchrig.report.charts import ratios
from benchrig.report.charts.chart import Chart
from benchrig.report.compare import texts
from benchrig.report.compare.texts import Block
from benchrig.report.compare.values import Change, Comparison, Pairing
from benchrig.report.conditions import Condition
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.page.frame import filled, style
from benchrig.report.table import Table
from benchrig.report.verdict import Answer
from benchrig.units import share

_CLASSES = {Answer.BETTER: "good", Answer.WORSE: "bad"}


@dataclass(frozen=True)
class Side:
    """One of the tables, with its letter."""

    letter: str
    name: str
    label: str
    """What the user calls the run; empty where it has no label."""
    began: str
    """Day and time; empty of published figures."""
    machines: tuple[str, ...]
    lines: tuple[str, ...]
    """All that is said above its report."""


@dataclass(frozen=True)
class Line:
    """A line of a table: its cells, and the class of its verdict."""

    cells: tuple[str, ...]
    state: str = ""


@dataclass(frozen=True)
class Values:
    """The table of a metric."""

    title: str
    lines: tuple[Line, ...]
    """None where every value is 0."""


@dataclass(frozen=True)
class Part:
    """A compared with one other table."""

    letter: str
    finding: str
    others: str
    """How many differences of other metrics than throughput were shown; empty of none."""
    is_shown: bool
    """A difference was shown."""
    lead: Chart | None
    rest: tuple[Chart, ...]
    notes: tuple[str, ...]
    conditions: tuple[Condition, ...]
    headings: tuple[str, ...]
    tables: tuple[Values, ...]
    lacking: tuple[str, ...]
    closing: tuple[str, ...]


def render(comparison: Comparison) -> str:
    """Return a comparison as one HTML document, with a light and a dark colour scheme, for small and large screens."""
    drawn = tuple(ratios.draw(comparison))
    parts = tuple(_part(one, drawn, comparison.noise) for one in comparison.pairings)
    return filled("comparison.html.j2", style("compared.css"), sides=tuple(_sides(comparison)), parts=parts)


def _sides(comparison: Comparison) -> Iterator[Side]:
    first = comparison.pairings[0].a
    for letter, table in (("A", first), *((one.side, one.b) for one in comparison.pairings)):
        yield _side(letter, table)


def _side(letter: str, table: Table) -> Side:
    run = table.run
    return Side(
        letter,
        table.name,
        table.label,
        run.started_at.replace("T", " ").replace("Z", " UTC") if run else "",
        tuple(map(describe.machine_line, run.machines)) if run else (),
        describe.heading_lines(table),
    )


def _part(pairing: Pairing, drawn: tuple[Chart, ...], noise: float) -> Part:
    mine = tuple(chart for chart in drawn if chart.key.startswith(f"ratios-{pairing.side}-"))
    lead = next((chart for chart in mine if not chart.folded), None)
    return Part(
        letter=pairing.side,
        finding=ratios.finding(pairing.side, [one for one in pairing.changes if one.metric is THROUGHPUT]),
        others=_others(pairing),
        is_shown=any(change.is_found for change in pairing.changes),
        lead=lead,
        rest=tuple(chart for chart in mine if chart is not lead),
        notes=tuple(texts.notes(pairing)),
        conditions=pairing.conditions,
        headings=(
            say("row"),
            say("change"),
            say("verdict"),
            "A",
            pairing.side,
            say("95 % interval"),
            say("p, adjusted"),
            say("repeats"),
        ),
        tables=tuple(map(_values, texts.blocks(pairing))),
        lacking=(*texts.not_judged(pairing), *texts.only(pairing)),
        closing=tuple(_method() if line == texts.METHOD else line for line in texts.closing(pairing, noise)),
    )


def _others(pairing: Pairing) -> str:
    """Return how many differences of other metrics than throughput were shown; empty of none."""
    found = sum(change.is_found for change in pairing.changes if change.metric is not THROUGHPUT)
    said = say_count(
        "{count} difference of another metric is shown.", "{count} differences of other metrics are shown.", found
    )
    return said if found else ""


def _values(block: Block) -> Values:
    if block.is_nothing:
        return Values(say("{metric}: 0 in every row", metric=block.metric.label), ())
    lines = [Line(_cells(texts.cells(one), _verdict(one)), _CLASSES.get(one.verdict, "")) for one in block.changes]
    if block.mean:
        lines.append(Line(_cells(texts.mean_cells(block.mean), ""), "mean"))
    return Values(block.title, tuple(lines))


def _cells(found: tuple[str, ...], verdict: str) -> tuple[str, ...]:
    """Return the cells of a line with what matters most first: a phone shows no more without scrolling."""
    row, a, b, change, *rest = found
    return (row, change, verdict, a, b, *rest)


def _verdict(change: Change) -> str:
    said = ratios.with_cause(change)
    if not (change.excluded and math.isfinite(change.excluded)):
        return said
    return say("{verdict}, above {limit} excluded", verdict=said, limit=share(change.excluded))


def _method() -> str:
    return say(
        "± and changes: 95 % intervals. p: Welch's t-test on logarithms with outliers held, of counts and zeros "
        "Mann–Whitney, adjusted for the number of rows of one metric (Holm)."
    )
