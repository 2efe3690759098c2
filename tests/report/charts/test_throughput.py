"""The chart of throughput: each value is where its axis says, and what is doubtful looks so."""

from __future__ import annotations

import pytest

from benchrig.report import Report
from benchrig.report.charts import throughput
from benchrig.report.charts.chart import Chart
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.summary import summary
from benchrig.report.summary.words import headline
from tests.support.charted import SHAPES, a_row, report_of
from tests.support.drawings import Drawing, drawings, faults, read


def chart(report: Report) -> Chart:
    (found,) = throughput.draw(report)
    return found


def place(drawing: Drawing, value: float) -> float:
    """Return where a value is, by the drawing's own grid on a linear axis from 0."""
    ticks = sorted(int(said) for mark in drawing.of("small") if (said := mark.said.replace(",", "")).isdigit())
    grid = [mark.x for mark in drawing.of("grid")]
    assert len(ticks) == len(grid)
    return grid[0] + (grid[-1] - grid[0]) * value / ticks[-1]


@pytest.mark.parametrize("report", SHAPES.values(), ids=SHAPES)
def test_nothing_is_outside_or_covered_whatever_the_data(report: Report) -> None:
    assert faults(chart(report)) == []


def test_no_row_with_a_figure_makes_no_chart() -> None:
    assert list(throughput.draw(report_of(a_row("go"), a_row("sanic")))) == []


def test_marks_are_at_their_values() -> None:
    values = (10_000, 12_000, 14_000, 16_000, 18_000, 19_000)
    report = report_of(a_row("go", *values, published=11_000, sleep_seconds=0.1), a_row("sanic", 5_000))
    for drawing in drawings(chart(report)):
        near = pytest.approx
        assert [mark.x for mark in drawing.of("dot")[:6]] == [near(place(drawing, value), abs=0.2) for value in values]
        assert drawing.of("median")[0].x == near(place(drawing, 15_000), abs=0.2)
        assert drawing.of("published")[0].x == near(place(drawing, 11_000), abs=0.2)
        assert drawing.of("ceiling")[0].x == near(place(drawing, 20_000), abs=0.2)
        low, high = (mark.x for mark in drawing.of("cap")[:2])
        interval = report.table.rows[0].figures[THROUGHPUT.name].interval
        assert interval
        assert [low, high] == [near(place(drawing, value), abs=0.2) for value in (interval.low, interval.high)]


def test_the_title_says_who_is_first_and_whether_that_is_shown() -> None:
    first, second = a_row("go", *(19_000.0 + n for n in range(6))), a_row("sanic", *(9_000.0 + n for n in range(6)))
    assert chart(report_of(first, second)).title == headline(summary(report_of(first, second)).findings[0])
    few = report_of(a_row("a", 5, connections=20), a_row("b", 5, connections=20), a_row("c", 9))
    assert chart(few).title.startswith("2 rows with 20 connections: ")
    assert chart(report_of(a_row("a", 5, connections=20, invalid=True), a_row("c"))).title.startswith("No row has a valid")


def test_rows_are_in_the_order_of_the_table_each_on_its_line() -> None:
    report = report_of(a_row("slow", 10), a_row("fast", 90), a_row("medium", 50))
    wide, _ = drawings(chart(report))
    labels = {mark.said: mark.y for mark in wide.marks if mark.said in ("slow", "fast", "medium")}
    assert list(labels) == ["slow", "fast", "medium"]
    ys = [mark.y for mark in wide.of("median")][:3]
    assert ys == [pytest.approx(y, abs=4) for y in labels.values()]
    xs = [mark.x for mark in wide.of("median")][:3]
    assert xs[0] < xs[2] < xs[1]


def test_the_scale_is_logarithmic_where_small_values_would_lie_at_zero() -> None:
    def axis(report: Report) -> bool:
        return any("log scale" in said for said in read(chart(report).wide).texts)

    assert axis(report_of(a_row("slow", 75), a_row("fast", 20_000)))
    assert not axis(report_of(a_row("slow", 8_000), a_row("fast", 20_000)))
    assert "log scale" in chart(report_of(a_row("slow", 75), a_row("fast", 20_000))).guide


def test_what_is_doubtful_looks_so_without_colour() -> None:
    report = report_of(a_row("sound", 10, 11, 12), a_row("doubtful", 10, 11, 12, invalid=True), a_row("failed-one"))
    found = chart(report)
    wide, _ = drawings(found)
    # One of each in the row, one in the legend.
    assert len(wide.of("median", "invalid")) == 2
    assert len(wide.of("dot", "invalid")) == 3
    assert {"11 invalid", "failed"} <= set(wide.texts)
    assert [row[-1] for row in found.rows] == ["", "invalid", "failed"]
    assert len(wide.of("assumed")) == 3


def test_an_interval_that_is_far_wider_than_its_repeats_leaves_the_scale_and_has_no_caps_there() -> None:
    report = report_of(a_row("wild", 100, 900, 3), a_row("go", 500))
    found = chart(report)
    assert faults(found) == []
    interval = report.table.rows[0].figures[THROUGHPUT.name].interval
    assert interval
    assert interval.low < 0.1
    assert interval.high > 50_000
    wide, _ = drawings(found)
    # Those of the legend's sign alone.
    assert len(wide.of("cap")) == 2
    assert "1,000" in wide.texts
    assert "100,000" not in wide.texts


def test_of_six_repeats_the_interval_assumes_nothing() -> None:
    wide, _ = drawings(chart(report_of(a_row("go", 1, 2, 3, 4, 5, 6))))
    assert wide.of("assumed") == []
    assert len(wide.of("span")) == 2


def test_one_repeat_is_no_median_and_has_no_interval() -> None:
    wide, _ = drawings(chart(report_of(a_row("go", 19_000))))
    assert wide.of("span") == wide.of("dot") == []
    assert "bars" not in chart(report_of(a_row("go", 19_000))).guide
    assert "the one value" in wide.texts


def test_rows_below_each_other_share_the_line_of_their_ceiling() -> None:
    report = report_of(
        a_row("a", 9, sleep_seconds=0.1),
        a_row("b", 9, sleep_seconds=0.1),
        a_row("c", 9, sleep_seconds=0.1, connections=20_000),
        a_row("d", 9),
    )
    wide, _ = drawings(chart(report))
    one, other, _legend = wide.of("ceiling")
    assert one.bottom == pytest.approx(other.top, abs=0.2)
    assert one.bottom - one.top == pytest.approx(2 * (other.bottom - other.top), abs=0.2)
    assert "ceiling: connections / sleep" in wide.texts


def test_the_legend_has_the_value_of_the_one_ceiling() -> None:
    wide, _ = drawings(chart(report_of(a_row("a", 9, sleep_seconds=0.1), a_row("b", 9))))
    assert "ceiling of 20,000: connections / sleep" in wide.texts


def test_the_values_behind_it_are_complete() -> None:
    report = report_of(a_row("go", 10_000, 11_000, 12_000, published=9_000, sleep_seconds=0.1), a_row("sanic"))
    found = chart(report)
    assert [len(row) for row in found.rows] == 2 * [len(found.headings)]
    go = " | ".join(found.rows[0])
    for value in ("10,000.00; 11,000.00; 12,000.00", "9,000.00", "20,000.00"):
        assert value in go
    assert "go: 11,000" in found.about


def test_forty_rows_are_the_most_and_the_chart_says_so() -> None:
    found = chart(SHAPES["forty rows and more"])
    assert len(found.rows) == 40
    assert "57" in found.more
    assert chart(SHAPES["zero"]).more == ""


def test_sixteen_rows_of_six_repeats_are_small() -> None:
    rows = (a_row(f"some-framework-{n}", *(1000.0 * n + 7 * r for r in range(6)), published=900.0 * n) for n in range(1, 17))
    found = chart(report_of(*rows))
    assert len(found.wide) < 30_000
    assert len(found.narrow) < 30_000
