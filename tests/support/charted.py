"""Reports made up for tests of charts: rows with the values that a test chooses."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report import Report
from benchrig.report.figures import sample
from benchrig.report.metrics import BY_NAME, THROUGHPUT
from benchrig.report.published import PublishedRow
from benchrig.report.table import Row, Table
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning
from tests.support.reports import PUBLISHED, a_run


def a_row(
    name: str, *throughput: float, published: float = 0, p99: float = 0, invalid: bool = False, **changes: object
) -> Row:
    """Return a row with these repeats, of a load of 2,000 connections and no sleep; p50 is half of p99."""
    figures = {THROUGHPUT.name: sample(throughput, THROUGHPUT)} if throughput else {}
    for metric, value in (("latency_p99_ms", p99), ("latency_p50_ms", p99 / 2)):
        if p99:
            figures[metric] = sample([value] * len(throughput), BY_NAME[metric])
    row = Row(
        name=name,
        system=name,
        connections=2000,
        status="measured" if throughput else "failed",
        reason="" if throughput else "it does not answer",
        repeats=len(throughput),
        figures=figures,
        published=PublishedRow(title=name, connections=2000, found_in="table 1", figures={THROUGHPUT.name: published})
        if published
        else None,
        warnings=(Warning(Code.STEAL, invalid=True),) if invalid else (),
    )
    return replace(row, **changes)


def report_of(*rows: Row) -> Report:
    """Return the report of a run with these rows."""
    return Report(Table(a_run(*(row.name for row in rows)), rows, published=PUBLISHED))


LONG = "a-name-that-no-chart-has-room-for-and-that-goes-on-and-on-2000"
CHINESE = "使用协程的异步框架在两千个连接下的吞吐量与延迟的对比测试结果"
HOSTILE = """</text><script>alert(1)</script>"'&amp;]]>{{ 7 * 7 }}\x1b[31m"""

SHAPES = {
    "one row, one repeat": report_of(a_row("go", 19_000)),
    "forty rows and more": report_of(
        *(a_row(f"row-{n}", 100.0 * n, 101.0 * n + 3, 99.0 * n, published=90.0 * n) for n in range(1, 58))
    ),
    "long and wide names": report_of(*(a_row(name, 10, 11, published=9) for name in (LONG, CHINESE, "W" * 300, "x"))),
    "hostile name": report_of(a_row(HOSTILE, 10, 11, 12, published=9), a_row("x", 1)),
    "zero": report_of(a_row("none", 0, 0, 0, published=10), a_row("go", 19_000, 19_100), a_row("slow", 9)),
    "nothing but zero": report_of(a_row("none", 0, 0, 0, published=0.1)),
    "equal": report_of(*(a_row(name, *[500.0] * 6, published=500) for name in ("go", "sanic"))),
    "huge range": report_of(a_row("slow", 0.1, 0.12, 0.09, published=0.1), a_row("fast", 1e6, 1.1e6, 9e5, published=2e6)),
    "outlier": report_of(a_row("go", *[19_000.0] * 9, 3.0, published=18_000)),
    "invalid": report_of(a_row("go", 19_000, 18_000, 17_000, published=20_000, invalid=True)),
    "not measured": report_of(a_row("go", 19_000), a_row("sanic"), a_row("rust", status="not_possible")),
    "ceiling": report_of(a_row("go", 19_000, published=19_640, sleep_seconds=0.1), a_row("sanic", 90, sleep_seconds=0.1)),
}
"""Reports of every shape of data that a chart must bear, by what is special about them."""
