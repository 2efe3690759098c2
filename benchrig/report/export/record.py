"""The flat record of a row that JSON and CSV are written from: unrounded values, with the units in their names."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from typing import Any

from benchrig.report.metrics import METRICS, THROUGHPUT, Metric
from benchrig.report.table import Row
from benchrig.results.model import Remark, Status


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """The fields before the metrics: the name of the row and its status."""

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


@dataclass(frozen=True, kw_only=True)
class _Comparisons:
    """The fields after the metrics: bounds of throughput, comparisons, the network, the remarks."""

    requests_per_second_min: float | None
    requests_per_second_max: float | None
    requests_per_second_ci95_low: float | None
    requests_per_second_ci95_high: float | None
    published_title: str | None
    published_timeouts: int | None
    ratio: float | None
    ratio_to_first: float | None
    against_first: str | None
    rtt_us_median: float | None
    rtt_us_p99: float | None
    bandwidth_bits_per_second: float | None
    remarks: tuple[Remark, ...]


def _field(metric: Metric, prefix: str = "") -> tuple[str, Any, Any]:
    """Return the field of a metric; with a prefix, that of its published value."""
    return f"{prefix}{metric.name}", metric.value_type | None, field(metadata={"description": metric.meaning})


_Metrics: Any = make_dataclass(
    "_Metrics",
    [
        *(_field(metric) for metric in METRICS),
        *(_field(metric, "published_") for metric in METRICS if metric.published),
    ],
    frozen=True,
    kw_only=True,
    namespace={"__module__": __name__, "__doc__": "The median of each metric, and its published value."},
)

Record: Any = make_dataclass(
    "Record",
    [],
    bases=(_Comparisons, _Metrics, _Identity),
    frozen=True,
    kw_only=True,
    namespace={
        "__module__": __name__,
        "__doc__": "One entry of `rows` in `report.json`, and one line of `report.csv`. None means no value.",
    },
)


def record(row: Row) -> Any:
    """Return a row of the table as a flat Record."""
    network, published, throughput = row.network, row.published, row.figures.get(THROUGHPUT.name)
    bounds = throughput.interval if throughput else None
    given = published.figures if published else {}
    return Record(
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
        **{metric.name: row.value(metric) for metric in METRICS},
        **{f"published_{metric.name}": given.get(metric.name) for metric in METRICS if metric.published},
        requests_per_second_min=throughput.low if throughput else None,
        requests_per_second_max=throughput.high if throughput else None,
        requests_per_second_ci95_low=bounds[0] if bounds else None,
        requests_per_second_ci95_high=bounds[1] if bounds else None,
        published_title=published.title if published else None,
        published_timeouts=published.timeouts if published and published.counts_timeouts else None,
        ratio=row.ratio,
        ratio_to_first=row.beside.ratio if row.beside else None,
        against_first=row.beside.outcome.text if row.beside else None,
        rtt_us_median=network.rtt_us_median if network else None,
        rtt_us_p99=network.rtt_us_p99 if network else None,
        bandwidth_bits_per_second=network.bandwidth_bits_per_second if network else None,
        remarks=row.remarks,
    )
