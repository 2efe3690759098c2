"""The chart of histograms: its bars have all replies, each where its latency is."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from benchrig.report import Report
from benchrig.report.charts import histogram
from benchrig.report.charts.chart import Chart
from benchrig.results.histogram import encode
from tests.support.charted import CHINESE, HOSTILE, LONG, SHAPES, a_row, report_of
from tests.support.drawings import drawings, faults
from tests.support.timed import histogram_of, log_normal, sixteen, timed


def chart(report: Report) -> Chart:
    (found,) = histogram.draw(report)
    return found


def test_bars_are_equally_wide_on_a_logarithmic_axis_and_have_all_replies() -> None:
    bars = histogram.bars_of(histogram_of(log_normal(5000)))
    widths = [math.log(later / one) for one, later in pairwise(bars.edges_us)]
    assert widths == [pytest.approx(widths[0])] * histogram.BARS
    assert sum(bars.shares) == pytest.approx(1)


def test_a_reply_is_in_the_bar_of_its_latency() -> None:
    bars = histogram.bars_of(histogram_of([1000.0] * 30 + [8000.0] * 60 + [64_000.0] * 10))
    filled = {place: share for place, share in enumerate(bars.shares) if share > 0.001}
    assert sum(share for place, share in filled.items() if bars.edges_us[place] < 1100) == pytest.approx(0.3)
    middle = [place for place in filled if 5000 < bars.edges_us[place] < 9000]
    assert sum(filled[place] for place in middle) == pytest.approx(0.6)
    assert sum(share for place, share in filled.items() if bars.edges_us[place] > 50_000) == pytest.approx(0.1)


def test_a_bin_in_several_bars_is_divided_between_them_by_their_widths() -> None:
    bars = histogram.bars_of(histogram_of([100.0, 100.0, 101.0, 150.0]), count=400)
    pairs = zip(pairwise(bars.edges_us), bars.shares, strict=True)
    within = [share / (end - start) for (start, end), share in pairs if start >= 100 and end <= 101]
    assert len(within) > 3
    # Half of the replies are between 100 and 101 µs.
    assert within == [pytest.approx(0.5)] * len(within)


def test_latencies_that_are_all_the_same_have_an_axis_all_the_same() -> None:
    bars = histogram.bars_of(histogram_of([100_000.0] * 50))
    assert bars.edges_us[-1] / bars.edges_us[0] == pytest.approx(histogram.LEAST_SPAN)
    assert sum(bars.shares) == pytest.approx(1)


def test_median_and_p99_are_marked_where_they_are() -> None:
    values = [1000.0] * 900 + [10_000.0] * 85 + [100_000.0] * 15
    for drawing in drawings(chart(report_of(timed("go", values)))):
        bars = next(mark for mark in drawing.of("bar"))
        median, p99 = drawing.of("pin")
        assert median.x == pytest.approx(bars.left, abs=3)
        assert p99.x == pytest.approx(bars.right, abs=3)
        assert "far" in p99.classes


def test_the_values_behind_it_are_the_medians_of_the_repeats() -> None:
    repeats = [log_normal(3000, seed=seed) for seed in range(3)]
    middle = [sorted(histogram_of(values).percentile(percent) for values in repeats)[1] for percent in (50, 99)]
    found = chart(report_of(timed("go", *repeats)))
    row = dict(zip(found.headings, found.rows[0], strict=True))
    assert row["replies"] == "9,000"
    assert float(row["median, ms"]) == pytest.approx(middle[0] / 1e3, rel=0.005)
    assert float(row["p99, ms"]) == pytest.approx(middle[1] / 1e3, rel=0.005)


def test_rows_without_a_histogram_are_counted() -> None:
    rows = [timed("go", log_normal(100)), a_row("old", 10, 11), a_row("damaged", 10, histograms=("AAAA",)), a_row("failed")]
    assert chart(report_of(*rows)).more == "2 rows have no histogram."
    assert list(histogram.draw(report_of(*rows[1:]))) == []


def test_the_title_says_whose_replies_vary_least() -> None:
    alike, unlike = timed("alike", [1000.0] * 200), timed("unlike", [1000.0] * 190 + [50_000.0] * 10)
    title = chart(report_of(unlike, alike)).title
    assert "of alike vary least: p99 is 1 times" in title
    assert "of unlike vary most: 50 times" in title


ODD = {
    "one reply": report_of(timed("go", [100_000.0])),
    "zero latency": report_of(timed("go", [0.0] * 50)),
    "an hour and a microsecond": report_of(timed("a", [3.5e9, 1.0] * 100)),
    "long and wide names": report_of(*(timed(name, log_normal(300)) for name in (LONG, CHINESE, HOSTILE, "W" * 300, "x"))),
    "forty rows and more": report_of(*(timed(f"row-{number}", log_normal(200)) for number in range(57))),
    "sixteen": sixteen(),
}


@pytest.mark.parametrize("report", ODD.values(), ids=ODD)
def test_nothing_is_outside_or_covered_whatever_the_data(report: Report) -> None:
    assert faults(chart(report)) == []


@pytest.mark.parametrize("report", SHAPES.values(), ids=SHAPES)
def test_rows_without_latencies_have_no_chart(report: Report) -> None:
    assert list(histogram.draw(report)) == []


def test_a_damaged_histogram_beside_good_ones_spoils_no_chart() -> None:
    text = encode(histogram_of(log_normal(100)))
    rows = [timed("go", log_normal(100)), a_row("cut", 10, histograms=(text, text[:-8]))]
    assert [row[0] for row in chart(report_of(*rows)).rows] == ["go"]


def test_sixteen_rows_are_small() -> None:
    found = chart(sixteen())
    assert len(found.wide) + len(found.narrow) < 60_000
