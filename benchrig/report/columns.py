"""The columns a reader sees, in their order, with the text of each figure: one definition for terminal and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchrig.errors import unknown
from benchrig.report.figures import Figures
from benchrig.report.notes import Note, notes_of, reference
from benchrig.report.published import Headings
from benchrig.report.table import Row, Table

NOTHING = "–"
"""Stands where there is no figure."""


@dataclass(frozen=True)
class Column:
    """A column: its name (as in CSV and JSON), its English heading, and the text of a row's figure in it."""

    key: str
    heading: str
    text: Callable[[Row], str]
    shown: Callable[[Table], bool] = lambda _: True


@dataclass(frozen=True)
class Grid:
    """A table as text: headings, one tuple of texts a row, and the notes that the last column refers to by number."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...]


def grid(table: Table, lang: str = "en") -> Grid:
    """Return a table as text, with headings in `lang`: `en`, or the language of the published document.

    Raises InputError naming the languages there are when it is neither.
    """
    headings = _headings(table, lang)
    columns = [column for column in COLUMNS if column.shown(table)]
    notes = notes_of(table.rows)
    rows = tuple((*(column.text(row) for column in columns), reference(row, notes)) for row in table.rows)
    titles = tuple(getattr(headings, column.key) or column.heading for column in columns)
    return Grid((*titles, headings.remarks or "remarks"), rows, notes)


def languages(table: Table) -> tuple[str, ...]:
    """Return the languages that a table has headings in."""
    return ("en", table.published.source.language) if table.published else ("en",)


def milliseconds(value: float | None) -> str:
    """Write a latency as wrk does: `65.47ms`, `1.99s`."""
    if value is None:
        return NOTHING
    return f"{value:.2f}ms" if round(value, 2) < 1000 else f"{value / 1000:.2f}s"


def _headings(table: Table, lang: str) -> Headings:
    if lang not in languages(table):
        raise unknown("language", lang, languages(table))
    return table.published.headings if table.published and lang != "en" else Headings()


def _of(text: Callable[[Figures], str]) -> Callable[[Row], str]:
    return lambda row: text(row.figures) if row.figures else NOTHING


def _around(median: float, low: float, high: float) -> str:
    """Write two figures by how far they are from their median: `-3%/+5%`."""
    return f"{low / median - 1:+.0%}/{high / median - 1:+.0%}" if median else NOTHING


def _spread(figures: Figures) -> str:
    throughput = figures.requests_per_second
    return _around(throughput.median, throughput.low, throughput.high)


def _interval(figures: Figures) -> str:
    throughput = figures.requests_per_second
    return _around(throughput.median, *throughput.interval) if throughput.interval else NOTHING


def _cpu(figures: Figures) -> str:
    return NOTHING if figures.server_cpu_percent is None else f"{figures.server_cpu_percent:.0f}%"


def _published(row: Row) -> str:
    return f"{row.published.requests_per_second:,.2f}" if row.published else NOTHING


def _ratio(row: Row) -> str:
    return NOTHING if row.ratio is None else f"{row.ratio:,.{2 if row.ratio < 100 else 0}f}"


def _compared(table: Table) -> bool:
    return table.published is not None


def _repeated(table: Table) -> bool:
    return any(row.repeats > 1 for row in table.rows)


def _has_intervals(table: Table) -> bool:
    return any(row.figures and row.figures.requests_per_second.interval for row in table.rows)


COLUMNS: Sequence[Column] = (
    Column("system", "system", lambda row: row.system),
    Column("connections", "conns", lambda row: f"{row.connections:,}"),
    Column("requests", "total\nrequests", _of(lambda figures: f"{figures.requests:,}")),
    Column("requests_per_second", "requests/s", _of(lambda figures: f"{figures.requests_per_second.median:,.2f}")),
    Column("spread", "min/max", _of(_spread), lambda table: _repeated(table) and not _has_intervals(table)),
    Column("interval", "95%\ninterval", _of(_interval), _has_intervals),
    Column("latency_mean_ms", "mean\nlatency", _of(lambda figures: milliseconds(figures.latency_mean_ms))),
    Column("latency_max_ms", "max\nlatency", _of(lambda figures: milliseconds(figures.latency_max_ms))),
    Column("latency_p50_ms", "p50", _of(lambda figures: milliseconds(figures.latency_p50_ms))),
    Column("latency_p99_ms", "p99", _of(lambda figures: milliseconds(figures.latency_p99_ms))),
    Column("errors", "errors", _of(lambda figures: f"{figures.errors.total:,}")),
    Column("server_cpu_percent", "server\nCPU", _of(_cpu)),
    Column("published_requests_per_second", "published\nrequests/s", _published, _compared),
    Column("ratio", "ratio", _ratio, _compared),
    Column("rank", "#", lambda row: str(row.rank or NOTHING)),
)
