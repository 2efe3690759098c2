"""The audit of a published document: its table against its raw texts, its averages against Little's law, its claims."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchrig.bench.generators.base import Printed
from benchrig.report import published, texts
from benchrig.report.claims.file import read
from benchrig.report.claims.judge import judge
from benchrig.report.metrics import LATENCY_CORRECTED_MEAN, METRICS, Metric
from benchrig.report.published import Published, PublishedRow
from benchrig.report.sentences import sentence
from benchrig.report.table import Table, of_published
from benchrig.report.verdict import Verdict
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning


@dataclass(frozen=True)
class Audit:
    """What the audit of a published set found."""

    published: Published
    compared: int
    """The number of figures in its table that a raw text has as well."""
    differing: tuple[str, ...]
    """Those of them that differ."""
    averages: int
    """The number of mean latencies in its table."""
    contradicting: tuple[str, ...]
    """Those of them that contradict Little's law."""
    texts: tuple[tuple[str, texts.Verdict, tuple[Warning, ...]], ...]
    """Of each row that has a raw text: its name, the verdict of `./inv audit` on it, and the warnings."""
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Cell:
    """A figure of the table and the same one in the raw text."""

    row: str
    metric: Metric
    table: float
    raw: float

    @property
    def text(self) -> str:
        """Both of them in a sentence."""
        write = self.metric.unit.write
        name = f"{self.row}, {self.metric.label}"
        return f"{name}: the table has {write(self.table)}, the load generator's text {write(self.raw)}"


def audit(root: Path) -> tuple[Audit, ...]:
    """Audit the published sets of a project, sorted by name; those of its own runs are no documents, and left out.

    Raises InputError with `file:line` for each mistake in the published figures or the claims.
    """
    sets = (published.read(name, root) for name in sorted(published.names(root)))
    return tuple(_audit(document, root) for document in sets if not document.source.run)


def _audit(document: Published, root: Path) -> Audit:
    table = of_published(document)
    cells = [cell for name, text in document.printed.items() for cell in _cells(name, document.rows[name], text)]
    return Audit(
        published=document,
        compared=len(cells),
        differing=tuple(cell.text for cell in cells if not math.isclose(cell.table, cell.raw)),
        averages=sum(LATENCY_CORRECTED_MEAN.name in row.figures for row in document.rows.values()),
        contradicting=tuple(_contradicting(table)),
        texts=tuple((row.name, texts.verdict(row.warnings), row.warnings) for row in table.rows if row.raw),
        verdicts=_verdicts(table, root),
    )


def _cells(name: str, row: PublishedRow, text: Printed) -> Iterator[_Cell]:
    """Return the figures of a row that the table gives and its raw text has too."""
    for metric in METRICS:
        raw = metric.read_text(text)
        if metric.name in row.figures and raw is not None:
            yield _Cell(name, metric, row.figures[metric.name], raw)


def _contradicting(table: Table) -> Iterator[str]:
    for row in table.rows:
        for warning in row.warnings:
            if warning.code is Code.LITTLES_LAW:
                yield f"{row.name}: {sentence(warning)}"


def _verdicts(table: Table, root: Path) -> tuple[Verdict, ...]:
    claims = read(table.name, root)
    return judge(claims, table, table) if claims else ()
