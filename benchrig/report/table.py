"""The table that every report is made from: the rows of a run, each from the repeats of its cells, or of a published set.

Each figure is computed from what the load generator and the sampler measured, or is the article's own; each warning is
computed from the figures. Doubt is data: a row whose figures are invalid keeps them, and has no rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchrig.bench.generators.base import Printed
from benchrig.language import later, say
from benchrig.report import texts
from benchrig.report.courses import Course, courses_of
from benchrig.report.figures import Figures, figures_of, published_figures, text
from benchrig.report.latencies import histograms_of
from benchrig.report.metrics import LATENCY_CORRECTED_MEAN, LATENCY_MAX, LATENCY_MEAN, REQUESTS, THROUGHPUT, Metric
from benchrig.report.published import Published, PublishedRow
from benchrig.report.ranks import Contender, ranks
from benchrig.report.replies import Replies, replies_of
from benchrig.report.tidy import brief, tidy
from benchrig.report.verdict import Outcome
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell, LoadErrors, Network, Run, Status
from benchrig.results.warnings import Warning, over_repeats
from benchrig.statistics.ties import Rank


@dataclass(frozen=True)
class Beside:
    """A row compared with the row of the same name on the run's first server."""

    ratio: float | None
    """Throughput of the row over that of the other; None when one of them was not measured, or was 0."""
    outcome: Outcome


@dataclass(frozen=True)
class Row:
    """One row of the table: a system under one traffic at a number of connections, on one machine."""

    name: str
    system: str
    """What really ran; of a published row, its title."""
    connections: int
    """How many were asked for."""
    status: Status
    reason: str
    """Why it, or one of its repeats, failed or is not possible; empty when all were measured."""
    repeats: int
    """How many were measured; 1 of a published row."""
    figures: Figures = field(default_factory=dict)
    """What was measured of it; empty when nothing was."""
    app: str = ""
    """The app's folder; empty of a published row."""
    route: str = ""
    """The traffic that it was under: `GET /films/`."""
    timeout_seconds: float = 0.0
    """How long the load generator waited for a reply before it counted it as late."""
    sleep_seconds: float = 0.0
    """How long the app's handler waits on purpose; bounds throughput to connections / sleep."""
    connections_there: int | None = None
    """How many of them had a part in the load, in the repeat that had the fewest; None: all, or it is not known."""
    warnings: tuple[Warning, ...] = ()
    published: PublishedRow | None = None
    """The published row, where it was taken with as many connections and the same traffic."""
    rank: Rank | None = None
    """Its places by throughput among the valid rows of as many connections, the same traffic and the same server. None of a
    row that is alone among them, of too few repeats, or published."""
    versions: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    """The load generator's command line."""
    replies: Replies | None = None
    """Its replies by status and by route; None where they were not counted."""
    histograms: tuple[str, ...] = ()
    """The latencies of each repeat, as `results/histogram.py` encodes them; empty where a repeat has none."""
    courses: tuple[Course, ...] = ()
    """What the sampler read in each measured repeat that has a series."""
    raw: tuple[str, ...] = ()
    """The load generator's output of each repeat, as paths relative to the run's folder, or to `configs/published/`."""
    journals: tuple[str, ...] = ()
    """What its app wrote in each repeat, as paths relative to the run's folder; none of a repeat that has no such text."""
    host: str = ""
    """The machine that it ran on; empty of a published row."""
    several: bool = False
    """Rows of the same name ran on other servers."""
    load_on_server: bool = True
    """The load generator ran on that machine, too."""
    measured_with: Mapping[str, str] = field(default_factory=dict)
    """What each of its cells was measured with, by name, as far as it is known: duration, threads, cores, open files."""
    shares_cpus: bool = False
    """And it shared that machine's CPUs with the app: the figures are of both."""
    database_on_server: bool = False
    """The database, where it has one, ran on that machine, too."""
    network: Network | None = None
    """What lay between load generator and server; None where they were one machine, or it was not measured."""
    beside: Beside | None = None
    """With several servers: how the row compares with the first server's; None on the first server."""

    @property
    def label(self) -> str:
        """The row's name, with its machine where rows of that name ran on several."""
        return say("{row} on {host}", row=self.name, host=self.host) if self.several else self.name

    @property
    def invalid(self) -> bool:
        """The figures are shown, and must not be ranked."""
        return any(warning.invalid for warning in self.warnings)

    @property
    def ceiling(self) -> float | None:
        """Requests/s that its connections allow where each request waits on purpose; None where none does."""
        return self.connections / self.sleep_seconds if self.sleep_seconds > 0 and self.connections > 0 else None

    @property
    def at_ceiling(self) -> bool:
        """The connections allowed no more requests in half of its repeats or more: throughput says nothing of the system."""
        at = (warning for warning in self.warnings if warning.code is Code.CEILING)
        return any(2 * warning.seen_in.low >= warning.repeats.low for warning in at)

    @property
    def ratio(self) -> float | None:
        """Throughput measured here over the published one."""
        throughput = self.value(THROUGHPUT)
        published = self.published.figures[THROUGHPUT.name] if self.published else 0.0
        return throughput / published if throughput is not None and published else None

    def value(self, metric: Metric) -> float | None:
        """Return the value of a metric over all repeats, combined as the metric says; None where it has no value."""
        sample = self.figures.get(metric.name)
        return sample.value if sample else None

    def text(self, metric: Metric) -> str:
        """Return the value of a metric as people's reports show it."""
        return text(self.figures.get(metric.name), metric)


@dataclass(frozen=True)
class Table:
    """The rows of a run in the order of its suite, or those of a published set in the order of its document."""

    origin: Run | Published
    """Where the rows come from."""
    rows: tuple[Row, ...]
    not_run: tuple[str, ...] = ()
    """The rows that the run never came to."""
    published: Published | None = None
    """The published figures that a run is compared with."""
    lacks_repeats: bool = False
    """Of a row that was begun, some repeats are neither measured nor failed."""
    suite_rows: tuple[str, ...] = ()
    """The rows that the run's suite has now; empty where it cannot be read."""
    published_profile: str = ""
    """The profile of the run's suite that has their timeout; empty where none has."""
    label: str = ""
    """What the user calls the run; empty where it has no label."""
    left_out: int = 0
    """How many rows the user left out of it."""

    @property
    def name(self) -> str:
        """The run's folder name, or the published set's name."""
        return self.origin.name

    @property
    def title(self) -> str:
        """What was compared, in words."""
        return self.origin.title if isinstance(self.origin, Published) else self.origin.suite_title or self.origin.suite

    @property
    def run(self) -> Run | None:
        """The run; None of a published set."""
        return None if isinstance(self.origin, Published) else self.origin

    @property
    def source(self) -> Published | None:
        """The published set of the table: its origin, or the one that a run is compared with."""
        return self.origin if isinstance(self.origin, Published) else self.published

    @property
    def first_server(self) -> str:
        """The server that the others are compared with; empty where there are no others."""
        return self.run.servers[0] if self.run and self.run.compares_servers else ""

    @property
    def incomplete(self) -> bool:
        """The run was interrupted, or is still going on. With all its cells it is complete, noted or not."""
        return self.run is not None and (bool(self.not_run) or (self.lacks_repeats and not self.run.finished_at))


def make(run: Run, cells: Iterable[Cell], published: Published | None = None) -> Table:
    """Return the table of a run's cells, with the published figures beside them."""
    run = tidy(run)
    figures = published.rows if published else {}
    rows: list[Row] = []
    not_run: list[str] = []
    lacks_repeats = False
    for (name, host), repeats in _repeats(run, cells).items():
        lacks_repeats |= len(repeats) < run.repeats or run.goes_on
        several = run.compares_servers and host in run.servers
        if repeats:
            rows.append(_row(repeats, figures.get(name), run, several))
        else:
            not_run.append(later("{row} on {host}", row=name, host=host) if several else name)
    return Table(run, ranked(rows), tuple(not_run), published, lacks_repeats)


def _repeats(run: Run, cells: Iterable[Cell]) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of every row by its name and its machine, in the order of the suite and of the servers.

    Of a row that the run never came to, there are none.
    """
    by_name: dict[str, list[Cell]] = {name: [] for name in run.rows}
    for cell in cells:
        by_name.setdefault(cell.name, []).append(cell)
    grouped: dict[tuple[str, str], list[Cell]] = {}
    for name, repeats in by_name.items():
        hosts = list(dict.fromkeys(cell.host for cell in repeats))
        if run.compares_servers and set(hosts) <= set(run.servers):
            hosts = list(run.servers)
        for host in hosts or [""]:
            grouped[name, host] = [cell for cell in repeats if cell.host == host]
    return grouped


def of_published(published: Published) -> Table:
    """Return the table of published figures, with warnings as if they were measured here.

    It has no ranks: each figure is one value, from which no difference can be shown.
    """
    return Table(published, tuple(_published_row(name, published) for name in published.rows))


def on_first_server(table: Table) -> Table:
    """Return the part of a table that was measured on its first server, as if there were no other."""
    if not (table.first_server and table.run):
        return table
    rows = tuple(replace(row, several=False) for row in table.rows if not row.several or row.host == table.first_server)
    names = {row.name for row in rows}
    run = replace(table.run, servers=(table.first_server,))
    return replace(table, origin=run, rows=rows, not_run=tuple(name for name in run.rows if name not in names))


def _row(cells: Sequence[Cell], published: PublishedRow | None, run: Run, several: bool) -> Row:
    measured = [cell for cell in cells if cell.status == "measured" and cell.load]
    first = tidy((measured or cells)[0])
    there = min((few for cell in measured if (few := audit.connections_there(cell)) is not None), default=None)
    missed = [brief(cell) for cell in cells if not (cell.status == "measured" and cell.load)]
    return Row(
        name=first.name,
        system=first.system,
        connections=first.connections,
        status=_status(cells, measured),
        reason=missed[0].reason if missed else "",
        repeats=len(measured),
        figures=figures_of(measured),
        app=first.app,
        route=first.route,
        timeout_seconds=first.timeout_seconds,
        sleep_seconds=first.sleep_seconds,
        connections_there=there,
        warnings=_warnings(measured, missed, run),
        published=published if published and there is None and _same_traffic(published, first) else None,
        versions=first.versions,
        command=first.generator.command if first.generator else (),
        replies=replies_of(measured),
        histograms=histograms_of(measured),
        courses=courses_of(measured),
        raw=tuple(cell.raw for cell in cells if cell.raw),
        journals=tuple(cell.journal for cell in cells if cell.journal),
        host=first.host,
        several=several,
        load_on_server=first.load_on_server,
        measured_with=_measured_with(measured),
        shares_cpus=bool(measured) and first.load_on_server and "app" not in first.pinned,
        database_on_server=bool(first.database and first.database.on_server),
        network=run.network_to(first.host),
    )


def _measured_with(cells: Sequence[Cell]) -> Mapping[str, str]:
    """Return what cells were measured with; of what differs between them, all values."""
    values = {
        "duration": [f"{cell.duration_seconds:g} s" for cell in cells],
        "threads": [str(cell.threads) for cell in cells],
        "cores of the load generator": [str(cell.cores) for cell in cells if cell.cores],
        "open files of the server": [f"{cell.server_open_files:,}" for cell in cells if cell.server_open_files],
        "requests sent at once": [str(cell.load.depth) for cell in cells if cell.load and cell.load.depth],
    }
    return {name: ", ".join(dict.fromkeys(texts)) for name, texts in values.items() if texts}


def _same_traffic(published: PublishedRow, cell: Cell) -> bool:
    """Say whether a published row had the same load as ours; a document with one route need not name it."""
    return published.connections == cell.connections and published.route in ("", cell.route)


def _published_row(name: str, published: Published) -> Row:
    row, source, text = published.rows[name], published.source, published.printed.get(name)
    throughput = row.figures[THROUGHPUT.name]
    # The text has figures that the table lacks, such as percentiles; where both have one, the table's is judged.
    printed = Printed(errors=LoadErrors(timeout=row.timeouts)) if text is None else text
    # That of a run is of one of its repeats: its figures would contradict the medians of all.
    printed = Printed(errors=printed.errors) if source.run else printed
    found = texts.measured(printed, default_timeout_seconds=source.timeout_seconds)
    # The law and the shares of the audit need a count: where the article gives none, its throughput does.
    requests = row.figures.get(REQUESTS.name) or throughput * source.duration_seconds
    corrected = row.figures.get(LATENCY_CORRECTED_MEAN.name, found.latency_mean_ms)
    measured = replace(
        found,
        connections=row.connections,
        requests=round(requests),
        requests_per_second=throughput,
        latency_mean_ms=row.figures.get(LATENCY_MEAN.name, corrected) if source.run else corrected,
        latency_max_ms=row.figures.get(LATENCY_MAX.name, found.latency_max_ms),
        timeout_seconds=source.timeout_seconds,
        sleep_seconds=row.sleep_seconds,
        duration_seconds=requests / throughput if source.run else found.duration_seconds or source.duration_seconds,
        # Of our own rows, the law was applied to each repeat, with all that is known of it.
        always_busy=found.always_busy and not source.run,
        pipeline=1,
        missing=(),
    )
    return Row(
        name=name,
        system=row.title,
        connections=row.connections,
        status="measured",
        reason="",
        repeats=1,
        figures=published_figures(row, text),
        route=row.route,
        timeout_seconds=source.timeout_seconds,
        sleep_seconds=row.sleep_seconds,
        warnings=audit.load_warnings(measured),
        raw=(row.raw,) if row.raw else (),
    )


def _status(cells: Sequence[Cell], measured: Sequence[Cell]) -> Status:
    if measured:
        return "measured"
    return "failed" if any(cell.status == "failed" for cell in cells) else "not_possible"


def _warnings(measured: Sequence[Cell], missed: Sequence[Cell], run: Run) -> tuple[Warning, ...]:
    """Return the warnings about a row, merged over its repeats; an invalid repeat makes the row invalid."""
    detected = [warning for cell in measured for warning in audit.warnings(cell, run)]
    return (*over_repeats(detected, len(measured)), *audit.repeat_warnings(measured, missed, run))


def ranked(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rank each valid row among those with as many connections, the same traffic and machine."""
    found = ranks([_contender(row) for row in rows])
    return tuple(replace(row, rank=rank) for row, rank in zip(rows, found, strict=True))


def _contender(row: Row) -> Contender | None:
    """Return what a row is ranked by; None of one that must not be ranked."""
    sample = row.figures.get(THROUGHPUT.name)
    if sample is None or row.invalid:
        return None
    return Contender(sample.values, _conditions(row), row.ceiling)


def _conditions(row: Row) -> tuple[object, ...]:
    """Return what rows must share to be ranked together; for services that are not ours, the host does not count."""
    return row.connections, row.route, row.host if row.several else ""
