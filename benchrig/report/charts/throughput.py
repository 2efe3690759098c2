"""Throughput of each row: every repeat as a dot, the interval, the published figure and the ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from markupsafe import Markup

from benchrig.language import say
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import Chart, drawn
from benchrig.report.charts.frame import MOST_ROWS, Rows, Sign, legend, more_rows, rows
from benchrig.report.charts.scales import Scale, spanning, with_ends
from benchrig.report.document import Report
from benchrig.report.figures import Sample
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.summary import summary
from benchrig.report.summary.words import about_group, headline
from benchrig.report.table import Row
from benchrig.units import COUNT, NOTHING


def draw(report: Report) -> Iterator[Chart]:
    """Yield the chart of the throughput of the table's rows, in its order; none where no row has one."""
    shown = report.table.rows[:MOST_ROWS]
    if not any(map(_sample, shown)):
        return
    wide, narrow = drawn(partial(_drawing, shown))
    yield Chart(
        key="throughput",
        title=_title(report),
        about=_about(shown),
        guide=_guide(shown),
        wide=wide,
        narrow=narrow,
        headings=_headings(),
        rows=tuple(map(_values, shown)),
        more=more_rows(len(report.table.rows)),
    )


def _title(report: Report) -> str:
    """Return who is first and whether that is shown: of the largest group of rows, where there are several."""
    found = summary(report)
    finding = found.findings[0]
    group = about_group(found, finding) if finding.first else ""
    return ": ".join(filter(None, (group, headline(finding))))


def state(row: Row) -> str:
    """Return what a row is beside its figures: invalid, failed or not possible; empty of a sound one."""
    match row.status:
        case "failed":
            return say("failed")
        case "not_possible":
            return say("not possible")
        case _:
            return say("invalid") if row.invalid else ""


def _sample(row: Row) -> Sample | None:
    return row.figures.get(THROUGHPUT.name)


def _published(row: Row) -> float | None:
    """Return the published figure of a row that was measured: beside no mark, a tick would be taken for the row's own."""
    return row.published.figures.get(THROUGHPUT.name) if row.published and _sample(row) else None


def _about(shown: Sequence[Row]) -> str:
    said = [f"{row.label}: {_figure(row)}" for row in shown]
    return say("Throughput in requests/s, a line for each row: {rows}.", rows=say("; ").join(said))


def _guide(shown: Sequence[Row]) -> str:
    said = [say("Each line is a row of the table, in its order; further right is faster.")]
    if any(row.rank for row in shown):
        said.append(say("Where two bars overlap, the ranks in the table say whether the repeats tell the rows apart."))
    if _scale(shown)(0.0, 1.0).is_log:
        said.append(say("On a log scale, equal distances are equal ratios; a 0 is at the left edge."))
    return " ".join(said)


def _headings() -> tuple[str, ...]:
    unit = THROUGHPUT.unit.said
    return (
        say("row"),
        say("median, {unit}", unit=unit),
        say("95 % interval from, {unit}", unit=unit),
        say("to, {unit}", unit=unit),
        say("repeats, {unit}", unit=unit),
        say("published, {unit}", unit=unit),
        say("ceiling, {unit}", unit=unit),
        say("state"),
    )


def _values(row: Row) -> tuple[str, ...]:
    sample, write = _sample(row), THROUGHPUT.unit.exact
    interval = sample.interval if sample else None
    return (
        row.label,
        row.text(THROUGHPUT),
        *((write(interval.low), write(interval.high)) if interval else (NOTHING, NOTHING)),
        "; ".join(map(write, sample.values)) if sample else NOTHING,
        write(_published(row)),
        write(row.ceiling),
        state(row),
    )


def _figure(row: Row) -> str:
    """Return what stands at the right of a row: its figure, and its state in a word."""
    return " ".join(filter(None, (row.text(THROUGHPUT) if _sample(row) else "", state(row))))


def _scale(shown: Sequence[Row]) -> partial[Scale]:
    """Return what makes the scale over all that is drawn. A ceiling counts, but does not make a scale logarithmic."""
    values = [value for row in shown if (sample := _sample(row)) for value in sample.values]
    values += [value for row in shown if (value := _published(row)) is not None]
    ends = [end for row in shown if (sample := _sample(row)) and (of := sample.interval) for end in (of.low, of.high)]
    ceilings = [row.ceiling for row in shown if row.ceiling and _sample(row)]
    return partial(spanning, with_ends([*values, *ceilings], ends))


def _drawing(shown: Sequence[Row], width: int) -> Markup:
    figures, labels = [_figure(row) for row in shown], [row.label for row in shown]
    repeated = any(row.repeats > 1 for row in shown)
    heading = say("median") if repeated else THROUGHPUT.label
    frame = rows(labels, figures, (), width, THROUGHPUT.unit.said, heading, span=_scale(shown))
    parts = [*frame.parts(), *_ceilings(shown, frame)]
    for number, row in enumerate(shown):
        parts += _marks(row, frame, number)
    signs, end = legend(_signs(shown), width, frame.end)
    return svg.drawing([*parts, *signs], width, end + 2)


def _ceilings(shown: Sequence[Row], frame: Rows) -> Iterator[Markup]:
    """Yield a line for each ceiling, over the rows below each other that share it."""
    for ceiling, found in groupby(range(len(shown)), key=lambda number: shown[number].ceiling):
        numbers = list(found)
        if ceiling and any(_sample(shown[number]) for number in numbers):
            yield from frame.over(ceiling, numbers[0], numbers[-1], "ceiling")


def _marks(row: Row, frame: Rows, number: int) -> list[Markup]:
    y, sample, published = frame.y(number), _sample(row), _published(row)
    parts: list[Markup] = []
    doubt = "invalid" if row.invalid else ""
    if sample and len(sample.values) > 1:
        parts += marks.dots([frame.x(value) for value in sample.values], y, doubt)
    if sample and sample.interval:
        ends = sample.interval.low, sample.interval.high
        parts += frame.interval(number, *ends, doubt, assumed=sample.interval.assumed)
    if published is not None:
        parts.append(marks.published(frame.x(published), y))
    if sample:
        parts.append(marks.value(frame.x(sample.value), y, doubt))
    return parts


def _ceiling_said(samples: Sequence[tuple[Row, Sample]]) -> str:
    """Return what the line of a ceiling means, with its value where all rows have the same one."""
    ceilings = {row.ceiling for row, _ in samples if row.ceiling}
    if len(ceilings) != 1:
        return say("ceiling: connections / sleep")
    return say("ceiling of {value}: connections / sleep", value=COUNT.text(ceilings.pop()))


def _signs(shown: Sequence[Row]) -> list[Sign]:
    """Return the legend of those signs that the drawing has."""
    samples = [(row, sample) for row in shown if (sample := _sample(row))]
    intervals = [sample.interval for _, sample in samples if sample.interval]
    repeated = any(len(sample.values) > 1 for _, sample in samples)
    doubt = "invalid" if all(row.invalid for row, _ in samples) else ""
    value = say("median") if repeated else say("the one value")
    known = [
        (repeated, Sign(lambda x, y: marks.dots([x - 6, x, x + 6], y, doubt), say("a repeat"))),
        (not doubt, Sign(lambda x, y: [marks.value(x, y)], value)),
        (
            any(not one.assumed for one in intervals),
            Sign(lambda x, y: marks.interval(x - 11, x + 11, y, doubt), say("95 % interval")),
        ),
        (
            any(one.assumed for one in intervals),
            Sign(
                lambda x, y: marks.interval(x - 11, x + 11, y, doubt, assumed=True), say("95 % interval, from few repeats")
            ),
        ),
        (
            any(_published(row) is not None for row in shown),
            Sign(lambda x, y: [marks.published(x, y)], say("published figure")),
        ),
        (
            any(row.ceiling for row, _ in samples),
            Sign(lambda x, y: [svg.line(x, y - 9, x, y + 9, "ceiling")], _ceiling_said(samples)),
        ),
        (
            any(row.invalid for row, _ in samples),
            Sign(lambda x, y: [marks.value(x, y, "invalid")], say("{value}, invalid", value=value)),
        ),
    ]
    return [sign for there, sign in known if there]
