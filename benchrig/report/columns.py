"""The columns of a report's table, in order, with the text of each cell: one definition for terminal, Markdown and HTML.

The metrics' columns come from the registry in `metrics.py`; the others are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchrig.language import ENGLISH, in_use, say, say_data
from benchrig.report import figures, sentences
from benchrig.report.figures import is_spare
from benchrig.report.footnotes import Footnote, footnotes, reference
from benchrig.report.legend import ASSUMED, is_assumed
from benchrig.report.metrics import ALWAYS, BY_NAME, FILES_ONLY, METRICS, THROUGHPUT, Metric
from benchrig.report.published import Headings, PublishedRow
from benchrig.report.ranks import places
from benchrig.report.table import Row, Table
from benchrig.units import COUNT, NOTHING, PERCENT, PLAIN, Scale, around, bits_per_second, milliseconds, ratio

_CONNECTIONS = "connections"


@dataclass(frozen=True)
class Column:
    """A column: its name (as in CSV and JSON), its English heading, and what a row has in it."""

    key: str
    heading: str
    """Without its unit; `\\n` is where the line may break."""
    value: Callable[[Row], float | str | None]
    """Returns the raw value, which rows are sorted and chosen by; None where there is none."""
    text: Callable[[Row, Scale], str]
    """Writes the value on the scale of the column, without its unit."""
    shown: Callable[[Table], bool] = lambda _: True
    priority: float = ALWAYS
    """A terminal that is too narrow drops the column with the lowest one first."""
    words: bool = False
    """Text and not a value: it is aligned to the left."""
    scale: Callable[[Sequence[Row]], Scale] = lambda _: PLAIN
    """Chooses what all rows are written in."""
    fields: tuple[str, ...] = ()
    """Its fields in CSV; empty where its own name is its only one."""


@dataclass(frozen=True)
class Grid:
    """A table as text: its columns with their headings, one tuple of texts a row, and its footnotes.

    The last column is not one of `columns`: it has the warnings, which refer to the footnotes by number.
    """

    columns: tuple[Column, ...]
    headings: tuple[str, ...]
    units: tuple[str, ...]
    """The unit of each column, `ms`, or an empty text: the cells have numbers alone."""
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[Footnote, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """Its headings with their units."""
        return tuple(f"{heading} {unit}".strip() for heading, unit in zip(self.headings, self.units, strict=True))


def grid(table: Table, columns: Sequence[Column], *, own: bool = True) -> Grid:
    """Return these columns of a table as text.

    With `own`, the headings are the published document's if it is in the language in use. The page has many texts beside its
    table, and they call a thing what its column is called: it has our headings.
    """
    notes = footnotes(table.rows)
    scales = [column.scale(table.rows) for column in columns]
    rows = tuple(
        (*(column.text(row, scale) for column, scale in zip(columns, scales, strict=True)), reference(row, notes))
        for row in table.rows
    )
    headings = [_heading(column.key, column.heading, table, own=own) for column in columns]
    units = (*(scale.name for scale in scales), "")
    return Grid(tuple(columns), (*headings, _heading("warnings", "warnings", table, own=own)), units, rows, notes)


def _heading(key: str, english: str, table: Table, *, own: bool) -> str:
    """Return the heading of a column in the language in use: the published document's own, else its translation."""
    source = table.source
    given = source.headings if own and source and source.source.language == in_use() != ENGLISH else Headings()
    line = english.replace("\n", " ")
    said = getattr(given, key, "") or say_data(line)
    return english if said == line else said


def of_files(table: Table, chosen: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a table in Markdown and HTML: the chosen ones, or all that have something to show."""
    if chosen:
        return tuple(BY_KEY[key] for key in chosen)
    return tuple(column for column in COLUMNS if column.shown(table))


def of_terminal(table: Table, chosen: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a table on a terminal: the chosen ones, or the important ones that have something to show.

    Without a choice, the row's name is among them only where two lines would otherwise read the same.
    """
    if chosen:
        return of_files(table, chosen)
    columns = [column for column in of_files(table) if column.priority != FILES_ONLY and not _is_spare(column, table)]
    if not _distinct([tuple(column.text(row, PLAIN) for column in columns if _is_asked(column)) for row in table.rows]):
        columns.insert(1, _NAME)
    return tuple(columns)


def _is_spare(column: Column, table: Table) -> bool:
    metric = BY_NAME.get(column.key)
    return metric is not None and is_spare(metric, (row.figures for row in table.rows))


def dropped_first(grid: Grid, rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the indices of the columns that a narrow terminal does without, the least important one first.

    First come those that have nothing to tell. The number of connections is not among them where rows do not differ in
    their words.
    """
    words = sum(column.words for column in grid.columns)
    needed = "" if _distinct([row[:words] for row in grid.rows]) else _CONNECTIONS
    columns = [(i, column) for i, column in enumerate(grid.columns) if not column.words and column.key != needed]
    spare = [i for i, column in columns if column.priority < ALWAYS]
    return tuple(sorted(spare, key=lambda i: (not tells_nothing(grid.columns[i], rows), grid.columns[i].priority)))


def tells_nothing(column: Column, rows: Sequence[Row]) -> bool:
    """Say whether a column of values has none but 0 in any row."""
    return not column.words and not any(column.value(row) for row in rows)


def _distinct(lines: Sequence[tuple[str, ...]]) -> bool:
    return len(set(lines)) == len(lines)


def _is_asked(column: Column) -> bool:
    """Say whether a column names what was measured, as opposed to a result."""
    return column.words or column.key == _CONNECTIONS


def interval(row: Row) -> str:
    """Write the confidence interval of throughput by how far its ends are from the median, in percent: `-3.2/+5.1`.

    A mark stands behind it where it rests on an assumption.
    """
    throughput = row.figures.get(THROUGHPUT.name)
    if not (throughput and throughput.interval):
        return NOTHING
    ends = around(throughput.median, throughput.interval.low, throughput.interval.high)
    return f"{ends}{ASSUMED if is_assumed(row) else ''}"


def _spread(row: Row) -> str:
    throughput = row.figures.get(THROUGHPUT.name)
    return around(throughput.median, throughput.low, throughput.high) if throughput else NOTHING


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
        return ""
    trip = milliseconds(row.network.rtt_us_median / 1000)
    return f"{trip}, {bits_per_second(row.network.bandwidth_bits_per_second)}"


def _against_first(row: Row) -> str | None:
    """Return the outcome's word alone; `report.json` and `report.csv` have its reason as well."""
    return sentences.answer(row.beside.outcome) if row.beside else None


def _has_routes(table: Table) -> bool:
    return len({row.route for row in table.rows}) > 1


def _of_metric(metric: Metric) -> Column:
    """Return a metric's column; one that a narrow terminal may drop is left out where no row has a value."""
    return Column(
        metric.name,
        metric.heading,
        lambda row: row.value(metric),
        lambda row, scale: figures.cell(row.figures.get(metric.name), metric, scale),
        lambda table: metric.priority == ALWAYS or any(metric.name in row.figures for row in table.rows),
        metric.priority,
        scale=_scale_of(metric),
    )


def _of_published(metric: Metric) -> Column:
    """Return the column of what a document gives for a metric, left out where it gives nothing."""

    def value(row: Row) -> float | None:
        return row.published.figures.get(metric.name) if row.published else None

    return Column(
        f"published_{metric.name}",
        f"published\n{metric.label}",
        value,
        lambda row, scale: metric.unit.exact_cell(value(row), scale),
        _compared if metric is THROUGHPUT else _given(lambda row: metric.name in row.figures),
        40 if metric is THROUGHPUT else FILES_ONLY,
        scale=_scale_of(metric),
    )


def _scale_of(metric: Metric) -> Callable[[Sequence[Row]], Scale]:
    """Return what chooses the scale of a metric: one for what was measured and for what was published."""

    def scale(rows: Sequence[Row]) -> Scale:
        published = [row.published.figures.get(metric.name) for row in rows if row.published]
        values = (*(row.value(metric) for row in rows), *published)
        return metric.unit.scale(value for value in values if value is not None)

    return scale


def _given(by: Callable[[PublishedRow], bool]) -> Callable[[Table], bool]:
    """Show a column of published figures where the article has any of them."""
    return lambda table: any(row.published and by(row.published) for row in table.rows)


def _of_metrics() -> Iterator[Column]:
    for metric in METRICS:
        yield _of_metric(metric)
        if metric is THROUGHPUT:
            yield _around("spread", "min/max", _spread, lambda table: _repeated(table) and not _has_intervals(table), 70)
            yield _around("interval", "95%\ninterval", interval, _has_intervals, 120)


def _around(key: str, heading: str, text: Callable[[Row], str], shown: Callable[[Table], bool], priority: float) -> Column:
    """Return a column of how far throughput may be from its median; its value is how far the further end is, as a share."""
    ends = ("min", "max") if key == "spread" else ("ci95_low", "ci95_high", "ci95_assumed")

    def value(row: Row) -> float | None:
        throughput = row.figures.get(THROUGHPUT.name)
        found = throughput.interval if throughput and key == "interval" else throughput
        if not (throughput and found and throughput.median):
            return None
        return max(found.high - throughput.median, throughput.median - found.low) / throughput.median

    return Column(
        key,
        heading,
        value,
        lambda row, _: text(row),
        shown,
        priority,
        scale=lambda _: PERCENT,
        fields=tuple(f"{THROUGHPUT.name}_{end}" for end in ends),
    )


def _connections(row: Row) -> str:
    asked = COUNT.text(row.connections)
    if row.connections_there is None:
        return asked
    return say("{there} of {asked}", there=COUNT.text(row.connections_there), asked=asked)


def _words(
    key: str,
    heading: str,
    value: Callable[[Row], str],
    shown: Callable[[Table], bool] = lambda _: True,
    priority: float = ALWAYS,
    fields: tuple[str, ...] = (),
) -> Column:
    """Return a column of words; an empty one is a dash."""
    return Column(key, heading, value, lambda row, _: value(row) or NOTHING, shown, priority, words=True, fields=fields)


def _late(row: Row) -> float | None:
    return row.published.timeouts if row.published and row.published.counts_timeouts else None


_NAME = _words("name", "row", lambda row: row.name, priority=FILES_ONLY)

COLUMNS: Sequence[Column] = (
    _NAME,
    _words("system", "system", lambda row: row.system),
    _words("route", "route", lambda row: row.route, _has_routes),
    _words("host", "host", lambda row: row.host, _several),
    _words(
        "network",
        "network",
        _network,
        _networks,
        FILES_ONLY,
        ("rtt_us_median", "rtt_us_p99", "bandwidth_bits_per_second"),
    ),
    Column(
        _CONNECTIONS,
        "conns",
        lambda row: row.connections,
        lambda row, _: _connections(row),
        priority=90,
        fields=(_CONNECTIONS, "connections_there"),
    ),
    *_of_metrics(),
    *(_of_published(metric) for metric in METRICS if metric.published),
    Column(
        "published_timeouts",
        "published\ntimeouts",
        _late,
        lambda row, _: COUNT.text(_late(row)),
        _given(lambda row: row.counts_timeouts),
        FILES_ONLY,
    ),
    Column("ratio", "ratio", lambda row: row.ratio, lambda row, _: ratio(row.ratio), _compared, 80),
    Column(
        "ratio_to_first",
        "ratio\nto first",
        lambda row: row.beside.ratio if row.beside else None,
        lambda row, _: ratio(row.beside.ratio) if row.beside else NOTHING,
        _several,
        160,
    ),
    Column(
        "against_first",
        "against\nfirst",
        _against_first,
        lambda row, _: _against_first(row) or NOTHING,
        _several,
        150,
    ),
    Column(
        "rank",
        "#",
        lambda row: row.rank.first if row.rank else None,
        lambda row, _: places(row.rank),
        _has_ranks,
        130,
        fields=("rank", "rank_last"),
    ),
)

BY_KEY: Mapping[str, Column] = {column.key: column for column in COLUMNS}
