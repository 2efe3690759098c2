"""The chart of a row's course: the curves behind it are right, and what happened is marked where it was."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import replace

import pytest

from benchrig.report import Report
from benchrig.report.charts import charts, course
from benchrig.report.charts.chart import Chart
from benchrig.report.charts.events import events_of
from benchrig.report.courses import Course, courses_of, curves_of
from benchrig.report.page import render
from benchrig.report.table import make
from benchrig.results.codes import Code
from benchrig.results.model import Series
from benchrig.results.warnings import Unit, Warning, number
from tests.support.charted import CHINESE, HOSTILE, LONG, a_row, report_of
from tests.support.drawings import drawings, faults
from tests.support.reports import a_cell, a_run
from tests.support.series import RATE, a_cell_of, ramped
from tests.support.timed import a_course, sixteen, with_courses


def chart(report: Report) -> Chart:
    (found,) = course.draw(report)
    return found


def test_requests_are_those_of_the_load_and_in_the_parts_they_were_in() -> None:
    one = a_course(ramped, noise=0.0)
    found = curves_of([one], 24)
    assert found
    rates = found.median.requests_per_second
    assert sum(rates) * found.part_seconds == pytest.approx(one.requests, rel=0.03)
    assert rates[0] == pytest.approx(0.2 * RATE, rel=0.1)
    assert rates[-2] == pytest.approx(RATE, rel=0.05)


def test_cpu_is_in_percent_of_a_core_and_memory_that_at_the_end_of_a_part() -> None:
    found = curves_of([a_course(memory=lambda at: 1e7 * at)], 12)
    assert found
    # 0.05 s in each interval of about 0.1 s.
    assert found.median.cpu_percent[3] == pytest.approx(50, rel=0.08)
    ends = [found.part_seconds * (part + 1) for part in range(12)]
    assert found.median.memory_bytes == pytest.approx([1e7 * end for end in ends], abs=1.2e6)


def test_the_median_is_that_of_the_repeats() -> None:
    found = curves_of([a_course(repeat=repeat) for repeat in range(1, 6)], 20)
    assert found
    assert len(found.repeats) == 5
    for part, rate in enumerate(found.median.requests_per_second):
        assert rate == statistics.median(one.requests_per_second[part] for one in found.repeats)


def test_a_line_has_at_most_as_many_points_as_intervals() -> None:
    found = curves_of([a_course(seconds=1.0)], 60)
    assert found
    assert 8 <= len(found.median.memory_bytes) <= 11
    many = curves_of([a_course(seconds=30.0)], 60)
    assert many
    assert len(many.median.memory_bytes) == 60


def test_a_repeat_that_ended_early_has_a_shorter_line() -> None:
    found = curves_of([a_course(seconds=3.0), a_course(repeat=2)], 20)
    assert found
    short, long = found.repeats
    assert len(short.memory_bytes) == pytest.approx(len(long.memory_bytes) / 2, abs=1)
    assert len(found.median.memory_bytes) in (len(short.memory_bytes), len(long.memory_bytes))


def test_the_median_ends_where_only_slow_repeats_are_left() -> None:
    fast = [a_course(seconds=5.0, repeat=one) for one in (1, 2, 3)]
    slow = [a_course(lambda at: float(at < 5), repeat=one) for one in (4, 5, 6)]
    found = curves_of([*fast, *slow], 48)
    assert found
    assert len(found.median.requests_per_second) == min(len(one.requests_per_second) for one in found.repeats)
    assert min(found.median.requests_per_second) > 0.8 * RATE
    assert found.parts == max(len(one.requests_per_second) for one in found.repeats)


def test_a_repeat_that_broke_off_does_not_end_the_median() -> None:
    found = curves_of([a_course(seconds=0.3), a_course(repeat=2), a_course(repeat=3)], 48)
    assert found
    assert found.short == 1
    assert len(found.median.requests_per_second) == found.parts


def test_at_most_is_that_of_any_repeat() -> None:
    high = a_course(memory=lambda _: 2**30, repeat=3)
    found = chart(report_of(with_courses("go", a_course(), a_course(repeat=2), high)))
    assert "1.00 GiB at most" in found.title or "1 GiB at most" in found.title or "1.0 GiB at most" in found.title


def test_a_row_keeps_the_series_of_its_measured_cells_and_no_copies() -> None:
    cells = [replace(a_cell_of(ramped), repeat=1), replace(a_cell_of(ramped), repeat=2), a_cell(repeat=3)]
    (row,) = make(a_run("go-2000"), cells).rows
    assert [one.repeat for one in row.courses] == [1, 2]
    for one, cell in zip(row.courses, cells, strict=False):
        assert cell.server
        assert one.series is cell.server.series
    assert courses_of([a_cell()]) == ()


def test_every_repeat_is_a_faint_line_and_the_median_a_strong_one() -> None:
    wide, narrow = drawings(chart(report_of(with_courses("go", *(a_course(repeat=one) for one in range(1, 5))))))
    assert [len(drawing.of("course")) for drawing in (wide, narrow)] == [3, 3]
    assert [len(drawing.of("repeat")) for drawing in (wide, narrow)] == [3, 3]
    many, slim = drawings(chart(report_of(with_courses("go", *(a_course(repeat=one) for one in range(1, 10))))))
    assert (len(many.of("repeat")), len(slim.of("repeat")), len(slim.of("band"))) == (3, 0, 3)
    alone, _ = drawings(chart(report_of(with_courses("go", a_course()))))
    assert alone.of("repeat") == []


def test_a_ramp_is_marked_where_the_warning_has_it() -> None:
    cells = [replace(a_cell_of(ramped, seed=seed), repeat=seed) for seed in (1, 2, 3)]
    report = Report(make(a_run("go-2000"), cells))
    (event,) = events_of(report.table.rows[0])
    assert event.at == pytest.approx(0.5, abs=0.15)
    found = chart(report)
    assert found.title.startswith("go-2000: a ramp of 0.5")
    assert found.title.endswith("(3 of 3 repeats)")
    for drawing in drawings(found):
        lines = drawing.of("event")
        assert len(lines) == 3
        ticks = {mark.said: mark.x for mark in drawing.of("small") if mark.said in ("0", "2")}
        seconds = 2 * (lines[0].x - ticks["0"]) / (ticks["2"] - ticks["0"])
        assert seconds == pytest.approx(event.at, abs=0.1)


def test_pauses_are_areas_where_nothing_was_sent() -> None:
    stalls = {"stalls": number(1), "total": number(0.8, Unit.SECONDS), "longest": number(0.8, Unit.SECONDS)}
    warning = Warning(Code.STALLED, values={"case": "pauses", **stalls})
    row = with_courses("go", a_course(lambda at: 0.0 if 2 < at < 2.8 else 1.0), warnings=(warning,))
    (event,) = events_of(row)
    assert (event.at, event.until) == (pytest.approx(2.05, abs=0.1), pytest.approx(2.75, abs=0.1))
    found = chart(report_of(row))
    assert found.title == "go: it paused for 0.8 s"
    assert all(len(drawing.of("pause")) == 3 for drawing in drawings(found))


def test_a_short_load_is_not_called_steady() -> None:
    assert "too short" in chart(report_of(with_courses("go", a_course(seconds=2.0)))).title
    assert "no ramp" in chart(report_of(with_courses("go", a_course()))).title


def test_many_rows_are_folded_and_have_keys_of_their_own() -> None:
    names = ["a b", "a/b", "../../x", CHINESE, HOSTILE, "A B"]
    found = list(course.draw(report_of(*(with_courses(name, a_course()) for name in names))))
    assert all(one.folded for one in found)
    assert len({one.key.lower() for one in found}) == len(names)
    assert all(re.fullmatch(r"course[-A-Za-z0-9]*", one.key) for one in found)
    assert not chart(report_of(with_courses("go", a_course()))).folded


def unsound(**changes: object) -> Course:
    one = a_course()
    return replace(one, series=replace(one.series, **changes))  # type: ignore[arg-type]


BROKEN = {
    "empty": Course(1, Series(), 10, 6.0),
    "lists of other lengths": unsound(segments=(1, 2)),
    "time that runs back": unsound(end_seconds=tuple(reversed(a_course().series.end_seconds))),
    "no duration": replace(a_course(), duration_seconds=0.0),
    "no interval within the load": replace(a_course(), duration_seconds=0.01),
    "CPU that is no number": unsound(app_cpu_seconds=(math.nan,) * len(a_course().series.end_seconds)),
    "CPU below nothing": unsound(app_cpu_seconds=(-1.0,) * len(a_course().series.end_seconds)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_course_that_cannot_be_is_left_out_and_counted(broken: Course) -> None:
    assert list(course.draw(report_of(with_courses("go", broken)))) == []
    found = chart(report_of(with_courses("go", broken, a_course(repeat=2))))
    assert found.more == "1 repeat has no course that can be drawn."
    assert faults(found) == []


ODD = {
    "two intervals": with_courses("go", a_course(seconds=0.3)),
    "nothing sent": with_courses("go", a_course(lambda _: 0.0)),
    "no request": with_courses("go", replace(a_course(), requests=0)),
    "one huge interval": with_courses(
        "go", Course(1, Series((0.1, 5.0), (1, 10**9), (0, 0), (0.1, 4.0), (0, 2**40)), 7, 6.0)
    ),
    "many repeats": with_courses("go", *(a_course(repeat=one) for one in range(1, 41))),
    "long name": with_courses(LONG, a_course()),
    "Chinese name": with_courses(CHINESE, a_course()),
    "hostile name": with_courses(HOSTILE, a_course(), a_course(ramped, 2)),
    "days": with_courses("go", a_course(seconds=300_000.0, interval=5_000.0)),
}


@pytest.mark.parametrize("row", ODD.values(), ids=ODD)
def test_nothing_is_outside_or_covered_whatever_the_data(row: object) -> None:
    assert faults(chart(report_of(row))) == []  # type: ignore[arg-type]


def test_events_that_are_close_have_names_that_do_not_cover_each_other() -> None:
    seconds, share = number(5.9, Unit.SECONDS), number(20, Unit.PERCENT)
    values = {"seconds": seconds, "connecting": seconds, "cost": share, "change": share, "case": "fell"}
    warnings = tuple(Warning(code, values=values) for code in (Code.RAMP, Code.STEP))
    assert faults(chart(report_of(with_courses("go", a_course(), warnings=warnings)))) == []


def test_of_many_repeats_some_are_drawn_and_it_says_so() -> None:
    found = chart(report_of(with_courses("go", *(a_course(repeat=one) for one in range(1, 42)))))
    assert found.more == "Of 41 repeats, 14 are in it, evenly chosen."
    assert len(found.wide) < 30_000


def test_rows_without_a_series_have_no_chart() -> None:
    assert list(course.draw(report_of(a_row("go", 10)))) == []


def test_the_values_behind_it_are_those_of_the_median() -> None:
    found = chart(report_of(with_courses("go", a_course(noise=0.0))))
    assert found.headings[0] == "until, s"
    assert len(found.rows) == 10
    assert float(found.rows[4][1].replace(",", "")) == pytest.approx(RATE, rel=0.05)
    assert float(found.rows[4][3]) == pytest.approx(5e7 / 2**20, rel=0.01)


def test_sixteen_rows_are_small_and_all_charts_of_a_report_are_there() -> None:
    found = charts(sixteen())
    assert len(found["courses"]) == 16
    assert sum(len(one.wide) + len(one.narrow) for one in found["courses"]) < 110_000
    assert {"throughput", "percentiles", "histograms", "courses"} <= set(found)


def test_the_page_folds_many_of_them_below_their_findings() -> None:
    found = charts(sixteen())["courses"]
    page = render(sixteen())
    assert page.count('<details class="many">') == 1
    assert page.index('<details class="many">') < page.index(f'id="{found[0].key}"')
    for one in found:
        assert page.count(f'id="{one.key}"') == 1
    alone = render(report_of(with_courses("go", a_course())))
    assert '<details class="many">' not in alone
    assert 'id="course-go"' in alone
