"""Two reports side by side, row by row: how much faster, and whether that is shown; before it, what makes it doubtful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.report import describe
from benchrig.report.columns import NOTHING, errors, interval, milliseconds, ratio
from benchrig.report.conditions import differences, same_traffic
from benchrig.report.document import Report
from benchrig.report.figures import ENOUGH_REPEATS
from benchrig.report.plain import fitting, text_width, wrapped
from benchrig.report.table import Row, Table, on_first_server

NOTHING_SHOWN = "no difference shown"


@dataclass(frozen=True)
class Pair:
    """A row of both tables."""

    a: Row
    b: Row
    verdict: str
    """What B's throughput is to A's, in words; empty where one is a published figure: a point allows no verdict."""

    @property
    def ratio(self) -> float | None:
        """Throughput of B over that of A; None when one of them was not measured, or was nothing."""
        if self.a.figures is None or self.b.figures is None or not self.a.figures.requests_per_second.median:
            return None
        return self.b.figures.requests_per_second.median / self.a.figures.requests_per_second.median


@dataclass(frozen=True)
class Comparison:
    """B held against A."""

    a: Table
    b: Table
    doubts: tuple[str, ...]
    """What was not the same, a line each: a difference may come from there."""
    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    """Names of the rows that B does not have."""
    only_b: tuple[str, ...]


def compare(a: Report, b: Report) -> Comparison:
    """Return what two runs or published sets have in common, by the names of their rows and in A's order.

    Where one of them has several servers and the other has not, its first server's rows are compared.
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
        (*alone, *differences(first, second, both)),
        tuple(Pair(row, other, "" if points else verdict(row, other)) for row, other in both),
        tuple(row.label for row in first.rows if row.label not in names),
        tuple(row.label for row in second.rows if row.label not in names),
    )


def verdict(a: Row, b: Row, sides: tuple[str, str] = ("A", "B")) -> str:
    """Say in words whether B's throughput is another than A's: where the 95 % intervals of their medians do not overlap.

    `sides` is what A and B are called.

    That is stricter than a test of the difference at 5 % (N. Schenker, J. F. Gentleman, On Judging the Significance of
    Differences by Examining the Overlap Between Confidence Intervals, The American Statistician 55, 2001).
    """
    if a.figures is None or b.figures is None:
        return f"not known (not measured in {_sides(sides, a.figures is None, b.figures is None)})"
    if not same_traffic(a, b):
        return "not comparable"
    if a.invalid or b.invalid:
        return f"not known (invalid in {_sides(sides, a.invalid, b.invalid)})"
    if a.at_ceiling and b.at_ceiling:
        return f"{NOTHING_SHOWN} (both at the ceiling)"
    one, other = a.figures.requests_per_second.interval, b.figures.requests_per_second.interval
    if one is None or other is None:
        fewest = min(a.repeats, b.repeats)
        return f"not known ({fewest} repeat{'' if fewest == 1 else 's'}; {ENOUGH_REPEATS} are needed)"
    return "faster" if other[0] > one[1] else "slower" if other[1] < one[0] else NOTHING_SHOWN


_HEADINGS = (
    "row",
    "A\nrequests/s",
    "95%\ninterval",
    "B\nrequests/s",
    "95%\ninterval",
    "B/A",
    "A\np99",
    "B\np99",
    "A\nerrors",
    "B\nerrors",
    "B against A",
)

_DROPPED_FIRST = (8, 9, 6, 7, 2, 4)


def render(comparison: Comparison, width: int | None = None) -> str:
    """Return a comparison as text without colours; with `width`, in so many columns if it can be."""
    room = text_width(width)
    rows = [_texts(pair) for pair in comparison.pairs]
    table, dropped = _table(rows, width)
    doubts = [wrapped(f"    {line}", room) for line in comparison.doubts]
    missing = f"not shown, for want of room: {', '.join(dropped)}; they are in ./inv compare … | less -S"
    sections = [
        [
            wrapped(f"{side}  {describe.heading_lines(of)[0]}", room)
            for side, of in (("A", comparison.a), ("B", comparison.b))
        ],
        ["not the same in both: a difference of the figures may come from there", *doubts] if doubts else [],
        [table if rows else "no row is in both"],
        [wrapped(missing, room)] if dropped else [],
        _only("A", comparison.only_a, room),
        _only("B", comparison.only_b, room),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _table(rows: Sequence[Sequence[str]], width: int | None) -> tuple[str, tuple[str, ...]]:
    """Return the table without the columns that have no figure, and the headings of those that had no room."""
    last = len(_HEADINGS) - 1
    shown = [i for i in range(last + 1) if i in (0, last) or any(row[i] != NOTHING for row in rows)]
    spare = [shown.index(i) for i in _DROPPED_FIRST if i in shown]
    return fitting([_HEADINGS[i] for i in shown], [[row[i] for i in shown] for row in rows], 1, width, spare)


def _texts(pair: Pair) -> tuple[str, ...]:
    """Return a line of the table."""
    a, b = _figures(pair.a), _figures(pair.b)
    return (pair.a.label, a[0], a[1], b[0], b[1], ratio(pair.ratio), a[2], b[2], a[3], b[3], pair.verdict or NOTHING)


def _figures(row: Row) -> tuple[str, str, str, str]:
    """Return a row's throughput, its interval, p99 and errors."""
    figures = row.figures
    if figures is None:
        return NOTHING, NOTHING, NOTHING, NOTHING
    throughput = f"{figures.requests_per_second.median:,.2f}"
    return throughput, interval(figures), milliseconds(figures.latency_p99_ms), errors(figures)


def _sides(sides: tuple[str, str], *hold: bool) -> str:
    return " and ".join(side for side, holds in zip(sides, hold, strict=True) if holds)


def _only(side: str, names: Sequence[str], room: int) -> list[str]:
    return [wrapped(f"only in {side}: {', '.join(names)}", room)] if names else []
