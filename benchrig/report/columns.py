"""The columns a reader sees, in order, with the text of each figure: one definition for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchrig.errors import unknown
from benchrig.report.figures import Figures
from benchrig.report.footnotes import Note, notes_of, reference
from benchrig.report.published import Headings, PublishedRow
from benchrig.report.table import Row, Table
from benchrig.results.model import bits_per_second

NOTHING = "–"
"""Stands where there is no figure."""

_CONNECTIONS = "connections"


@dataclass(frozen=True)
class Column:
    """A column: its name (as in CSV and JSON), its English heading, and the text of a row's figure in it."""

    key: str
    heading: str
    text: Callable[[Row], str]
    shown: Callable[[Table], bool] = lambda _: True
    only_files: bool = False
    """Too much for a terminal: only the files have it."""
    words: bool = False
    """Text, and no figure: it stands to the left."""


@dataclass(frozen=True)
class Grid:
    """A table as text: its columns with their headings, one tuple of texts a row, and the notes on them.

    The last column is not one of `columns`: it has the remarks, which refer to the notes by number.
    """

    columns: tuple[Column, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...]


def grid(table: Table, columns: Sequence[Column], lang: str = "en") -> Grid:
    """Return these columns of a table as text, with headings in `lang`: `en`, or the language of the published document.

    Raises InputError naming the languages there are when it is neither.
    """
    headings = _headings(table, lang)
    notes = notes_of(table.rows)
    rows = tuple((*(column.text(row) for column in columns), reference(row, notes)) for row in table.rows)
    titles = tuple(getattr(headings, column.key, "") or column.heading for column in columns)
    return Grid(tuple(columns), (*titles, headings.remarks or "remarks"), rows, notes)


def of_files(table: Table) -> tuple[Column, ...]:
    """Return all columns that a table has something to show in."""
    return tuple(column for column in COLUMNS if column.shown(table))


def of_terminal(table: Table) -> tuple[Column, ...]:
    """Return those of them that a terminal has; the row's name only where two lines would otherwise read the same."""
    columns = [column for column in of_files(table) if not column.only_files]
    if not _told_apart([tuple(column.text(row) for column in columns if _is_asked(column)) for row in table.rows]):
        columns.insert(1, _NAME)
    return tuple(columns)


def needed(grid: Grid) -> frozenset[str]:
    """Return the keys of the columns that no lines can do without, as their words alone do not tell them apart."""
    words = sum(column.words for column in grid.columns)
    return frozenset() if _told_apart([row[:words] for row in grid.rows]) else frozenset({_CONNECTIONS})


def _told_apart(lines: Sequence[tuple[str, ...]]) -> bool:
    return len(set(lines)) == len(lines)


def _is_asked(column: Column) -> bool:
    """Say whether a column tells what was measured, and not what came of it."""
    return column.words or column.key == _CONNECTIONS


def languages(table: Table) -> tuple[str, ...]:
    """Return the languages that a table has headings in."""
    return ("en", table.source.source.language) if table.source else ("en",)


def milliseconds(value: float | None) -> str:
    """Write a latency as wrk does: `65.47ms`, `1.99s`."""
    if value is None:
        return NOTHING
    return f"{value:.2f}ms" if round(value, 2) < 1000 else f"{value / 1000:.2f}s"


def interval(figures: Figures) -> str:
    """Write the confidence interval of throughput by how far its ends are from the median: `-3%/+5%`."""
    throughput = figures.requests_per_second
    return _around(throughput.median, *throughput.interval) if throughput.interval else NOTHING


def errors(figures: Figures) -> str:
    """Write how many errors there were together."""
    return f"{figures.errors.total:,}" if figures.errors_told else NOTHING


def ratio(value: float | None) -> str:
    """Write a quotient with two decimals, and a large one without."""
    return NOTHING if value is None else f"{value:,.{2 if value < 100 else 0}f}"


def _headings(table: Table, lang: str) -> Headings:
    if lang not in languages(table):
        raise unknown("language", lang, languages(table))
    return table.source.headings if table.source and lang != "en" else Headings()


def _of(text: Callable[[Figures], str]) -> Callable[[Row], str]:
    return lambda row: text(row.figures) if row.figures else NOTHING


def _around(median: float, low: float, high: float) -> str:
    """Write two figures by how far they are from their median: `-3%/+5%`."""
    return f"{low / median - 1:+.0%}/{high / median - 1:+.0%}" if median else NOTHING


def _spread(figures: Figures) -> str:
    throughput = figures.requests_per_second
    return _around(throughput.median, throughput.low, throughput.high)


def _count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _cpu(figures: Figures) -> str:
    return NOTHING if figures.server_cpu_percent is None else f"{figures.server_cpu_percent:.0f}%"


def _published(text: Callable[[PublishedRow], str]) -> Callable[[Row], str]:
    return lambda row: text(row.published) if row.published else NOTHING


def _compared(table: Table) -> bool:
    return table.published is not None


def _repeated(table: Table) -> bool:
    return any(row.repeats > 1 for row in table.rows)


def _has_intervals(table: Table) -> bool:
    return any(row.figures and row.figures.requests_per_second.interval for row in table.rows)


def _several(table: Table) -> bool:
    return bool(table.first_server)


def _networks(table: Table) -> bool:
    """Say whether not all rows were loaded over the same network: one alone stands above the table."""
    return len({row.network for row in table.rows}) > 1


def _network(row: Row) -> str:
    if row.network is None:
        return NOTHING
    trip = milliseconds(row.network.rtt_us_median / 1000)
    return f"{trip}, {bits_per_second(row.network.bandwidth_bits_per_second)}"


def _ratio_to_first(row: Row) -> str:
    return ratio(row.beside.ratio) if row.beside else NOTHING


def _against_first(row: Row) -> str:
    """Write the verdict without its reason, which `report.json` and `report.csv` have."""
    return row.beside.verdict.partition(" (")[0] if row.beside else NOTHING


def _has_routes(table: Table) -> bool:
    return len({row.route for row in table.rows}) > 1


def _shown_by(figure: Callable[[Figures], float | None]) -> Callable[[Table], bool]:
    """Show a column where a row has that figure; documents do not give all of them."""
    return lambda table: any(row.figures and figure(row.figures) is not None for row in table.rows)


def _told(by: Callable[[PublishedRow], bool]) -> Callable[[Table], bool]:
    """Show a column of published figures where the document has any of them."""
    return lambda table: any(row.published and by(row.published) for row in table.rows)


_NAME = Column("name", "row", lambda row: row.name, only_files=True, words=True)

COLUMNS: Sequence[Column] = (
    _NAME,
    Column("system", "system", lambda row: row.system, words=True),
    Column("route", "route", lambda row: row.route or NOTHING, _has_routes, words=True),
    Column("host", "host", lambda row: row.host, _several, words=True),
    Column("network", "network", _network, _networks, only_files=True, words=True),
    Column(_CONNECTIONS, "conns", lambda row: f"{row.connections:,}"),
    Column(
        "requests",
        "total\nrequests",
        _of(lambda figures: _count(figures.requests)),
        _shown_by(lambda figures: figures.requests),
    ),
    Column("requests_per_second", "requests/s", _of(lambda figures: f"{figures.requests_per_second.median:,.2f}")),
    Column("spread", "min/max", _of(_spread), lambda table: _repeated(table) and not _has_intervals(table)),
    Column("interval", "95%\ninterval", _of(interval), _has_intervals),
    Column(
        "latency_mean_ms",
        "mean\nlatency",
        _of(lambda figures: milliseconds(figures.latency_mean_ms)),
        _shown_by(lambda figures: figures.latency_mean_ms),
    ),
    Column(
        "latency_max_ms",
        "max\nlatency",
        _of(lambda figures: milliseconds(figures.latency_max_ms)),
        _shown_by(lambda figures: figures.latency_max_ms),
    ),
    Column(
        "latency_p50_ms",
        "p50",
        _of(lambda figures: milliseconds(figures.latency_p50_ms)),
        _shown_by(lambda figures: figures.latency_p50_ms),
    ),
    Column(
        "latency_p99_ms",
        "p99",
        _of(lambda figures: milliseconds(figures.latency_p99_ms)),
        _shown_by(lambda figures: figures.latency_p99_ms),
    ),
    Column("errors", "errors", _of(errors), _shown_by(lambda figures: figures.errors_told or None)),
    Column("stored", "rows\nstored", _of(lambda figures: _count(figures.stored)), _shown_by(lambda figures: figures.stored)),
    Column("server_cpu_percent", "server\nCPU", _of(_cpu), _shown_by(lambda figures: figures.server_cpu_percent)),
    Column(
        "published_requests_per_second",
        "published\nrequests/s",
        _published(lambda row: f"{row.requests_per_second:,.2f}"),
        _compared,
    ),
    Column(
        "published_latency_mean_ms",
        "published\nmean",
        _published(lambda row: milliseconds(row.latency_mean_ms)),
        _told(lambda row: row.latency_mean_ms is not None),
        only_files=True,
    ),
    Column(
        "published_latency_max_ms",
        "published\nmax",
        _published(lambda row: milliseconds(row.latency_max_ms)),
        _told(lambda row: row.latency_max_ms is not None),
        only_files=True,
    ),
    Column(
        "published_timeouts",
        "published\ntimeouts",
        _published(lambda row: f"{row.timeouts:,}" if row.timeouts_told else NOTHING),
        _told(lambda row: row.timeouts_told),
        only_files=True,
    ),
    Column("ratio", "ratio", lambda row: ratio(row.ratio), _compared),
    Column("ratio_to_first", "ratio\nto first", _ratio_to_first, _several),
    Column("against_first", "against\nfirst", _against_first, _several),
    Column("rank", "#", lambda row: str(row.rank or NOTHING)),
)
