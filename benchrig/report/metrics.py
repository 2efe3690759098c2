"""The registry of metrics: one entry each, with its name, unit, heading, kind, and how it is read from a result.

Terminal, Markdown, HTML, CSV, JSON, comparison, claims and published figures read it: a new metric is one entry here.
It is in `report/` because an entry says how a metric is shown; `results/` stores what was measured and knows no heading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchrig.report.readers import (
    generator_cpu_percent,
    milliseconds,
    of_latency,
    of_load,
    of_server,
    percentile,
    percentile_text,
)
from benchrig.results.warnings import Spoils
from benchrig.units import BYTES, COUNT, MILLISECONDS, NUMBER, PERCENT_OF_A_CORE, REQUESTS_PER_SECOND, Unit

if TYPE_CHECKING:
    from benchrig.bench.generators.base import Printed
    from benchrig.results.model import Cell

Kind = Literal["higher is better", "lower is better", "count"]

FILES_ONLY = 0.0
"""The priority of a column that a terminal never shows."""

ALWAYS = math.inf
"""The priority of a column that a terminal always shows."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric: what was measured of a row, and how every report shows it."""

    name: str
    """Its key in CSV, JSON, published figures and headings; it ends with the unit."""
    heading: str
    """Heads its column on the terminal, in Markdown and in HTML; `\\n` is where the line may break."""
    meaning: str
    """What it is, in one line of docs/metrics.md."""
    unit: Unit
    kind: Kind
    """The repeats of a count are combined to the lower median, which is one of them; those of the others to the median."""
    read: Callable[[Cell], float | None]
    """Returns its value in one measured repeat; None where the repeat has none."""
    read_text: Callable[[Printed], float | None] = lambda _: None
    """Returns its value in the load generator's own text, which a document may print."""
    priority: float = FILES_ONLY
    """A terminal that is too narrow drops the column with the lowest priority first."""
    compared: bool = False
    """`./inv compare` shows it."""
    published: bool = False
    """The table of a document may give it: it is a key of `configs/published/NAME.yml`."""
    grows: bool = False
    """It grows with the duration: a claim compares it only with a value over the same duration."""
    function: str = ""
    """Its function in the language of claims; without one, its name without the unit."""
    sum_of: tuple[str, ...] = ()
    """The metrics that it is the sum of: its median is the sum of their medians, so that the parts of a table add up."""

    @property
    def claimed(self) -> str:
        """The function that reads it in the language of claims: `latency_p99`."""
        return self.function or self.name.removesuffix(self.unit.ending)

    @property
    def spoiled_by(self) -> Spoils:
        """What a warning must spoil to make it invalid: latencies, counts, or rates, among them use of CPU and memory."""
        if self.kind == "count":
            return Spoils.COUNTS
        return Spoils.LATENCY if self.unit is MILLISECONDS else Spoils.RATE

    @property
    def value_type(self) -> Any:
        """The type of its values: `int` for a count, else `float`."""
        return int if self.kind == "count" else float

    @property
    def label(self) -> str:
        """Its heading in one line."""
        return self.heading.replace("\n", " ")


THROUGHPUT = Metric(
    name="requests_per_second",
    heading="requests/s",
    meaning="replies over the load generator's own duration",
    unit=REQUESTS_PER_SECOND,
    kind="higher is better",
    read=of_load(lambda load: load.requests_per_second),
    read_text=lambda text: text.requests_per_second,
    priority=ALWAYS,
    compared=True,
    published=True,
    function="throughput",
)
"""Rows are ranked and compared by it."""

REQUESTS = Metric(
    name="requests",
    heading="total\nrequests",
    meaning="replies that the load generator counted, late ones among them",
    unit=COUNT,
    kind="count",
    read=of_load(lambda load: load.requests),
    read_text=lambda text: text.requests,
    priority=10,
    published=True,
    grows=True,
)

LATENCY_MEAN = Metric(
    name="latency_mean_ms",
    heading="mean\nlatency",
    meaning="mean latency",
    unit=MILLISECONDS,
    kind="lower is better",
    read=of_latency(lambda latency: latency.mean_us),
    read_text=lambda text: milliseconds(text.latency_mean_us),
    priority=60,
    published=True,
)

LATENCY_MAX = Metric(
    name="latency_max_ms",
    heading="max\nlatency",
    meaning="slowest reply within the load generator's timeout",
    unit=MILLISECONDS,
    kind="lower is better",
    read=of_latency(lambda latency: latency.max_us),
    read_text=lambda text: milliseconds(text.latency_max_us),
    priority=20,
    published=True,
)

ERRORS = Metric(
    name="errors",
    heading="errors",
    meaning="the five error counters together",
    unit=COUNT,
    kind="count",
    read=of_load(lambda load: load.errors.total),
    read_text=lambda text: text.errors.total,
    priority=140,
    compared=True,
    grows=True,
    sum_of=("errors_connect", "errors_read", "errors_write", "errors_timeout", "errors_status"),
)

TIMEOUTS = Metric(
    name="errors_timeout",
    heading="timeouts",
    meaning="replies that came after the load generator's timeout",
    unit=COUNT,
    kind="count",
    read=of_load(lambda load: load.errors.timeout),
    read_text=lambda text: text.errors.timeout,
    grows=True,
    function="timeouts",
)

METRICS: tuple[Metric, ...] = (
    REQUESTS,
    THROUGHPUT,
    LATENCY_MEAN,
    Metric(
        name="latency_stdev_ms",
        heading="latency\nstdev",
        meaning="standard deviation of the latency",
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_latency(lambda latency: latency.stdev_us),
        read_text=lambda text: milliseconds(text.latency_stdev_us),
        published=True,
    ),
    Metric(
        name="latency_min_ms",
        heading="min\nlatency",
        meaning="fastest reply",
        unit=MILLISECONDS,
        kind="lower is better",
        read=of_latency(lambda latency: latency.min_us),
        published=True,
    ),
    LATENCY_MAX,
    Metric(
        name="latency_p50_ms",
        heading="p50",
        meaning="half of the replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("50"),
        read_text=percentile_text("50"),
        priority=30,
        published=True,
    ),
    Metric(
        name="latency_p75_ms",
        heading="p75",
        meaning="75 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("75"),
        read_text=percentile_text("75"),
        published=True,
    ),
    Metric(
        name="latency_p90_ms",
        heading="p90",
        meaning="90 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("90"),
        read_text=percentile_text("90"),
        published=True,
    ),
    Metric(
        name="latency_p99_ms",
        heading="p99",
        meaning="99 of 100 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("99"),
        read_text=percentile_text("99"),
        priority=110,
        compared=True,
        published=True,
    ),
    Metric(
        name="latency_p99_9_ms",
        heading="p99.9",
        meaning="999 of 1,000 replies were faster",
        unit=MILLISECONDS,
        kind="lower is better",
        read=percentile("99.9"),
        read_text=percentile_text("99.9"),
        published=True,
    ),
    ERRORS,
    Metric(
        name="errors_connect",
        heading="connect\nerrors",
        meaning="connections that could not be made",
        unit=COUNT,
        kind="count",
        read=of_load(lambda load: load.errors.connect),
        read_text=lambda text: text.errors.connect,
        grows=True,
    ),
    Metric(
        name="errors_read",
        heading="read\nerrors",
        meaning="connections that broke while a reply was read",
        unit=COUNT,
        kind="count",
        read=of_load(lambda load: load.errors.read),
        read_text=lambda text: text.errors.read,
        grows=True,
    ),
    Metric(
        name="errors_write",
        heading="write\nerrors",
        meaning="connections that broke while a request was sent",
        unit=COUNT,
        kind="count",
        read=of_load(lambda load: load.errors.write),
        read_text=lambda text: text.errors.write,
        grows=True,
    ),
    TIMEOUTS,
    Metric(
        name="errors_status",
        heading="status\nerrors",
        meaning="replies with another status than 2xx or 3xx",
        unit=COUNT,
        kind="count",
        read=of_load(lambda load: load.errors.status),
        read_text=lambda text: text.errors.status,
        grows=True,
    ),
    Metric(
        name="bytes",
        heading="data\nread",
        meaning="bytes that the load generator read, headers of replies included",
        unit=BYTES,
        kind="count",
        read=of_load(lambda load: load.bytes),
        read_text=lambda text: round(text.bytes),
        grows=True,
    ),
    Metric(
        name="stored",
        heading="rows\nstored",
        meaning="rows that the load added to the database, where it should add any",
        unit=COUNT,
        kind="count",
        read=lambda cell: cell.database.stored if cell.database else None,
        priority=100,
    ),
    Metric(
        name="sessions",
        heading="database\nsessions",
        meaning="sessions that were begun at the database during the load",
        unit=COUNT,
        kind="count",
        read=lambda cell: cell.database.sessions if cell.database else None,
    ),
    Metric(
        name="server_cpu_percent",
        heading="server\nCPU",
        meaning="CPU use of all the app's processes; 100 % is one core fully used",
        unit=PERCENT_OF_A_CORE,
        kind="lower is better",
        read=of_server(lambda server: server.cpu_percent),
        priority=50,
        function="cpu",
    ),
    Metric(
        name="server_memory_peak_bytes",
        heading="server\nmemory",
        meaning="most resident memory of all the app's processes together; a page that two of them share counts twice",
        unit=BYTES,
        kind="lower is better",
        read=of_server(lambda server: server.memory_peak_bytes),
    ),
    Metric(
        name="load_average",
        heading="load\naverage",
        meaning="load average of the server over the last minute, at the end of the load",
        unit=NUMBER,
        kind="lower is better",
        read=of_server(lambda server: server.load_average),
    ),
    Metric(
        name="listen_overflows",
        heading="listen\noverflows",
        meaning="times that the kernel found the server's listen backlog full",
        unit=COUNT,
        kind="count",
        read=of_server(lambda server: server.listen_overflows),
    ),
    Metric(
        name="listen_drops",
        heading="listen\ndrops",
        meaning="connections that the server's kernel dropped before the server accepted them",
        unit=COUNT,
        kind="count",
        read=of_server(lambda server: server.listen_drops),
    ),
    Metric(
        name="retransmits",
        heading="TCP\nretransmits",
        meaning="TCP segments that the server's machine sent again",
        unit=COUNT,
        kind="count",
        read=of_server(lambda server: server.retransmits),
    ),
    Metric(
        name="time_wait_peak",
        heading="peak\nTIME_WAIT",
        meaning="most closed connections that the server's machine held in TIME_WAIT at once",
        unit=COUNT,
        kind="count",
        read=of_server(lambda server: server.time_wait_peak),
    ),
    Metric(
        name="generator_cpu_percent",
        heading="generator\nCPU",
        meaning="CPU use of the load generator; 100 % is one core fully used",
        unit=PERCENT_OF_A_CORE,
        kind="lower is better",
        read=generator_cpu_percent,
    ),
)
"""Every metric, in the order of a report's columns. To add one, add an entry."""

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
