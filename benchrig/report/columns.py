"""The columns of a report's table, in order, with the text of each cell: one definition for terminal, Markdown and HTML.

The metrics' columns come from the registry in `metrics.py`; the others are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchrig.errors import unknown
from benchrig.language import say
from benchrig.report import sentences
from benchrig.report.figures import is_spare
from benchrig.report.footnotes import Footnote, footnotes, reference
from benchrig.report.legend import ASSUMED, is_assumed
from benchrig.report.metrics import ALWAYS, BY_NAME, FILES_ONLY, METRICS, THROUGHPUT, Metric
from benchrig.report.published import Headings, PublishedRow
from benchrig.report.ranks import places
from benchrig.report.table import Row, Table
from benchrig.units import COUNT, NOTHING, around, bits_per_second, milliseconds, ratio

_CONNECTIONS = "connections"


@dataclass(frozen=True)
class Column:
    """A column: its name (as in CSV and JSON), its English heading, and the text of a row in it."""

    key: str
    heading: str
    text: Callable[[Row], str]
    shown: Callable[[Table], bool] = lambda _: True
    priority: float = ALWAYS
    """A terminal that is too narrow drops the column with the lowest one first."""
    words: bool = False
    """Text and not a value: it is aligned to the left."""


@dataclass(frozen=True)
class Grid:
    """A table as text: its columns with their headings, one tuple of texts a row, and its footnotes.

    The last column is not one of `columns`: it has the warnings, which refer to the footnotes by number.
    """

    columns: tuple[Column, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[Footnote, ...]


def grid(table: Table, columns: Sequence[Column], lang: str = "en") -> Grid:
    """Return these columns of a table as text, with headings in `lang`: `en`, or the language of the published document.

    Raises InputError naming the languages there are when it is neither.
    """
    headings = _headings(table, lang)
    notes = footnotes(table.rows)
    rows = tuple((*(column.text(row) for column in columns), reference(row, notes)) for row in table.rows)
    titles = tuple(getattr(headings, column.key, "") or column.heading for column in columns)
    return Grid(tuple(columns), (*titles, headings.warnings or "warnings"), rows, notes)


def of_files(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table in Markdown and HTML: those that have something to show."""
    return tuple(column for column in COLUMNS if column.shown(table))


def of_terminal(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table on a terminal; the row's name only where two lines would otherwise read the same."""
    columns = [column for column in of_files(table) if column.priority != FILES_ONLY and not _is_spare(column, table)]
    if not _distinct([tuple(column.text(row) for column in columns if _is_asked(column)) for row in table.rows]):
        columns.insert(1, _NAME)
    return tuple(columns)


def _is_spare(column: Column, table: Table) -> bool:
    metric = BY_NAME.get(column.key)
    return metric is not None and is_spare(metric, (row.figures for row in table.rows))


def dropped_first(grid: Grid) -> tuple[int, ...]:
    """Return the indices of the columns that a narrow terminal does without, the least important one first.

    The number of connections is not among them where rows do not differ in their words.
    """
    words = sum(column.words for column in grid.columns)
    needed = "" if _distinct([row[:words] for row in grid.rows]) else _CONNECTIONS
    columns = [(i, column) for i, column in enumerate(grid.columns) if not column.words and column.key != needed]
    spare = [i for i, column in columns if column.priority < ALWAYS]
    return tuple(sorted(spare, key=lambda i: grid.columns[i].priority))


def _distinct(lines: Sequence[tuple[str, ...]]) -> bool:
    return len(set(lines)) == len(lines)


def _is_asked(column: Column) -> bool:
    """Say whether a column names what was measured, as opposed to a result."""
    return column.words or column.key == _CONNECTIONS


def languages(table: Table) -> tuple[str, ...]:
    """Return the languages that a table has headings in."""
    return ("en", table.source.source.language) if table.source else ("en",)


def interval(row: Row) -> str:
    """Write the confidence interval of throughput by how far its ends are from the median: `-3.2%/+5.1%`.

    A mark stands behind it where it rests on an assumption.
    """
    throughput = row.figures.get(THROUGHPUT.name)
    if not (throughput and throughput.interval):
        return NOTHING
    ends = around(throughput.median, throughput.interval.low, throughput.interval.high)
    return f"{ends}{ASSUMED if is_assumed(row) else ''}"


def _headings(table: Table, lang: str) -> Headings:
    if lang not in languages(table):
        raise unknown("language", lang, languages(table))
    return table.source.headings if table.source and lang != "en" else Headings()


def _spread(row: Row) -> str:
    throughput = row.figures.get(THROUGHPUT.name)
    return around(throughput.median, throughput.low, throughput.high) if throughput else NOTHING


def _published(text: Callable[[PublishedRow], str]) -> Callable[[Row], str]:
    return lambda row: text(row.published) if row.published else NOTHING


def _compared(table: Table) -> bool:
    return table.published is not None


def _repeated(table: Table) -> bool:
    return any(row.repeats > 1 for row in table.rows)


def _has_intervals(table: Table) -> bool:
    return any(interval(row) != NOTHING for row in table.rows)


def _has_ranks(table: Table) -> bool:
    return any(row.rank for row in table.rows)


def _several(table: Table) -> bool:
    return bool(table.first_server)


def _networks(table: Table) -> bool:
    """Say whether rows were loaded over different networks; a single network is named above the table."""
    return len({row.network for row in table.rows}) > 1


def _network(row: Row) -> str:
    if row.network is None:
        return NOTHING
    trip = milliseconds(row.network.rtt_us_median / 1000)
    return f"{trip}, {bits_per_second(row.network.bandwidth_bits_per_second)}"


def _ratio_to_first(row: Row) -> str:
    return ratio(row.beside.ratio) if row.beside else NOTHING


def _against_first(row: Row) -> str:
    """Return the outcome's word alone; `report.json` and `report.csv` have its reason as well."""
    return sentences.answer(row.beside.outcome) if row.beside else NOTHING


def _has_routes(table: Table) -> bool:
    return len({row.route for row in table.rows}) > 1


def _of_metric(metric: Metric) -> Column:
    """Return a metric's column; one that a narrow terminal may drop is left out where no row has a value."""
    return Column(
        metric.name,
        metric.heading,
        lambda row: row.text(metric),
        lambda table: metric.priority == ALWAYS or any(metric.name in row.figures for row in table.rows),
        metric.priority,
    )


def _of_published(metric: Metric) -> Column:
    """Return the column of what a document gives for a metric, left out where it gives nothing."""
    return Column(
        f"published_{metric.name}",
        f"published\n{metric.label}",
        _published(lambda row: metric.unit.exact(row.figures.get(metric.name))),
        _compared if metric is THROUGHPUT else _given(lambda row: metric.name in row.figures),
        40 if metric is THROUGHPUT else FILES_ONLY,
    )


def _given(by: Callable[[PublishedRow], bool]) -> Callable[[Table], bool]:
    """Show a column of published figures where the article has any of them."""
    return lambda table: any(row.published and by(row.published) for row in table.rows)


def _of_metrics() -> Iterator[Column]:
    for metric in METRICS:
        yield _of_metric(metric)
        if metric is THROUGHPUT:
            yield Column("spread", "min/max", _spread, lambda table: _repeated(table) and not _has_intervals(table), 70)
            yield Column("interval", "95%\ninterval", interval, _has_intervals, 120)


def _connections(row: Row) -> str:
    asked = COUNT.text(row.connections)
    if row.connections_there is None:
        return asked
    return say("{there} of {asked}", there=COUNT.text(row.connections_there), asked=asked)


_NAME = Column("name", "row", lambda row: row.name, priority=FILES_ONLY, words=True)

COLUMNS: Sequence[Column] = (
    _NAME,
    Column("system", "system", lambda row: row.system, words=True),
    Column("route", "route", lambda row: row.route or NOTHING, _has_routes, words=True),
    Column("host", "host", lambda row: row.host, _several, words=True),
    Column("network", "network", _network, _networks, FILES_ONLY, words=True),
    Column(_CONNECTIONS, "conns", _connections, priority=90),
    *_of_metrics(),
    *(_of_published(metric) for metric in METRICS if metric.published),
    Column(
        "published_timeouts",
        "published\ntimeouts",
        _published(lambda row: COUNT.text(row.timeouts if row.counts_timeouts else None)),
        _given(lambda row: row.counts_timeouts),
        FILES_ONLY,
    ),
    Column("ratio", "ratio", lambda row: ratio(row.ratio), _compared, 80),
    Column("ratio_to_first", "ratio\nto first", _ratio_to_first, _several, 160),
    Column("against_first", "against\nfirst", _against_first, _several, 150),
    Column("rank", "#", lambda row: places(row.rank), _has_ranks, 130),
)
