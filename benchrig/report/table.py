"""The one table every report is made from: a row for each row of the suite, made from the repeats of its cell.

Nothing here is typed in: each figure is the median of what the load generator and the sampler counted, each remark is
computed from the same records. Doubt is data: a row whose figures are invalid keeps them, and has no rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchrig.report.figures import Figures, figures_of
from benchrig.report.published import Published, PublishedRow
from benchrig.results import audit
from benchrig.results.model import Cell, Remark, Run, Status


@dataclass(frozen=True)
class Row:
    """One row of the table: a system at a number of connections."""

    name: str
    system: str
    """What really ran."""
    connections: int
    status: Status
    reason: str
    """Why it, or one of its repeats, failed or is not possible; empty when all were measured."""
    repeats: int
    """How many were measured."""
    figures: Figures | None
    remarks: tuple[Remark, ...] = ()
    published: PublishedRow | None = None
    """The published row, where it was taken with as many connections."""
    rank: int | None = None
    """Place by throughput among the valid rows with as many connections; rows at the ceiling share one."""
    versions: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    """The load generator's command line."""
    raw: tuple[str, ...] = ()
    """The load generator's output of each repeat, as paths relative to the run's folder."""

    @property
    def invalid(self) -> bool:
        """The figures are shown, and must not be ranked."""
        return any(remark.invalid for remark in self.remarks)

    @property
    def ratio(self) -> float | None:
        """Throughput measured here over the published one."""
        if self.figures is None or self.published is None:
            return None
        return self.figures.requests_per_second.median / self.published.requests_per_second


@dataclass(frozen=True)
class Table:
    """A run's rows in the order of its suite, and the rows that it never came to."""

    run: Run
    rows: tuple[Row, ...]
    not_run: tuple[str, ...]
    published: Published | None

    @property
    def incomplete(self) -> bool:
        """The run was interrupted, or is still going on."""
        return bool(self.not_run) or not self.run.finished_at


def make(run: Run, cells: Iterable[Cell], published: Published | None = None) -> Table:
    """Return the table of a run's cells, with the published figures beside them."""
    repeats: dict[str, list[Cell]] = {name: [] for name in run.rows}
    for cell in cells:
        repeats.setdefault(cell.name, []).append(cell)
    figures = published.rows if published else {}
    rows = [_row(found, figures.get(name)) for name, found in repeats.items() if found]
    not_run = tuple(name for name, found in repeats.items() if not found)
    return Table(run, _ranked(rows), not_run, published)


def _row(cells: Sequence[Cell], published: PublishedRow | None) -> Row:
    measured = [cell for cell in cells if cell.status == "measured" and cell.load]
    first = (measured or cells)[0]
    missed = [cell for cell in cells if cell not in measured]
    same = published is not None and published.connections == first.connections
    return Row(
        name=first.name,
        system=first.system,
        connections=first.connections,
        status=_status(cells, measured),
        reason=missed[0].reason if missed else "",
        repeats=len(measured),
        figures=figures_of(measured) if measured else None,
        remarks=_remarks(measured, missed),
        published=published if same else None,
        versions=first.versions,
        command=first.generator.command if first.generator else (),
        raw=tuple(cell.raw for cell in cells if cell.raw),
    )


def _status(cells: Sequence[Cell], measured: Sequence[Cell]) -> Status:
    if measured:
        return "measured"
    return "failed" if any(cell.status == "failed" for cell in cells) else "not_possible"


def _remarks(measured: Sequence[Cell], missed: Sequence[Cell]) -> tuple[Remark, ...]:
    """Merge the remarks of the repeats, each code once; an invalid repeat makes the row invalid."""
    found: dict[str, list[Remark]] = {}
    for cell in measured:
        for code, remark in _by_code(audit.remarks(cell)).items():
            found.setdefault(code, []).append(remark)
    merged = [_merged(remarks, len(measured)) for remarks in found.values()]
    if measured and missed:
        text = f"{len(missed)} of {len(measured) + len(missed)} repeats not measured: {missed[0].reason}"
        merged.append(Remark("repeat_missing", text, invalid=True))
    return tuple(merged)


def _by_code(remarks: Iterable[Remark]) -> dict[str, Remark]:
    """Return one cell's remarks with those of the same code made one."""
    found: dict[str, Remark] = {}
    for remark in remarks:
        before = found.get(remark.code)
        both = Remark(remark.code, f"{before.text}; {remark.text}", before.invalid or remark.invalid) if before else remark
        found[remark.code] = both
    return found


def _merged(remarks: Sequence[Remark], repeats: int) -> Remark:
    worst = max(remarks, key=lambda remark: remark.invalid)
    if repeats == 1:
        return worst
    return replace(worst, text=f"{worst.text} (in {len(remarks)} of {repeats} repeats)")


def _ranked(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Give each valid row its place by throughput among those with as many connections."""
    valid = [row for row in rows if row.figures and not row.invalid]
    return tuple(replace(row, rank=1 + sum(_better(one, row) for one in valid) if row in valid else None) for row in rows)


def _better(one: Row, other: Row) -> bool:
    """Say whether a row comes before another. Those at the ceiling are equal: there, throughput tells nothing of them."""
    if one.connections != other.connections or (_at_ceiling(one) and _at_ceiling(other)):
        return False
    return _throughput(one) > _throughput(other)


def _at_ceiling(row: Row) -> bool:
    return any(remark.code == "ceiling" for remark in row.remarks)


def _throughput(row: Row) -> float:
    return row.figures.requests_per_second.median if row.figures else 0.0
