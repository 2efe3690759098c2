"""Holds a published document to itself: its table to its raw texts, its averages to Little's law, its claims to both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchrig.report import published
from benchrig.report.claims.file import read
from benchrig.report.claims.judge import judge
from benchrig.report.columns import milliseconds
from benchrig.report.published import Published, PublishedRow
from benchrig.report.table import Table, of_published
from benchrig.report.verdict import Verdict
from benchrig.results.wrk_output import Printed


@dataclass(frozen=True)
class Audit:
    """What a published set says of itself."""

    published: Published
    compared: int
    """How many figures of its table stand in a raw text as well."""
    differing: tuple[str, ...]
    """Those of them that are not the same there."""
    averages: int
    """How many mean latencies it gives."""
    contradicting: tuple[str, ...]
    """Those of them that contradict Little's law."""
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Cell:
    """A figure of the table and the same one in the raw text, each with how it is written."""

    name: str
    table: float | None
    raw: float
    table_text: str
    raw_text: str


def audit(root: Path) -> tuple[Audit, ...]:
    """Return what each published set of a project says of itself, by name.

    Raises InputError with `file:line` for each mistake in the published figures or the claims.
    """
    return tuple(_audit(published.read(name, root), root) for name in sorted(published.names(root)))


def _audit(found: Published, root: Path) -> Audit:
    table = of_published(found)
    cells = [cell for name, text in found.printed.items() for cell in _cells(name, found.rows[name], text)]
    return Audit(
        published=found,
        compared=len(cells),
        differing=tuple(
            f"{cell.name}: the table has {cell.table_text}, the load generator's text {cell.raw_text}"
            for cell in cells
            if cell.table is not None and not math.isclose(cell.table, cell.raw)
        ),
        averages=sum(row.latency_mean_ms is not None for row in found.rows.values()),
        contradicting=tuple(_contradicting(table)),
        verdicts=_verdicts(table, root),
    )


def _cells(name: str, row: PublishedRow, text: Printed) -> Sequence[_Cell]:
    """Return the figures of a row that the table gives and its raw text has too."""
    mean, longest = text.latency_mean_us / 1e3, text.latency_max_us / 1e3
    counts = (("requests", row.requests, text.requests), ("requests/s", row.requests_per_second, text.requests_per_second))
    latencies = (("mean latency", row.latency_mean_ms, mean), ("maximum latency", row.latency_max_ms, longest))
    cells = [
        *(_Cell(f"{name}, {kind}", ours, raw, f"{ours:,}", f"{raw:,}") for kind, ours, raw in counts if ours is not None),
        *(_Cell(f"{name}, {kind}", ours, raw, milliseconds(ours), milliseconds(raw)) for kind, ours, raw in latencies),
    ]
    return [cell for cell in cells if cell.table is not None]


def _contradicting(table: Table) -> Iterator[str]:
    for row in table.rows:
        for remark in row.remarks:
            if remark.code == "littles_law":
                yield f"{row.name}: {remark.text}"


def _verdicts(table: Table, root: Path) -> tuple[Verdict, ...]:
    claims = read(table.name, root)
    return judge(claims, table, table) if claims else ()
