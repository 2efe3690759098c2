"""The comparison of reports: rows with the same name, by every metric that has a direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from string import ascii_uppercase

from benchrig.errors import InputError
from benchrig.report.compare.judge import Pairs, Terms, changes, mean_of
from benchrig.report.compare.values import Comparison, Pairing
from benchrig.report.conditions import differences
from benchrig.report.document import Report
from benchrig.report.metrics import METRICS, THROUGHPUT, Metric
from benchrig.report.published import Published
from benchrig.report.sentences import some
from benchrig.report.table import Row, Table, on_first_server
from benchrig.results.model import Run
from benchrig.results.sessions import Known

_NAMED = 5
"""Rows that a message names."""

Boots = Callable[[Run, Row], Mapping[str, Known]]
"""Returns what is known of the spread between boots of a run's row, by the names of metrics."""


def _nothing(_run: Run, _row: Row) -> Mapping[str, Known]:
    return {}


_INSTEAD_OF = {metric.instead_of: metric for metric in METRICS if metric.instead_of}


def compare(reports: Sequence[Report], noise: float = 0.0, boots: Boots = _nothing) -> Comparison:
    """Compare the first of several runs or published sets with each of the others: rows with the same name, in A's order.

    Where only one of two has several servers, the rows of its first server are compared. `noise` is a share (0.01 is 1 %):
    a difference counts if its interval lies beyond it. Where `boots` knows the spread between boots of a row for both runs,
    it is in the intervals. Raises InputError for two without a row in common.
    """
    first, *others = (report.table for report in reports)
    if len(others) >= len(ascii_uppercase):
        raise InputError(f"at most {len(ascii_uppercase)} runs can be compared at once")
    paired = zip(ascii_uppercase[1:], others, strict=False)
    return Comparison(tuple(_pairing(first, other, side, noise, boots) for side, other in paired), noise)


def _pairing(a: Table, b: Table, side: str, noise: float, boots: Boots) -> Pairing:
    sides = ("A", side)
    servers: tuple[tuple[str, str], ...] = ()
    if not (a.first_server and b.first_server):
        servers = tuple((name, table.first_server) for name, table in zip(sides, (a, b), strict=True) if table.first_server)
        a, b = on_first_server(a), on_first_server(b)
    there = {row.label: row for row in b.rows}
    pairs = [(row, there[row.label]) for row in a.rows if row.label in there]
    if not pairs:
        raise _nothing_in_common(a, b, sides)
    terms = Terms(sides, noise, not (a.run and b.run), _duration(a) == _duration(b), _known(a, b, pairs, boots))
    metrics = [metric for metric in METRICS if metric.compared]
    having = {metric: list(_having(metric, pairs, are_published=terms.are_published)) for metric in metrics}
    found = [changes(of_metric, metric, terms) for metric, of_metric in having.items() if of_metric]
    names = {row.label for row, _ in pairs}
    return Pairing(
        side,
        a,
        b,
        servers,
        differences(a, b, pairs),
        tuple(change for of_metric in found for change in of_metric),
        tuple(mean for of_metric in found if (mean := mean_of(of_metric))),
        tuple(row.label for row in a.rows if row.label not in names),
        tuple(row.label for row in b.rows if row.label not in names),
    )


def _known(a: Table, b: Table, pairs: Pairs, boots: Boots) -> Mapping[tuple[str, str], Known]:
    """Return the spread between boots by row and metric, where it is known of the rows of both runs."""
    known: dict[tuple[str, str], Known] = {}
    for one, other in pairs if a.run and b.run else ():
        of_a, of_b = boots(a.run, one) if a.run else {}, boots(b.run, other) if b.run else {}
        known |= {(one.label, metric): found for metric, found in of_a.items() if metric in of_b}
    return known


def _having(metric: Metric, pairs: Pairs, *, are_published: bool) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs of rows that are compared by a metric; every pair by its throughput, measured or not."""
    for a, b in pairs:
        if are_published and metric is not THROUGHPUT and not _both(metric.name, a, b):
            # What an article does not give is no gap in a measurement.
            continue
        stand_in = _INSTEAD_OF.get(metric.name)
        if metric.instead_of:
            wanted = _both(metric.name, a, b) and not _both(metric.instead_of, a, b)
        elif stand_in and not _both(metric.name, a, b):
            wanted = (metric.name in a.figures or metric.name in b.figures) and not _both(stand_in.name, a, b)
        else:
            wanted = metric is THROUGHPUT or metric.name in a.figures or metric.name in b.figures
        if wanted:
            yield a, b


def _both(name: str, a: Row, b: Row) -> bool:
    return name in a.figures and name in b.figures


def _duration(table: Table) -> float:
    origin = table.origin
    return origin.source.duration_seconds if isinstance(origin, Published) else origin.settings.duration_seconds


def _nothing_in_common(a: Table, b: Table, sides: tuple[str, str]) -> InputError:
    rows = [some([row.label for row in table.rows], _NAMED, ", ") or "none" for table in (a, b)]
    said = "; ".join(f"{side} ({table.name}) has {names}" for side, table, names in zip(sides, (a, b), rows, strict=True))
    return InputError(f"no row is in both: {said}", "Compare runs of the same suite, with the same rows.")
