"""The chart of a comparison: each ratio is where the axis says, and each verdict has its shape and its word."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchrig import language
from benchrig.report import Report, compare
from benchrig.report.charts import ratios
from benchrig.report.charts.chart import Chart
from benchrig.report.compare.values import Comparison
from tests.support.comparing import OTHER_SPREAD, SPREAD, cells, run_of, times, with_errors, with_memory
from tests.support.drawings import Drawing, drawings, faults, read
from tests.support.pages import HOSTILE
from tests.support.reports import missing

HUGE = {f"a-row-with-a-long-name-{n}": cells(f"a-row-with-a-long-name-{n}", times(1 + n / 10)) for n in range(45)}


def two(**factors: float) -> Comparison:
    """Return a comparison whose rows have these ratios."""
    a = {name: cells(name, SPREAD) for name in factors}
    b = {name: cells(name, times(factor)) for name, factor in factors.items()}
    return compare([run_of(a, "before"), run_of(b, "after")])


def of_kinds(noise: float = 0.0) -> Comparison:
    """Return a comparison with a row of each verdict."""
    names = ("faster", "slower", "same", "failed", "once")
    found = {
        "faster": cells("faster", times(1.5)),
        "slower": cells("slower", times(0.5)),
        "same": cells("same", OTHER_SPREAD),
        "failed": [missing("failed", "failed", "it died")],
        "once": cells("once", [0.7]),
    }
    return compare([run_of({name: cells(name, SPREAD) for name in names}, "before"), run_of(found, "after")], noise)


def chart(comparison: Comparison, metric: str = "throughput") -> Chart:
    return next(one for one in ratios.draw(comparison) if one.key.endswith(metric))


def place(drawing: Drawing, value: float) -> float:
    """Return where a ratio is, by the ticks of the drawing's own axis."""
    grid = sorted(mark.x for mark in drawing.of("grid") if mark.left == mark.right)
    ticks = sorted(float(mark.said) for mark in drawing.of("small") if mark.said.replace(".", "").isdigit())
    assert len(ticks) == len(grid)
    share = math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])
    return grid[0] + (grid[-1] - grid[0]) * share


def test_ratios_intervals_and_the_line_at_1_are_at_their_values() -> None:
    comparison = of_kinds()
    near = pytest.approx
    for drawing in drawings(chart(comparison)):
        assert all(mark.x == near(place(drawing, 1.0), abs=0.3) for mark in drawing.of("unity"))
        assert drawing.of("unity")
        (better,), (worse,) = drawing.of("verdict", "good")[:1], drawing.of("verdict", "bad")[:1]
        changes = {change.row: change for change in comparison.changes if change.metric.claimed == "throughput"}
        for row, mark in (("faster", better), ("slower", worse)):
            found = changes[row].difference
            assert found
            assert mark.x == near(place(drawing, found.ratio), abs=0.3)
            caps = [cap.x for cap in drawing.of("cap", "good" if row == "faster" else "bad")]
            assert caps == [near(place(drawing, end), abs=0.3) for end in (found.low, found.high)]


def test_twice_and_half_are_equally_far_from_1() -> None:
    for drawing in drawings(chart(two(double=2.0, half=0.5))):
        one = drawing.of("unity")[0].x
        up, down = drawing.of("verdict", "good")[0].x, drawing.of("verdict", "bad")[0].x
        assert up - one == pytest.approx(one - down, abs=1)


def test_verdicts_differ_in_shape_and_word_and_those_without_one_name_the_cause() -> None:
    found = chart(of_kinds())
    wide = read(found.wide)
    assert len(wide.of("verdict", "good")) == 2, "one in the drawing, one in the legend"
    assert any(said.endswith(" faster") for said in wide.texts)
    assert any(said.endswith(" slower") for said in wide.texts)
    assert "not known (not measured in B)" in wide.texts
    assert "not known (1 repeat; 3 are needed)" in wide.texts
    assert [row[-1] for row in found.rows][:2] == ["faster", "slower"]


def test_the_noise_is_a_band_as_wide_as_it_says() -> None:
    wide, _ = drawings(chart(of_kinds(noise=0.2)))
    band = wide.of("band")[0]
    assert band.left == pytest.approx(place(wide, 1 / 1.2), abs=0.3)
    assert band.right == pytest.approx(place(wide, 1.2), abs=0.3)
    assert not read(chart(of_kinds()).wide).of("band")


def test_the_last_line_is_the_geometric_mean() -> None:
    found = chart(two(a=1.5, b=1.5, c=1.5))
    assert found.rows[-1][0] == "geometric mean of 3"
    assert float(found.rows[-1][3]) == pytest.approx(1.5, rel=0.02)
    assert chart(two(a=1.5)).rows[-1][0] == "a", "there is no mean of one row"


def test_titles_say_the_finding() -> None:
    assert (
        "of 5 rows in B, 1 is slower, 1 is faster, no difference is shown in 1, 2 are not known" in chart(of_kinds()).title
    )
    assert "no difference is shown in any of the 2 rows" in chart(two(a=1.0, b=1.0)).title
    assert "a is slower in B (-50" in chart(two(a=0.5)).title
    assert "1 is worse, 1 is better" in chart(of_kinds(), "latency_p99").title


def test_throughput_comes_first_and_the_others_are_folded() -> None:
    first, *rest = ratios.draw(of_kinds())
    assert (first.key, first.folded) == ("ratios-B-throughput", False)
    assert rest
    assert all(one.folded for one in rest)


CHINESE = "网络框架" * 8

EDGES = {
    "one row": [run_of({"a": cells("a", SPREAD)}), run_of({"a": cells("a", OTHER_SPREAD)}, "b")],
    "equal": [run_of({"a": cells("a", [1.0] * 3)}), run_of({"a": cells("a", [1.0] * 3)}, "b")],
    "wild": [run_of({"a": cells("a", [1.0, 40.0, 0.01])}), run_of({"a": cells("a", [0.01, 90.0, 2.0])}, "b")],
    "far": [run_of({"a": cells("a", times(0.0005))}), run_of({"a": cells("a", times(40.0))}, "b")],
    "from 0": [with_errors(0, 0, 0, 0), replace(with_errors(5, 6, 7, 8))],
    "to 0": [with_errors(5, 6, 7, 8), with_errors(0, 0, 0, 0)],
    "memory": [with_memory(1, 1, 1), with_memory(2, 2, 2)],
    "many": [run_of(HUGE), run_of({name: cells(name, OTHER_SPREAD) for name in HUGE}, "b")],
    "no repeats": [run_of({"a": cells("a", [1.0])}), run_of({"a": cells("a", [2.0])}, "b")],
    "chinese": [
        run_of({CHINESE: cells(CHINESE, SPREAD)}),
        run_of({CHINESE: cells(CHINESE, times(2))}, "b"),
    ],
    "hostile": [run_of({HOSTILE: cells(HOSTILE, SPREAD)}), run_of({HOSTILE: cells(HOSTILE, times(2))}, "b")],
}


@pytest.mark.parametrize("reports", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_nothing_is_outside_or_covered_whatever_the_data(reports: list[Report], spoken: str) -> None:
    with language.use(spoken):
        found = list(ratios.draw(compare(reports, 0.01)))
    assert found
    assert [faults(one) for one in found] == [[]] * len(found)


def test_more_rows_than_a_chart_has_are_said_and_the_mean_is_there_all_the_same() -> None:
    found = chart(compare(EDGES["many"]))
    assert "first 40" in found.more
    assert len(found.rows) == 41
    assert "45" in found.rows[-1][0]


def test_rows_without_any_ratio_make_no_chart() -> None:
    a, b = run_of({"a": [missing("a", "failed", "x")]}), run_of({"a": [missing("a", "failed", "y")]}, "b")
    assert list(ratios.draw(compare([a, b]))) == []
