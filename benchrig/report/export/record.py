"""The flat record of a row that JSON and CSV are written from: unrounded values, with the units in their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Any

from benchrig.report.metrics import METRICS, THROUGHPUT, Metric
from benchrig.report.sentences import outcome, sentence
from benchrig.report.table import Row
from benchrig.results.codes import Code
from benchrig.results.model import Status
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import Number, Value, Warning


@dataclass(frozen=True, kw_only=True)
class WarningRecord:
    """One entry of a row's `warnings`."""

    code: Code
    host: str
    """The machine that it is about; empty where it is about several, or about published figures."""
    values: Mapping[str, Value]
    """What it rests on. Over several repeats, a number is the range from `low` to `high`."""
    spoils: tuple[Spoils, ...]
    """What it casts doubt on; `rank`: the values are right, but the row must not be ranked by them."""
    invalid: bool
    """It makes the row invalid."""
    seen_in: Number
    """In how many repeats it was detected."""
    repeats: Number
    """How many repeats were measured."""
    text: str
    """Its sentence."""


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """The fields before the metrics: the name of the row and its status."""

    name: str
    system: str
    host: str
    route: str
    connections: int
    connections_there: int | None
    status: Status
    reason: str
    rank: int | None
    """The first of the places that the row can have; `rank_last` is the last of them."""
    rank_last: int | None
    invalid: bool
    repeats: int


@dataclass(frozen=True, kw_only=True)
class _Comparisons:
    """The fields after the metrics: bounds of throughput, comparisons, the network, the warnings."""

    requests_per_second_min: float | None
    requests_per_second_max: float | None
    requests_per_second_ci95_low: float | None
    requests_per_second_ci95_high: float | None
    requests_per_second_ci95_assumed: bool | None
    """The interval rests on an assumption: there are 3 to 5 repeats."""
    published_title: str | None
    published_timeouts: int | None
    ratio: float | None
    ratio_to_first: float | None
    against_first: str | None
    rtt_us_median: float | None
    rtt_us_p99: float | None
    bandwidth_bits_per_second: float | None
    shares_cpus: bool
    warnings: tuple[WarningRecord, ...]


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
    namespace={"__module__": __name__, "__doc__": "The value of each metric over all repeats, and its published value."},
)

RowRecord: Any = make_dataclass(
    "RowRecord",
    [],
    bases=(_Comparisons, _Metrics, _Identity),
    frozen=True,
    kw_only=True,
    namespace={
        "__module__": __name__,
        "__doc__": "One entry of `rows` in `report.json`, and one line of `report.csv`. None means no value.",
    },
)


def _warning(warning: Warning) -> WarningRecord:
    return WarningRecord(
        code=warning.code,
        host=warning.host,
        values=warning.values,
        spoils=tuple(spoiled for spoiled in Spoils if spoiled in warning.spoils),
        invalid=warning.invalid,
        seen_in=warning.seen_in,
        repeats=warning.repeats,
        text=sentence(warning),
    )


def record(row: Row) -> Any:
    """Return a row of the table as a flat RowRecord."""
    network, published, throughput = row.network, row.published, row.figures.get(THROUGHPUT.name)
    bounds = throughput.interval if throughput else None
    given = published.figures if published else {}
    return RowRecord(
        name=row.name,
        system=row.system,
        host=row.host,
        route=row.route,
        connections=row.connections,
        connections_there=row.connections_there,
        status=row.status,
        reason=row.reason,
        rank=row.rank.first if row.rank else None,
        rank_last=row.rank.last if row.rank else None,
        invalid=row.invalid,
        repeats=row.repeats,
        **{metric.name: row.value(metric) for metric in METRICS},
        **{f"published_{metric.name}": given.get(metric.name) for metric in METRICS if metric.published},
        requests_per_second_min=throughput.low if throughput else None,
        requests_per_second_max=throughput.high if throughput else None,
        requests_per_second_ci95_low=bounds.low if bounds else None,
        requests_per_second_ci95_high=bounds.high if bounds else None,
        requests_per_second_ci95_assumed=bounds.assumed if bounds else None,
        published_title=published.title if published else None,
        published_timeouts=published.timeouts if published and published.counts_timeouts else None,
        ratio=row.ratio,
        ratio_to_first=row.beside.ratio if row.beside else None,
        against_first=outcome(row.beside.outcome) if row.beside else None,
        rtt_us_median=network.rtt_us_median if network else None,
        rtt_us_p99=network.rtt_us_p99 if network else None,
        bandwidth_bits_per_second=network.bandwidth_bits_per_second if network else None,
        shares_cpus=row.shares_cpus,
        warnings=tuple(map(_warning, row.warnings)),
    )
