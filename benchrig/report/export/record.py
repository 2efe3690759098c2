"""A row of the table as programs read it: flat, unrounded, units in the names. JSON and CSV are written from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchrig.report.figures import Figures
from benchrig.report.published import PublishedRow
from benchrig.report.table import Row
from benchrig.results.model import Remark, Status


@dataclass(frozen=True, kw_only=True)
class Record:
    """One entry of `rows` in `report.json`, and one line of `report.csv`. A figure that there is not is None."""

    name: str
    system: str
    host: str
    route: str
    connections: int
    status: Status
    reason: str
    rank: int | None
    invalid: bool
    repeats: int
    requests: int | None = None
    requests_per_second: float | None = None
    requests_per_second_min: float | None = None
    requests_per_second_max: float | None = None
    requests_per_second_ci95_low: float | None = None
    requests_per_second_ci95_high: float | None = None
    latency_mean_ms: float | None = None
    latency_max_ms: float | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    errors: int | None = None
    errors_connect: int | None = None
    errors_read: int | None = None
    errors_write: int | None = None
    errors_timeout: int | None = None
    errors_status: int | None = None
    server_cpu_percent: float | None = None
    server_memory_peak_bytes: float | None = None
    listen_overflows: int | None = None
    stored: int | None = None
    sessions: int | None = None
    published_title: str | None = None
    published_requests_per_second: float | None = None
    published_latency_mean_ms: float | None = None
    published_latency_max_ms: float | None = None
    published_timeouts: int | None = None
    ratio: float | None
    ratio_to_first: float | None
    against_first: str | None
    rtt_us_median: float | None
    rtt_us_p99: float | None
    bandwidth_bits_per_second: float | None
    remarks: tuple[Remark, ...]


def record(row: Row) -> Record:
    """Return a row of the table as a flat record."""
    network = row.network
    bare = Record(
        name=row.name,
        system=row.system,
        host=row.host,
        route=row.route,
        connections=row.connections,
        status=row.status,
        reason=row.reason,
        rank=row.rank,
        invalid=row.invalid,
        repeats=row.repeats,
        ratio=row.ratio,
        ratio_to_first=row.beside.ratio if row.beside else None,
        against_first=row.beside.verdict if row.beside else None,
        rtt_us_median=network.rtt_us_median if network else None,
        rtt_us_p99=network.rtt_us_p99 if network else None,
        bandwidth_bits_per_second=network.bandwidth_bits_per_second if network else None,
        remarks=row.remarks,
    )
    measured = _with_figures(bare, row.figures) if row.figures else bare
    return _with_published(measured, row.published) if row.published else measured


def _with_published(record: Record, published: PublishedRow) -> Record:
    return replace(
        record,
        published_title=published.title,
        published_requests_per_second=published.requests_per_second,
        published_latency_mean_ms=published.latency_mean_ms,
        published_latency_max_ms=published.latency_max_ms,
        published_timeouts=published.timeouts if published.timeouts_told else None,
    )


def _with_figures(record: Record, figures: Figures) -> Record:
    throughput, errors = figures.requests_per_second, figures.errors
    return replace(
        record,
        requests=figures.requests,
        requests_per_second=throughput.median,
        requests_per_second_min=throughput.low,
        requests_per_second_max=throughput.high,
        requests_per_second_ci95_low=throughput.interval[0] if throughput.interval else None,
        requests_per_second_ci95_high=throughput.interval[1] if throughput.interval else None,
        latency_mean_ms=figures.latency_mean_ms,
        latency_max_ms=figures.latency_max_ms,
        latency_p50_ms=figures.latency_p50_ms,
        latency_p99_ms=figures.latency_p99_ms,
        errors=errors.total if figures.errors_told else None,
        errors_connect=errors.connect if figures.errors_told else None,
        errors_read=errors.read if figures.errors_told else None,
        errors_write=errors.write if figures.errors_told else None,
        errors_timeout=errors.timeout if figures.errors_told else None,
        errors_status=errors.status if figures.errors_told else None,
        server_cpu_percent=figures.server_cpu_percent,
        server_memory_peak_bytes=figures.server_memory_peak_bytes,
        listen_overflows=figures.listen_overflows,
        stored=figures.stored,
        sessions=figures.sessions,
    )
