"""The texts of a comparison that terminal and Markdown share: figures, changes, and why something is not judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchrig.report import sentences
from benchrig.report.compare.values import Change, MetricMean, Pairing
from benchrig.report.figures import Sample, text
from benchrig.report.legend import ASSUMED, assumed_line
from benchrig.report.metrics import Metric
from benchrig.report.verdict import Answer, Cause
from benchrig.statistics import advice
from benchrig.statistics.difference import SIGNIFICANT, Difference
from benchrig.units import NOTHING, p_value, share

NOT_SHOWN = "~"
"""Stands where no difference is shown."""

METHOD = (
    f"{NOT_SHOWN}: no difference is shown; one above the figure behind it is excluded. "
    "± and changes: 95 % intervals. p: Welch's t-test on logarithms with outliers held, of counts and zeros Mann–Whitney, "
    "adjusted for the number of rows of one metric (Holm)."
)

BOOTS = (
    "{sides} are single runs: how much one system differs from boot to boot of its machine is not in these intervals{rest}."
    "{means} ./inv ab compares over several boots."
)

BOOTS_OF_MEANS = " All rows of a run share its boot, so their geometric mean does not average that out."


@dataclass(frozen=True)
class Block:
    """A metric's part of a comparison."""

    metric: Metric
    changes: tuple[Change, ...]
    mean: MetricMean | None

    @property
    def title(self) -> str:
        """The metric, and which end of it is the better one."""
        return f"{self.metric.label}, {'higher' if self.metric.higher_is_better else 'lower'} is better"

    @property
    def is_nothing(self) -> bool:
        """No row has any, such as errors: one line says so."""
        samples = [sample for change in self.changes for sample in (change.a, change.b) if sample]
        return bool(samples) and not any(sample.high for sample in samples)


def blocks(pairing: Pairing) -> tuple[Block, ...]:
    """Return the parts of a comparison, one for each metric."""
    means = {mean.metric: mean for mean in pairing.means}
    return tuple(
        Block(metric, tuple(change for change in pairing.changes if change.metric is metric), means.get(metric))
        for metric in pairing.metrics
    )


def figure(metric: Metric, sample: Sample | None) -> str:
    """Return the value of one side as reports show it: the median of the repeats; of a count, what reports show."""
    return text(sample, metric, median=metric.kind != "count")


def spread(sample: Sample | None) -> str:
    """Return how far the interval of a median goes to its wider side: `±0.4%`; empty where there is none.

    A mark stands behind it where it rests on an assumption.
    """
    if not (sample and sample.interval and sample.median):
        return ""
    ends = sample.interval.low, sample.interval.high
    return f"±{share(max(abs(end / sample.median - 1) for end in ends))}{ASSUMED if sample.interval.assumed else ''}"


def signed(value: float) -> str:
    """Return a change in percent with its sign: `+4.3%`."""
    return f"{'-' if value < 0 else '+'}{share(value)}"


def change_text(change: Change) -> str:
    """Return the change of a row in a few characters: `+4.3% ±1.2%`, `~ <3.1%`."""
    if change.verdict is Answer.NO_DIFFERENCE and change.cause is not Cause.AT_CEILING:
        return NOT_SHOWN if change.excluded is None else f"{NOT_SHOWN} <{share(change.excluded)}"
    if change.difference:
        return f"{signed(change.difference.ratio - 1)} {ratio_width(change.difference)}"
    return NOTHING if change.ratio is None else signed(change.ratio - 1)


def ratio_width(difference: Difference) -> str:
    """Return how far the interval of a ratio goes to its wider side."""
    return f"±{share(max(difference.high - difference.ratio, difference.ratio - difference.low))}"


def mean_text(mean: MetricMean) -> str:
    """Return a geometric mean as a change: `+1.2% ±0.3%`."""
    found = mean.mean
    return f"{signed(found.ratio - 1)} ±{share(max(found.high - found.ratio, found.ratio - found.low))}"


def interval_text(low: float, high: float) -> str:
    """Return the interval of a ratio as changes: `+3.1% to +5.5%`."""
    return f"{signed(low - 1)} to {signed(high - 1)}"


def p_text(change: Change) -> str:
    """Return the adjusted p-value; a dash where nothing was tested."""
    return NOTHING if change.adjusted_p is None else p_value(change.adjusted_p)


def repeats_text(change: Change) -> str:
    """Return the numbers of repeats: `6+6`."""
    return "+".join(str(len(sample.values)) if sample else "0" for sample in (change.a, change.b))


def cells(change: Change) -> tuple[str, ...]:
    """Return a row of a table: its name, both values, change, interval, p-value and repeats. The verdict is not in it."""
    values = [" ".join(filter(None, (figure(change.metric, sample), spread(sample)))) for sample in (change.a, change.b)]
    found = change.difference
    ratio = NOTHING if change.ratio is None else signed(change.ratio - 1)
    interval = interval_text(found.low, found.high) if found else NOTHING
    return (change.row, *values, ratio, interval, p_text(change), repeats_text(change))


def mean_cells(mean: MetricMean) -> tuple[str, ...]:
    """Return the row of a geometric mean in that table."""
    found = mean.mean
    return (f"geometric mean of {found.rows}", "", "", signed(found.ratio - 1), interval_text(found.low, found.high), "", "")


def verdict_text(change: Change) -> str:
    """Return the verdict in a word or two; none where the test shows no difference."""
    if change.cause is Cause.AT_CEILING:
        return "ceiling"
    return "" if change.verdict is Answer.NO_DIFFERENCE else change.verdict.value


def not_judged(pairing: Pairing) -> Iterator[str]:
    """Yield a line for each reason why something was not judged: the rows, the reason, and the metrics if not all."""
    reasons: dict[str, dict[str, list[Metric]]] = {}
    for change in pairing.changes:
        if change.verdict in (Answer.NOT_KNOWN, Answer.NOT_COMPARABLE):
            of_rows = reasons.setdefault(f"{change.verdict} ({sentences.cause(change.outcome)})", {})
            of_rows.setdefault(change.row, []).append(change.metric)
    everything = {row: sum(change.row == row for change in pairing.changes) for row in pairing.rows}
    for reason, of_rows in reasons.items():
        whole = [row for row, metrics in of_rows.items() if len(metrics) == everything[row]]
        if whole:
            yield f"{reason}: {_rows(whole, pairing)}"
        parts: dict[tuple[Metric, ...], list[str]] = {}
        for row, metrics in of_rows.items():
            if row not in whole:
                parts.setdefault(tuple(metrics), []).append(row)
        for some, rows in parts.items():
            yield f"{', '.join(metric.label for metric in some)} {reason}: {_rows(rows, pairing)}"


def _rows(rows: Sequence[str], pairing: Pairing) -> str:
    return "all rows" if len(rows) == len(pairing.rows) > 1 else ", ".join(rows)


def notes(pairing: Pairing) -> Iterator[str]:
    """Yield what to know of the two tables, a line each: interrupted runs, servers left out, rows of one alone."""
    for side, table in (("A", pairing.a), (pairing.side, pairing.b)):
        if table.incomplete:
            lacking = f": {', '.join(table.not_run)} not run" if table.not_run else ""
            yield f"{side} is incomplete{lacking}; compared is what it has"
    for side, server in pairing.first_servers:
        yield f"servers: of {side}, {server} alone"


def only(pairing: Pairing) -> Iterator[str]:
    """Yield the rows that only one of them has, a line for each side."""
    for side, rows in (("A", pairing.only_a), (pairing.side, pairing.only_b)):
        if rows:
            yield f"only in {side}: {', '.join(rows)}"


def closing(pairing: Pairing, noise: float) -> Iterator[str]:
    """Yield how to read the figures and the verdicts, a line each."""
    samples = [sample for change in pairing.changes for sample in (change.a, change.b) if sample]
    if any(sample.interval and sample.interval.assumed for sample in samples):
        yield assumed_line()
    if any(change.p is not None for change in pairing.changes):
        yield METHOD
        if noise:
            yield f"A difference counts if its interval lies beyond ±{share(noise)} (--noise)."
    yield from _advised(pairing, noise)
    yield from between_boots(pairing, pairing.means)


def _advised(pairing: Pairing, noise: float) -> Iterator[str]:
    """Yield which rows have a difference that is nearly shown, and how many more repeats would settle it, a line each."""
    for metric in pairing.metrics:
        family = [change for change in pairing.changes if change.metric is metric and change.adjusted_p is not None]
        for change in family:
            # What boots differ by, more repeats do not narrow.
            if change.difference is None or change.verdict is not Answer.NO_DIFFERENCE or change.cause or change.boots:
                continue
            found = advice.of_difference(change.difference, SIGNIFICANT / len(family), noise)
            if more := found and found.more(max(change.difference.repeats)):
                what = f"whether its {metric.label} differs, or exclude a difference of {share(found.within)}"
                yield f"About {sentences.more_repeats(more)} of {change.row} would show {what}."


def between_boots(pairing: Pairing, means: Sequence[MetricMean] = ()) -> Iterator[str]:
    """Yield whether the spread between boots is in the intervals of changes, and of means that are shown, a line each."""
    known = {change.boots.session: change.boots.spread.boots for change in pairing.changes if change.boots}
    if known:
        sessions = ", ".join(f"{session} ({boots} boots)" for session, boots in known.items())
        rows = dict.fromkeys(change.row for change in pairing.changes if change.boots)
        yield f"The spread between boots is in the intervals of {_rows(list(rows), pairing)}: known from {sessions}."
    lacking = any(not mean.has_boots for mean in means)
    if pairing.of_runs and (lacking or any(change.is_found and not change.boots for change in pairing.changes)):
        rest = " of the other rows or metrics" if known else ""
        yield BOOTS.format(sides=f"A and {pairing.side}", rest=rest, means=BOOTS_OF_MEANS if lacking else "")
