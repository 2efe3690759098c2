"""The comparison of two reports, row by row: how much faster B is, and whether the intervals show a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchrig.report import describe, sentences
from benchrig.report.columns import interval
from benchrig.report.conditions import Difference, differences, same_traffic
from benchrig.report.document import Report
from benchrig.report.figures import is_spare
from benchrig.report.metrics import ALWAYS, METRICS, THROUGHPUT, Metric
from benchrig.report.plain import fitting, hidden, text_width, wrapped
from benchrig.report.table import Row, Table, on_first_server
from benchrig.report.verdict import Answer, Cause, Outcome
from benchrig.statistics.interval import LEAST_REPEATS
from benchrig.units import NOTHING, ratio


@dataclass(frozen=True)
class Pair:
    """A row of both tables."""

    a: Row
    b: Row
    outcome: Outcome | None
    """None where one of them is a published figure, which has no interval."""

    @property
    def ratio(self) -> float | None:
        """Throughput of B over that of A; None when one of them was not measured, or was 0."""
        a, b = self.a.value(THROUGHPUT), self.b.value(THROUGHPUT)
        return b / a if a and b is not None else None


@dataclass(frozen=True)
class Comparison:
    """A comparison of two tables."""

    a: Table
    b: Table
    alone: tuple[str, ...]
    """A line for each side of which only the first server is compared."""
    differences: tuple[Difference, ...]
    """Conditions that differ: they may explain a difference in the figures."""
    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    """Names of the rows that B does not have."""
    only_b: tuple[str, ...]

    @property
    def doubts(self) -> tuple[str, ...]:
        """What may explain a difference in the figures, a line each."""
        return (*self.alone, *map(str, self.differences))


def compare(a: Report, b: Report) -> Comparison:
    """Compare two runs or published sets: rows with the same name, in A's order.

    Where only one of them has several servers, the rows of its first server are compared.
    """
    first, second = a.table, b.table
    alone: tuple[str, ...] = ()
    if not (first.first_server and second.first_server):
        servers = (("A", first.first_server), ("B", second.first_server))
        alone = tuple(f"servers: of {side}, {server} alone" for side, server in servers if server)
        first, second = on_first_server(first), on_first_server(second)
    others = {row.label: row for row in second.rows}
    both = [(row, others[row.label]) for row in first.rows if row.label in others]
    points = first.run is None or second.run is None
    names = {row.label for row, _ in both}
    return Comparison(
        first,
        second,
        alone,
        differences(first, second, both),
        tuple(Pair(row, other, None if points else outcome(row, other)) for row, other in both),
        tuple(row.label for row in first.rows if row.label not in names),
        tuple(row.label for row in second.rows if row.label not in names),
    )


def outcome(a: Row, b: Row, sides: tuple[str, str] = ("A", "B")) -> Outcome:
    """Return whether B's throughput differs from A's: it does where the 95 % intervals of their medians do not overlap.

    `sides` is what A and B are called in a reason. The rule is stricter than a test of the difference at 5 %
    (N. Schenker, J. F. Gentleman, On Judging the Significance of Differences by Examining the Overlap Between Confidence
    Intervals, The American Statistician 55, 2001).
    """
    if not (a.figures and b.figures):
        missing = _sides(sides, not a.figures, not b.figures)
        return Outcome(Answer.NOT_KNOWN, Cause.NOT_MEASURED, missing)
    if not same_traffic(a, b):
        return Outcome(Answer.NOT_COMPARABLE, Cause.OTHER_LOAD)
    if a.invalid or b.invalid:
        codes = dict.fromkeys(warning.code for row in (a, b) for warning in row.warnings if warning.invalid)
        return Outcome(Answer.NOT_KNOWN, Cause.INVALID, _sides(sides, a.invalid, b.invalid), codes=tuple(codes))
    if a.at_ceiling and b.at_ceiling:
        return Outcome(Answer.NO_DIFFERENCE, Cause.AT_CEILING)
    one, other = a.figures[THROUGHPUT.name].interval, b.figures[THROUGHPUT.name].interval
    if one is None or other is None:
        fewest = min(a.repeats, b.repeats)
        return Outcome(Answer.NOT_KNOWN, Cause.TOO_FEW_REPEATS, repeats=fewest, needed=LEAST_REPEATS)
    if other.low > one.high:
        return Outcome(Answer.FASTER)
    return Outcome(Answer.SLOWER if other.high < one.low else Answer.NO_DIFFERENCE)


@dataclass(frozen=True)
class _Column:
    """A column of the comparison, and its priority on a narrow terminal, as in `columns.py`."""

    heading: str
    text: Callable[[Pair], str]
    priority: float = ALWAYS
    group: str = ""
    """Columns of A and of B that are dropped together."""


_INTERVAL_PRIORITY = 1000.0
"""An outcome rests on the intervals: they are dropped last."""


def _columns(pairs: Sequence[Pair]) -> Iterator[_Column]:
    """Return the columns of all comparisons, those of the metrics from the registry; throughput comes first."""
    rows = [row.figures for pair in pairs for row in (pair.a, pair.b)]
    yield _Column("row", lambda pair: pair.a.label)
    yield _of(THROUGHPUT, "A", lambda pair: pair.a)
    yield _Column("95%\ninterval", lambda pair: interval(pair.a), _INTERVAL_PRIORITY, "interval")
    yield _of(THROUGHPUT, "B", lambda pair: pair.b)
    yield _Column("95%\ninterval", lambda pair: interval(pair.b), _INTERVAL_PRIORITY, "interval")
    yield _Column("B/A", lambda pair: ratio(pair.ratio))
    for metric in METRICS:
        if metric.compared and metric is not THROUGHPUT and not is_spare(metric, rows):
            yield _of(metric, "A", lambda pair: pair.a)
            yield _of(metric, "B", lambda pair: pair.b)
    yield _Column("B against A", lambda pair: sentences.outcome(pair.outcome) if pair.outcome else NOTHING)


def _of(metric: Metric, side: str, row: Callable[[Pair], Row]) -> _Column:
    return _Column(f"{side}\n{metric.heading}", lambda pair: row(pair).text(metric), metric.priority, metric.name)


def render(comparison: Comparison, width: int | None = None) -> str:
    """Return a comparison as text without colours; in `width` columns if it fits."""
    room = text_width(width)
    table, dropped = _table(comparison.pairs, width)
    doubts = [wrapped(f"    {line}", room) for line in comparison.doubts]
    sections = [
        [
            wrapped(f"{side}  {describe.heading_lines(of)[0]}", room)
            for side, of in (("A", comparison.a), ("B", comparison.b))
        ],
        ["these conditions differ, and may explain a difference in the figures", *doubts] if doubts else [],
        [table if comparison.pairs else "no row is in both"],
        hidden(dropped, ["./inv", "compare", comparison.a.name, comparison.b.name], room),
        _only("A", comparison.only_a, room),
        _only("B", comparison.only_b, room),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _table(pairs: Sequence[Pair], width: int | None) -> tuple[str, tuple[str, ...]]:
    """Return the table without the columns that have no value, and the headings of those that were dropped."""
    columns = [column for column in _columns(pairs) if _is_shown(column, pairs)]
    spare: dict[tuple[float, str], list[int]] = {}
    for i, column in enumerate(columns):
        if column.priority < ALWAYS:
            spare.setdefault((column.priority, column.group), []).append(i)
    rows = [[column.text(pair) for column in columns] for pair in pairs]
    headings = [column.heading for column in columns]
    return fitting(headings, rows, 1, width, [spare[key] for key in sorted(spare)])


def _is_shown(column: _Column, pairs: Sequence[Pair]) -> bool:
    return column.priority == ALWAYS or any(column.text(pair) != NOTHING for pair in pairs)


def _sides(sides: tuple[str, str], *concerned: bool) -> tuple[str, ...]:
    return tuple(side for side, is_concerned in zip(sides, concerned, strict=True) if is_concerned)


def _only(side: str, names: Sequence[str], room: int) -> list[str]:
    return [wrapped(f"only in {side}: {', '.join(names)}", room)] if names else []
