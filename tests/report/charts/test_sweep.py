"""The chart of sweeps: systems at several numbers of connections, in their order."""

from __future__ import annotations

import pytest

from benchrig.report import Report
from benchrig.report.charts import sweep
from benchrig.report.charts.chart import Chart
from benchrig.report.table import Row
from tests.support.charted import CHINESE, HOSTILE, LONG, a_row, report_of
from tests.support.drawings import drawings, faults


def chart(report: Report) -> Chart:
    (found,) = sweep.draw(report)
    return found


def at(connections: int, *throughput: float, p99: float = 100.0, system: str = "Go", **changes: object) -> Row:
    return a_row(f"{system}-{connections}", *throughput, p99=p99, system=system, connections=connections, **changes)


def swept(system: str, *throughput: float) -> list[Row]:
    return [at(10**n, value, p99=5.0 * n, system=system) for n, value in enumerate(throughput, 1)]


@pytest.mark.parametrize(
    "rows",
    [
        swept("Go", 100, 200, 300),
        swept("Go", 5, 5, 5),
        swept("Go", 0.1, 1e6),
        swept("Go", 0, 0),
        [row for name in (LONG, CHINESE, HOSTILE) for row in swept(name, 100, 200, 300)],
        [row for n in range(12) for row in swept(f"system {n}", 100.0 * n, 200, 300.0 + n)],
        [
            at(connections, peak * connections / (connections + 300), p99=base * (1 + connections / 200), system=name)
            for name, peak, base in (("Go", 19_000, 2), ("Sanic", 9_000, 3), ("FastAPI", 400, 20))
            for connections in (10, 50, 200, 1_000, 5_000, 20_000)
        ],
        [at(10, 5, p99=1.0), at(100, 5, 6, 7, p99=9_999.0, invalid=True)],
    ],
    ids=["three", "equal", "huge range", "zero", "names", "twelve systems", "saturating", "invalid"],
)
def test_nothing_is_outside_or_covered_whatever_the_data(rows: list[Row]) -> None:
    assert faults(chart(report_of(*rows))) == []


def test_a_system_with_one_number_of_connections_is_no_sweep() -> None:
    assert list(sweep.draw(report_of(at(10, 5), at(10, 6), at(20, 7, system="Sanic")))) == []
    assert list(sweep.draw(report_of(at(10, 5), at(20, 6, route="GET /films/")))) == []
    assert list(sweep.draw(report_of(at(10, 5, p99=0), at(20, 6, p99=0)))) == []


def test_points_are_joined_in_the_order_of_their_connections() -> None:
    found = chart(report_of(at(1000, 300, p99=90), at(10, 100, p99=10), at(100, 400, p99=20)))
    assert [row[1] for row in found.rows] == ["10", "100", "1,000"]
    wide, _ = drawings(found)
    # Two panels of three points, and one sign.
    points = wide.of("shape")
    assert len(points) == 7
    assert points[0].x < points[2].x < points[1].x
    assert points[0].y > points[1].y > points[2].y
    assert [text for text in wide.texts if text in ("10", "100", "1,000")].count("1,000") >= 2


def test_the_title_says_what_more_connections_did_and_whether_it_is_shown() -> None:
    few, many = [100.0 + n for n in range(6)], [200.0 + n for n in range(6)]
    shown = chart(report_of(at(10, *few, p99=10), at(1000, *many, p99=90))).title
    assert shown == (
        "With 1,000 connections instead of 10, Go answers 1.98 times as many requests (the repeats show it), "
        "and its p99 is 9.00 times as long"
    )
    same = chart(report_of(at(10, *few), at(1000, *few[::-1]))).title
    assert "the repeats do not tell them apart" in same
    assert "too few repeats" in chart(report_of(at(10, 5), at(1000, 9))).title


def test_more_systems_than_can_be_told_apart_are_left_out_and_named() -> None:
    found = chart(report_of(*(row for n in range(12) for row in swept(f"system {n}", 100, 200))))
    assert len({row[0] for row in found.rows}) == 8
    assert "12" in found.more


def test_a_point_of_an_invalid_row_is_hollow_and_the_legend_says_so() -> None:
    wide, _ = drawings(chart(report_of(at(10, 5), at(100, 9, invalid=True))))
    assert len(wide.of("hollow")) == 3
    assert "hollow: an invalid row" in wide.texts


def test_routes_and_hosts_tell_series_apart() -> None:
    rows = [at(n, 5.0 * n, route=route) for route in ("GET /a", "GET /b") for n in (10, 20)]
    assert {row[0] for row in chart(report_of(*rows)).rows} == {"Go GET /a", "Go GET /b"}
