"""What spoils the figures of a table: rows without figures, warnings by kind, and what its machines shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig.report.summary.values import Kind, Spoiler
from benchrig.report.table import Row, Table
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning, grouped, merged

Numbered = Sequence[tuple[int, Row]]


def spoilers(table: Table) -> tuple[Spoiler, ...]:
    """Return what spoils the figures of a table, the worst first: missing rows, invalid ones, other warnings."""
    rows = list(enumerate(table.rows, 1))
    warned = _warned(rows)
    return (
        *([Spoiler(Kind.INCOMPLETE)] if table.incomplete else []),
        *_of_status(rows, Kind.FAILED),
        *(spoiler for spoiler in warned if spoiler.invalid),
        *([Spoiler(Kind.NOT_RUN, table.not_run)] if table.not_run else []),
        *_of_status(rows, Kind.NOT_POSSIBLE),
        *(spoiler for spoiler in warned if not spoiler.invalid),
        *_shared(table, rows),
    )


def _of_status(rows: Numbered, kind: Kind) -> Iterator[Spoiler]:
    found = [(number, row) for number, row in rows if row.status == kind.value]
    if found:
        yield _spoiler(kind, found)


def _warned(rows: Numbered) -> list[Spoiler]:
    """Return the kinds of warnings, those of the most rows first; one that makes only some rows invalid is there twice."""
    measured = sum(row.status == "measured" for _, row in rows)
    found: dict[tuple[Code, bool], list[tuple[int, Row, Warning]]] = {}
    for number, row in rows:
        for warning in row.warnings:
            found.setdefault((warning.code, warning.invalid), []).append((number, row, warning))
    made = [_of_warnings(code, invalid, of, measured) for (code, invalid), of in found.items()]
    return sorted(made, key=lambda spoiler: -len(spoiler.rows))


def _of_warnings(code: Code, invalid: bool, of: Sequence[tuple[int, Row, Warning]], measured: int) -> Spoiler:
    """Return one spoiler for the warnings of a code; its numbers are those of all rows that it tells of."""
    labels = {number: row.label for number, row, _ in of}
    group = max(grouped(warning for _, _, warning in of), key=len)
    told = tuple(dict.fromkeys(row.label for _, row, warning in of if warning.kind == group[0].kind))
    return Spoiler(
        Kind.WARNING,
        tuple(labels.values()),
        tuple(labels),
        code,
        invalid,
        every=len(labels) == measured > 1,
        warning=merged(group),
        told_of=told if len(told) < len(labels) else (),
    )


def _shared(table: Table, rows: Numbered) -> Iterator[Spoiler]:
    if table.run and table.run.shares_computer:
        yield Spoiler(Kind.SHARED_COMPUTER, every=True)
    sharing = [(number, row) for number, row in rows if row.shares_cpus]
    if sharing:
        yield _spoiler(Kind.SHARED_CPUS, sharing, every=len(sharing) == sum(bool(row.figures) for _, row in rows))


def _spoiler(kind: Kind, found: Numbered, every: bool = False) -> Spoiler:
    return Spoiler(kind, tuple(row.label for _, row in found), tuple(number for number, _ in found), every=every)
