"""Frames: labels are short enough, apart, and within the drawing."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchrig.report.charts import marks, palette, svg
from benchrig.report.charts.frame import Axis, Sign, beside, legend, plot, rows, spread, ticks_apart
from benchrig.report.charts.scales import spanning
from tests.support.drawings import read

LONG = "a-name-that-no-chart-has-room-for-and-that-goes-on-and-on-2000"
CHINESE = "使用协程的异步框架在两千个连接下的吞吐量与延迟的对比测试结果"


@pytest.mark.parametrize("width", [720, 350])
@pytest.mark.parametrize("name", [LONG, CHINESE, "a", "W" * 200, ""])
def test_labels_of_rows_are_shortened_to_their_room(width: int, name: str) -> None:
    frame = rows([name, "go-2000"], ["19,005", "12"], [12, 19_005], width, "requests/s", "median")
    drawing = read(svg.drawing(frame.parts(), width, frame.end))
    assert drawing.outside == []
    assert drawing.covered == []
    assert "go-2000" in drawing.texts


def test_a_shortened_name_keeps_its_end() -> None:
    short = svg.shortened(LONG, 150)
    assert short.startswith("a-name")
    assert short.endswith("2000")
    assert svg.text_width(short) <= 150
    assert svg.shortened("go-2000", 150) == "go-2000"
    assert svg.shortened(LONG, 1) == "…"


def test_a_wide_character_is_about_twice_as_wide() -> None:
    assert svg.text_width("延迟") == pytest.approx(2 * 1.05 * 12)
    assert svg.text_width("mm") > svg.text_width("ii")


def test_marks_of_rows_lie_below_their_labels_on_a_phone_and_beside_them_on_a_screen() -> None:
    wide, narrow = (rows(["go", "sanic"], ["1", "2"], [1, 2], width, "requests/s") for width in (720, 350))
    labels = [{m.said: m for m in read(svg.drawing(f.parts(), f.width, f.end)).marks} for f in (wide, narrow)]
    assert abs(labels[0]["go"].y - wide.y(0)) < 4
    assert labels[1]["go"].bottom <= narrow.y(0) - marks.MEDIAN
    assert wide.left > labels[0]["go"].right
    assert narrow.right - narrow.left > 300


@pytest.mark.parametrize("values", [[9, 19_000], [0], [1e6, 1e6], [0.1, 1e6], [123_456_789, 987_654_321]])
def test_texts_of_ticks_stay_apart(values: list[float]) -> None:
    for width in (720, 350):
        frame = rows(["go"], [""], values, width, "requests/s")
        drawing = read(svg.drawing(frame.parts(), width, frame.end))
        assert drawing.covered == []
        assert drawing.outside == []
        assert len(ticks_apart(frame.scale, 0, width)) >= 2


def test_a_logarithmic_axis_says_so() -> None:
    for values, said in (([9, 19_000], True), ([9_000, 19_000], False)):
        frame = rows(["go"], [""], values, 720, "requests/s")
        assert ("requests/s (log scale)" in read(svg.drawing(frame.parts(), 720, frame.end)).texts) is said


@pytest.mark.parametrize("width", [720, 350])
def test_a_plot_has_both_axes_with_titles_within_it(width: int) -> None:
    axes = [Axis(title, partial(spanning, [0.1, 1e6])) for title in ("requests/s", "latency in milliseconds " * 9)]
    frame = plot(width, 220, *axes)
    drawing = read(svg.drawing(frame.parts(), width, frame.height))
    assert drawing.outside == []
    assert drawing.covered == []
    assert any(text.startswith("requests/s") for text in drawing.texts)
    assert frame.at(0.1, 0.1) == (frame.left, frame.bottom)


def test_ticks_of_an_axis_may_have_texts_of_their_own() -> None:
    across = Axis("percentile", partial(spanning, [1, 1000], log=True), ticks=((2, "p50"), (10, "p90"), (100, "p99")))
    frame = plot(720, 200, across, Axis("ms", partial(spanning, [1, 2])))
    texts = read(svg.drawing(frame.parts(), 720, frame.height)).texts
    assert {"p50", "p90", "p99", "percentile"} <= set(texts)


@given(st.lists(st.floats(0, 200), max_size=12))
def test_labels_are_spread_in_their_order(wanted: list[float]) -> None:
    found = spread(wanted, 0, 200, 13)
    assert all(-0.001 <= place <= 200.001 for place in found)
    ordered = [place for _, place in sorted(zip(wanted, found, strict=True))]
    assert all(later - place >= 12.99 for place, later in pairwise(ordered))


def test_labels_that_are_apart_stay_where_they_are_wanted() -> None:
    assert spread([10, 50, 100], 0, 200) == [10, 50, 100]
    assert spread([50, 50], 0, 200, 10) == [45, 55]
    assert spread([0, 0], 0, 200, 10) == [0, 10]


def test_texts_beside_points_cover_no_point_and_no_other_text() -> None:
    points = [(100.0 + 6 * n, 100.0) for n in range(6)]
    found = beside([points], [["2,000"] * 6], (0, 0, 300, 200))
    drawn = [svg.text(one.x, one.y, one.said, "small", one.anchor) for one in found]
    drawing = read(svg.drawing(drawn, 300, 200))
    assert 2 <= len(found) <= 6
    assert drawing.covered == []
    assert drawing.outside == []


def test_texts_beside_points_stay_within_their_box() -> None:
    corners = [(0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0)]
    found = beside([[corner] for corner in corners], [["2,000"]] * 4, (0, 0, 300, 200))
    assert len(found) == 4
    drawn = [svg.text(one.x, one.y, one.said, "small", one.anchor) for one in found]
    assert read(svg.drawing(drawn, 300, 200)).outside == []
    assert beside([[(5, 5)]], [["2,000"]], (0, 0, 10, 10)) == []


def test_a_legend_breaks_into_lines() -> None:
    signs = [Sign(lambda x, y: [marks.value(x, y)], said) for said in ("a repeat", "median", LONG * 3, "ceiling")]
    for width in (720, 350):
        parts, end = legend(signs, width, 10)
        drawing = read(svg.drawing(parts, width, end))
        assert drawing.outside == []
        assert drawing.covered == []
    assert legend([], 720, 10) == ([], 10)


def test_dots_on_each_other_are_spread_and_others_are_not() -> None:
    assert marks.swarm([10, 50, 90], 7) == [0, 0, 0]
    moved = marks.swarm([10] * 5, 7)
    assert len(set(moved)) == 5
    assert max(map(abs, moved)) <= 7
    assert len(marks.swarm([10.0] * 100, 7)) == 100


def test_every_series_has_a_colour_a_shape_and_dashes_of_its_own() -> None:
    shapes = {str(marks.shape(50, 50, n)).replace(f"s{n + 1}", "") for n in range(palette.SERIES)}
    assert len(shapes) == palette.SERIES
    rules = [line for line in svg.style().splitlines() if line.startswith(".chart-svg .line.s")]
    assert len({line.partition("{")[2].partition("stroke-dasharray")[2] for line in rules}) == palette.SERIES
    for n in range(palette.SERIES):
        drawing = read(svg.drawing([marks.shape(50, 50, n), marks.line([(0, 0), (9, 9)], n)], 100, 100))
        assert drawing.unknown == set()
        assert 7 <= drawing.marks[0].right - drawing.marks[0].left <= 13
        assert abs(drawing.marks[0].x - 50) < 0.5
