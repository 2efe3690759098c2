"""The ratios of a comparison, B over A: a line for each row with its 95 % interval, around a line at 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from benchrig import units
from benchrig.language import say, say_count, say_data
from benchrig.report import sentences
from benchrig.report.charts import marks, svg
from benchrig.report.charts.chart import WIDE, Chart, drawn
from benchrig.report.charts.frame import MOST_ROWS, Rows, Sign, legend, more_rows, rows
from benchrig.report.charts.scales import Log, Scale, with_ends
from benchrig.report.compare import texts
from benchrig.report.compare.texts import Block
from benchrig.report.compare.values import Change, Comparison, MetricMean, Pairing
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.verdict import Answer
from benchrig.units import NOTHING

_LEAST = 1.02
"""The scale reaches this ratio at least, and its inverse."""

_UNKNOWN = (Answer.NOT_KNOWN, Answer.NOT_COMPARABLE)

_CLASSES = {Answer.BETTER: "good", Answer.WORSE: "bad", Answer.NO_DIFFERENCE: ""}
"""Of marks; those of what is not known are hollow."""


@dataclass(frozen=True)
class _Lines:
    """What one drawing shows: the changes of a metric, and their geometric mean."""

    side: str
    changes: Sequence[Change]
    mean: MetricMean | None
    noise: float

    @property
    def labels(self) -> list[str]:
        """The name of each line."""
        last = [_mean_label(self.mean)] if self.mean else []
        return [*(change.row for change in self.changes), *last]


def draw(comparison: Comparison) -> Iterator[Chart]:
    """Yield a chart for each pairing and metric that has a ratio: throughput first, the others folded."""
    for pairing in comparison.pairings:
        for block in texts.blocks(pairing):
            if any(change.ratio is not None for change in block.changes):
                yield _chart(pairing, block, comparison.noise)


def _chart(pairing: Pairing, block: Block, noise: float) -> Chart:
    shown = _Lines(pairing.side, block.changes[:MOST_ROWS], block.mean, noise)
    wide, narrow = drawn(partial(_drawing, shown))
    return Chart(
        key=f"ratios-{pairing.side}-{block.metric.claimed}",
        title=_title(pairing.side, block),
        about=_about(shown, block),
        guide=_guide(shown, block),
        wide=wide,
        narrow=narrow,
        headings=_headings(pairing.side, block),
        rows=tuple(_values(shown)),
        more=more_rows(len(block.changes)),
        folded=block.metric is not THROUGHPUT,
    )


def word(change: Change) -> str:
    """Return the verdict on a change in words: `faster`, of other metrics than throughput `better`, `not known`."""
    if change.metric is THROUGHPUT:
        return sentences.answer(change.outcome)
    match change.verdict:
        case Answer.BETTER:
            return say("better")
        case Answer.WORSE:
            return say("worse")
        case other:
            return say_data(other.value)


def finding(side: str, changes: Sequence[Change]) -> str:
    """Return how many rows differ in a metric, and of how many nothing is shown, as a sentence without its full stop."""
    if len(changes) == 1:
        return _of_one(side, changes[0])
    rate = changes[0].metric is THROUGHPUT
    worse, better, same = (
        sum(one.verdict is answer for one in changes) for answer in (Answer.WORSE, Answer.BETTER, Answer.NO_DIFFERENCE)
    )
    unknown = len(changes) - worse - better - same
    every = f"{len(changes):,}"
    if same == len(changes):
        return say("no difference is shown in any of the {count} rows", count=every)
    if unknown == len(changes):
        return say("it is not known of any of the {count} rows whether they differ", count=every)
    if rate:
        slower = say_count("{count} is slower", "{count} are slower", worse)
        faster = say_count("{count} is faster", "{count} are faster", better)
    else:
        slower = say_count("{count} is worse", "{count} are worse", worse)
        faster = say_count("{count} is better", "{count} are better", better)
    none = say_count("no difference is shown in {count}", "no difference is shown in {count}", same)
    said = [slower, faster, none, say_count("{count} is not known", "{count} are not known", unknown)]
    there = [one for one, count in zip(said, (worse, better, same, unknown), strict=True) if count]
    return say("of {count} rows in {side}, {found}", count=every, side=side, found=say(", ").join(there))


def _of_one(side: str, change: Change) -> str:
    if not change.is_found:
        return say("{row}: {outcome}", row=change.row, outcome=with_cause(change))
    by = texts.signed((change.ratio or 0.0) - 1) if change.ratio is not None else ""
    said = say("{row} is {word} in {side}", row=change.row, word=word(change), side=side)
    return say("{text} ({detail})", text=said, detail=by) if by else said


def _title(side: str, block: Block) -> str:
    return say("{metric}: {finding}", metric=say_data(block.metric.label), finding=finding(side, block.changes))


def with_cause(change: Change) -> str:
    """Return the verdict with its cause: `not known (1 repeat; 3 are needed)`."""
    cause = sentences.cause(change.outcome)
    return say("{text} ({detail})", text=word(change), detail=cause) if cause else word(change)


def _about(shown: _Lines, block: Block) -> str:
    said = [f"{change.row}: {_figure(change, WIDE)}" for change in shown.changes]
    if shown.mean:
        said.append(f"{_mean_label(shown.mean)}: {texts.mean_text(shown.mean)}")
    lines = say("; ").join(said)
    return say(
        "Ratio of {metric}, {side} over A, a line for each row: {rows}.",
        metric=say_data(block.metric.label),
        side=shown.side,
        rows=lines,
    )


def _guide(shown: _Lines, block: Block) -> str:
    higher = block.metric.higher_is_better
    said = [
        say("Each line is a row: where it lies right of 1, {side} has more than A, and more is better.", side=shown.side)
        if higher
        else say("Each line is a row: where it lies left of 1, {side} has less than A, and less is better.", side=shown.side)
    ]
    if any(change.is_found for change in shown.changes):
        said.append(
            say(
                "A triangle is a difference that the repeats show: its tip is up where {side} is better, down where it is "
                "worse. A bar that does not reach 1 may still be none, because all rows are judged together.",
                side=shown.side,
            )
        )
    said.append(say("Equal distances are equal ratios: twice as much is as far from 1 as half as much."))
    if any(change.ratio == 0 for change in shown.changes):
        said.append(say("A ratio of 0 is at the left edge."))
    return " ".join(said)


def _headings(side: str, block: Block) -> tuple[str, ...]:
    unit = f", {block.metric.unit.said}" if block.metric.unit.name else ""
    return (
        say("row"),
        f"A{unit}",
        f"{side}{unit}",
        say("ratio"),
        say("95 % interval of the ratio from"),
        say("to"),
        say("p, adjusted"),
        say("verdict"),
    )


def _values(shown: _Lines) -> Iterator[tuple[str, ...]]:
    for change in shown.changes:
        sides = (texts.figure(change.metric, sample) for sample in (change.a, change.b))
        found = change.difference
        ends = (units.number(found.low), units.number(found.high)) if found else (NOTHING, NOTHING)
        ratio = NOTHING if change.ratio is None else units.number(change.ratio)
        yield change.row, *sides, ratio, *ends, texts.p_text(change), with_cause(change)
    if shown.mean:
        mean = shown.mean.mean
        yield (
            _mean_label(shown.mean),
            *(NOTHING, NOTHING),
            *map(units.number, (mean.ratio, mean.low, mean.high)),
            *(NOTHING, NOTHING),
        )


def _mean_label(mean: MetricMean) -> str:
    return say("geometric mean of {count}", count=f"{mean.mean.rows:,}")


def _figure(change: Change, width: float) -> str:
    """Return what stands at the right of a row: its change and the verdict, with its cause where there is room."""
    if change.verdict in _UNKNOWN:
        return with_cause(change) if width >= WIDE else word(change)
    if width < WIDE and not change.is_found:
        # On a phone, there is room for the figure alone: the hollow circle says the rest.
        return texts.change_text(change)
    ratio = "" if change.ratio is None else texts.signed(change.ratio - 1)
    within = texts.ratio_width(change.difference) if change.difference and width >= WIDE else ""
    return " ".join(filter(None, (ratio, within, word(change))))


def _scale(shown: _Lines) -> Callable[[float, float], Scale]:
    """Return what makes the scale: over all ratios, 1, the noise, and those ends of intervals that are near enough."""
    ratios = [change.ratio for change in shown.changes if change.ratio]
    if shown.mean:
        ratios.append(shown.mean.mean.ratio)
    limit = max(_LEAST, 1 + shown.noise)
    ends = [end for change in shown.changes if (one := change.difference) for end in (one.low, one.high)]
    if shown.mean:
        ends += [shown.mean.mean.low, shown.mean.mean.high]
    values = [value for value in with_ends([*ratios, 1 / limit, limit], ends) if value > 0]
    low, high = min(values), max(values)
    edge = (high / low) ** 0.03
    return partial(Log, low / edge, high * edge)


def _drawing(shown: _Lines, width: int) -> Markup:
    figures = [_figure(change, width) for change in shown.changes]
    if shown.mean:
        figures.append(texts.mean_text(shown.mean) if width >= WIDE else texts.signed(shown.mean.mean.ratio - 1))
    title = say("{side} over A", side=shown.side)
    frame = rows(shown.labels, figures, (), width, title, say("change"), span=_scale(shown))
    parts = [*_noise(shown, frame), *frame.parts(), *frame.over(1.0, 0, len(shown.labels) - 1, "unity")]
    for number, change in enumerate(shown.changes):
        parts += _marks(change, frame, number)
    if shown.mean:
        mean, number = shown.mean.mean, len(shown.changes)
        y = frame.top + number * frame.pitch
        parts.append(svg.line(2, y, width - 2, y, "axis"))
        parts += frame.interval(number, mean.low, mean.high)
        parts.append(_diamond(frame.x(mean.ratio), frame.y(number)))
    signs, end = legend(_signs(shown), width, frame.end)
    return svg.drawing([*parts, *signs], width, end + 2)


def _noise(shown: _Lines, frame: Rows) -> Iterator[Markup]:
    """Yield the band of differences that are not called any."""
    if shown.noise:
        left, right = frame.x(1 / (1 + shown.noise)), frame.x(1 + shown.noise)
        height = frame.bottom - frame.top
        yield svg.element("rect", x=left, y=frame.top, width=right - left, height=height, class_="band")


def _marks(change: Change, frame: Rows, number: int) -> list[Markup]:
    if change.ratio is None:
        return []
    class_ = _CLASSES.get(change.verdict, "")
    found = change.difference
    bar = frame.interval(number, found.low, found.high, class_) if found else []
    return [*bar, _mark(change.verdict, frame.x(change.ratio), frame.y(number))]


def _mark(verdict: Answer, x: float, y: float) -> Markup:
    """Return the mark of a ratio: a triangle of a difference, a circle where none is shown, a hollow square if not known."""
    match verdict:
        case Answer.BETTER:
            return _polygon(x, y, ((0, -6.5), (6, 5), (-6, 5)), "verdict good")
        case Answer.WORSE:
            return _polygon(x, y, ((0, 6.5), (6, -5), (-6, -5)), "verdict bad")
        case Answer.NO_DIFFERENCE:
            return marks.value(x, y)
        case _:
            return _polygon(x, y, ((-4, -4), (4, -4), (4, 4), (-4, 4)), "median invalid")


def _diamond(x: float, y: float) -> Markup:
    return _polygon(x, y, ((0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)), "median")


def _polygon(x: float, y: float, shape: Sequence[tuple[float, float]], class_: str) -> Markup:
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in shape)
    return svg.element("polygon", points=points, class_=class_)


def _signs(shown: _Lines) -> list[Sign]:
    """Return the legend of those signs that the drawing has."""
    drawn_ones = [change for change in shown.changes if change.ratio is not None]
    named = {change.verdict: word(change) for change in drawn_ones if change.verdict not in _UNKNOWN}
    order = [answer for answer in (Answer.BETTER, Answer.WORSE, Answer.NO_DIFFERENCE) if answer in named]
    found = [Sign(lambda x, y, answer=answer: [_mark(answer, x, y)], named[answer]) for answer in order]  # type: ignore[misc]
    if any(change.verdict in _UNKNOWN for change in drawn_ones):
        found.append(Sign(lambda x, y: [_mark(Answer.NOT_KNOWN, x, y)], say("no verdict")))
    if any(change.difference for change in drawn_ones):
        found.append(Sign(lambda x, y: marks.interval(x - 11, x + 11, y), say("95 % interval")))
    if shown.mean:
        found.append(Sign(lambda x, y: [_diamond(x, y)], say("geometric mean")))
    if shown.noise:
        within = say("within ±{percent} %: noise", percent=units.percent(100 * shown.noise))
        found.append(Sign(_noise_sign, within))
    return found


def _noise_sign(x: float, y: float) -> list[Markup]:
    return [svg.element("rect", x=x - 11, y=y - 7, width=22, height=14, class_="band")]
