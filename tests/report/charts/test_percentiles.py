"""The chart of latency by percentile: its points are those of the histogram, as far as the replies support them."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from benchrig.report import Report, load
from benchrig.report.charts import percentiles
from benchrig.report.charts.chart import Chart
from benchrig.report.latency_curves import LatencyCurve, curve_of
from benchrig.report.table import Row
from benchrig.results.histogram import Histogram
from tests.support.charted import CHINESE, HOSTILE, LONG, SHAPES, a_row, report_of
from tests.support.drawings import drawings, faults
from tests.support.reports import ROOT, every_kind
from tests.support.timed import histogram_of, log_normal, sixteen, timed


def chart(report: Report) -> Chart:
    (found,) = percentiles.draw(report)
    return found


def curve(row: Row) -> LatencyCurve:
    found = curve_of(row)
    assert found
    return found


def test_a_measured_point_is_the_median_of_the_repeats_percentiles() -> None:
    repeats = [log_normal(20_000, seed=seed) for seed in range(6)]
    histograms = [histogram_of(values) for values in repeats]

    def percentile(percent: float) -> float:
        return statistics.median(one.percentile(percent) for one in histograms) / 1e3

    measured = {point.place: point.milliseconds for point in curve(timed("go", *repeats)).measured}
    assert len(measured) > 30
    for place, milliseconds in measured.items():
        assert milliseconds == percentile(100 - 100 / place)
    for percent in (50, 90, 99, 99.9, 99.99):
        assert measured[round(100 / (100 - percent), 6)] == percentile(percent)


@pytest.mark.parametrize(("replies", "last"), [(100, 10), (1000, 100), (5000, 500), (10**6, 10_000)])
def test_a_curve_ends_where_ten_replies_are_slower(replies: int, last: float) -> None:
    values = log_normal(1000) * max(1, replies // 1000)
    assert curve(timed("go", values[:replies])).measured[-1].place == last


def test_too_few_replies_make_no_curve() -> None:
    assert curve_of(timed("go", log_normal(19))) is None
    assert list(percentiles.draw(report_of(timed("go", log_normal(19))))) == []


def test_one_bad_repeat_moves_no_curve_and_the_table_has_the_same_p99() -> None:
    row = timed("go", *(log_normal(3000, seed=seed) for seed in range(5)), log_normal(3000, 1e7))
    p99 = next(point for point in curve(row).measured if point.place == 100)
    assert p99.milliseconds == pytest.approx(row.figures["latency_p99_ms"].value)


def test_corrected_points_are_the_percentiles_that_the_load_generator_printed() -> None:
    found = curve(timed("go", log_normal(5000), corrected=1.5))
    assert [round(point.place) for point in found.corrected] == [2, 4, 10, 100]
    names = [f"latency_corrected_p{percent}_ms" for percent in (50, 75, 90, 99)]
    assert [point.milliseconds for point in found.corrected] == [found.row.figures[name].value for name in names]


def test_a_row_without_a_histogram_has_the_percentiles_that_are_known() -> None:
    row = timed("go", log_normal(5000), corrected=1.5)
    known = curve(replace(row, histograms=()))
    assert [point.milliseconds for point in known.measured] == [
        row.figures[name].value for name in ("latency_p50_ms", "latency_p75_ms", "latency_p90_ms", "latency_p99_ms")
    ]
    damaged = curve(replace(row, histograms=("not a histogram",)))
    assert damaged.measured == known.measured


def test_a_curve_ends_at_the_share_of_replies_that_came_in_time() -> None:
    found = curve(timed("go", log_normal(950), log_normal(950), late=50))
    assert found.clipped_at == 20
    assert found.measured[-1].place == 20
    assert all(point.place <= 20 for point in found.corrected)
    for drawing in drawings(chart(report_of(found.row))):
        assert len({(mark.x, mark.y) for mark in drawing.of("cross")}) == 2
        assert any("timeout" in said for said in drawing.texts)
        cross, end = drawing.of("cross")[0], drawing.of("line", "measured")[0]
        assert cross.x == pytest.approx(end.right, abs=1)
        assert cross.y < end.top


def test_a_row_whose_replies_all_came_late_is_a_cross() -> None:
    found = curve(replace(timed("go", log_normal(100), late=100), histograms=(), figures=_all_late()))
    assert (found.points, found.clipped_at) == ((), 2.0)
    assert list(percentiles.draw(report_of(found.row))) == []
    beside = chart(report_of(found.row, timed("x", log_normal(300))))
    assert faults(beside) == []
    assert all(len(drawing.of("cross")) == 4 for drawing in drawings(beside))  # its own, and that of the legend


def _all_late() -> dict[str, object]:
    figures = dict(timed("go", log_normal(100), late=100).figures)
    late = {name: figures[name] for name in ("requests", "errors_timeout", "requests_per_second")}
    return late | {"requests": replace(figures["requests"], values=(100,), value=100)}


def test_few_rows_share_a_plot_and_each_has_its_label_and_its_shape() -> None:
    names = [f"row-{number}" for number in range(8)]
    report = report_of(*(timed(name, log_normal(3000, 1e3 * 2**number)) for number, name in enumerate(names)))
    for drawing in drawings(chart(report)):
        assert {text for text in drawing.texts if text in names} == set(names)
        assert len(drawing.of("line", "measured")) == 8 + 1  # and its sign in the legend
        ends = [drawing.of("shape", f"s{number}")[0] for number in range(1, 9)]
        assert [end.y for end in ends] == sorted((end.y for end in ends), reverse=True)


def test_many_rows_have_a_panel_each_with_one_scale() -> None:
    report = report_of(*(timed(f"row-{number}", log_normal(3000, 1e3 * 2**number)) for number in range(9)))
    wide, narrow = drawings(chart(report))
    assert len({round(mark.left) for mark in wide.of("strong")}) == 4
    assert len({round(mark.left) for mark in narrow.of("strong")}) == 2
    # Each panel has the percentiles below it; each upright axis has enough ticks; nothing is filled.
    for drawing in (wide, narrow):
        assert drawing.texts.count("p50") == drawing.texts.count("p99") == 9
        assert "percentile of the replies" in drawing.texts
        assert drawing.of("band") == []
        assert len(drawing.of("repeat")) == 9 + 1


def test_long_names_of_panels_are_different_in_each() -> None:
    names = [f"flask-gevent-{n}-patched{end}" for n in range(5) for end in ("", "-first")]
    for drawing in drawings(chart(report_of(*(timed(name, log_normal(300)) for name in names)))):
        said = " ".join(mark.said for mark in drawing.of("strong"))
        assert "…" not in said
        assert said.count("first") == 5


def test_an_axis_of_two_decades_has_more_than_two_ticks() -> None:
    report = report_of(*(timed(f"row-{n}", log_normal(3000, 6e3 * 1.5**n)) for n in range(10)))
    wide, _ = drawings(chart(report))
    first = [mark for mark in wide.of("small") if mark.said.endswith(" ms") and mark.right < 60]
    assert len({mark.said for mark in first}) >= 3


def test_of_many_repeats_some_are_read_and_it_says_so() -> None:
    found = chart(report_of(timed("go", *(log_normal(100, seed=seed) for seed in range(120)))))
    assert found.more == "Of a row with more than 50 repeats, 50 at most are in it, evenly chosen."


def test_at_most_forty_rows_are_drawn() -> None:
    found = chart(report_of(*(timed(f"row-{number}", log_normal(200)) for number in range(57))))
    assert "40" in found.more
    assert len({row[0] for row in found.rows}) == 40


def test_the_title_has_the_lowest_and_the_highest_p99_and_whether_it_is_shown() -> None:
    fast = timed("fast", *(log_normal(3000, 1e4, seed=seed) for seed in range(6)))
    slow = timed("slow", *(log_normal(3000, 1e6, seed=seed) for seed in range(6)))
    title = chart(report_of(slow, fast)).title
    assert title.startswith("fast has the lowest p99")
    assert "slow is 99 times" in title or "slow is 100 times" in title or "slow is 101 times" in title
    assert title.endswith("the repeats show it")
    alone = chart(report_of(timed("a", log_normal(3000)), timed("b", log_normal(3000, 2e5)))).title
    assert alone.endswith("too few repeats to show it")
    same = chart(report_of(*(timed(name, *(log_normal(3000, seed=seed) for seed in range(6))) for name in "ab"))).title
    assert same.endswith("the repeats do not tell them apart")


def test_the_values_behind_it_are_in_milliseconds() -> None:
    row = timed("go", [1500.0] * 1000)
    assert chart(report_of(row)).rows[0] == ("go", "as measured", "1.500", "1.500", "1.500", "–", "–", "1,000")


ODD = {
    "one value": report_of(timed("go", [100_000.0] * 5000)),
    "zero latency": report_of(timed("go", [0.0] * 5000)),
    "an hour and a microsecond": report_of(timed("a", [3.5e9] * 100), timed("b", [1.0] * 100)),
    "long and wide names": report_of(*(timed(name, log_normal(3000)) for name in (LONG, CHINESE, HOSTILE, "W" * 300, "x"))),
    "long names in panels": report_of(*(timed(f"{n}{CHINESE}{LONG}", log_normal(300)) for n in range(12))),
    "all late but some": report_of(timed("go", log_normal(30), late=3000), timed("x", log_normal(3000))),
    "the same latencies": report_of(*(timed(f"row-{number}", log_normal(3000)) for number in range(8))),
    "sixteen": sixteen(),
}


@pytest.mark.parametrize("report", ODD.values(), ids=ODD)
def test_nothing_is_outside_or_covered_whatever_the_data(report: Report) -> None:
    assert faults(chart(report)) == []


@pytest.mark.parametrize("report", [*SHAPES.values(), every_kind(), load("web-frameworks", ROOT)])
def test_reports_without_latencies_or_without_histograms_are_drawn_too(report: Report) -> None:
    for found in percentiles.draw(report):
        assert faults(found) == []


def test_an_empty_histogram_is_none() -> None:
    from benchrig.results.histogram import encode

    assert curve_of(a_row("go", 10, histograms=(encode(Histogram({})),))) is None


def test_sixteen_rows_are_small() -> None:
    found = chart(sixteen())
    assert len(found.wide) + len(found.narrow) < 40_000
