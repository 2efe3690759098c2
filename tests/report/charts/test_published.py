"""The chart of published against measured: what it counts, and where its marks are."""

from __future__ import annotations

import pytest

from benchrig.report import Report
from benchrig.report.charts import published
from benchrig.report.charts.chart import Chart
from tests.support.charted import SHAPES, a_row, report_of
from tests.support.drawings import drawings, faults


def chart(report: Report) -> Chart:
    (found,) = published.draw(report)
    return found


PUBLISHED = [name for name, report in SHAPES.items() if any(row.published for row in report.table.rows)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_nothing_is_outside_or_covered_whatever_the_data(name: str) -> None:
    assert faults(chart(SHAPES[name])) == []


def test_only_rows_with_both_figures_are_there() -> None:
    assert list(published.draw(report_of(a_row("go", 100)))) == []
    found = chart(report_of(a_row("go", 100, published=100), a_row("own", 100), a_row("failed", published=9)))
    assert [row[0] for row in found.rows] == ["go"]


def test_the_title_counts_rows_near_the_article_and_says_what_is_shown() -> None:
    near = a_row("near", *[100.0 + n / 10 for n in range(6)], published=101)
    faster, slower = a_row("faster", 200, 201, 199, published=100), a_row("slower", 50, 51, 49, published=100)
    open_one = a_row("open", 60, 95, 140, published=100)
    invalid = a_row("spoiled", 100, 100, 100, published=100, invalid=True)
    found = chart(report_of(near, faster, slower, open_one, invalid))
    counts = "2 of 4 rows are within 10 % of the published figures, 1 faster, 1 slower"
    assert found.title == f"{counts}; the repeats show it of 3"
    assert chart(report_of(near)).title.endswith("figure, 0 faster, 0 slower; the repeats show it")
    assert chart(report_of(a_row("go", 100, published=100))).title.endswith("; too few repeats to show it")
    assert "every row is invalid" in chart(report_of(invalid)).title


def test_the_line_of_a_row_leads_from_the_published_figure_to_the_measured_one() -> None:
    found = chart(report_of(a_row("slower", 500, published=1_000), a_row("faster", 1_000, published=500)))
    for drawing in drawings(found):
        for number, between in enumerate(drawing.of("between")):
            ends = [drawing.of("published")[number].x, drawing.of("median")[number].x]
            assert [between.left, between.right] == [pytest.approx(x, abs=0.2) for x in sorted(ends)]
        assert drawing.of("published")[0].x == pytest.approx(drawing.of("median")[1].x, abs=0.2)
        assert drawing.of("median")[0].x < drawing.of("published")[0].x
        assert {"0.50", "2.00"} <= set(drawing.texts)


def test_the_ratio_has_its_interval_in_the_table() -> None:
    found = chart(report_of(a_row("go", *[100.0 + n for n in range(6)], published=100)))
    (row,) = found.rows
    assert row[3] == "1.02"
    low, high = map(float, row[4:6])
    assert 1 <= low < 1.02 < high <= 1.05
    assert len(row) == len(found.headings)
