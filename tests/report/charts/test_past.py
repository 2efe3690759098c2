"""The chart of a history: values, levels, steps and what was expected are where the axes say."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from benchrig import language
from benchrig.report.charts import past
from benchrig.report.charts.chart import Chart
from benchrig.report.history.lookup import History, history
from benchrig.report.history.series import Series
from tests.support.drawings import Drawing, drawings, faults, read
from tests.support.history import stored
from tests.support.pages import HOSTILE


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Return the history of a row that fell by a fifth in its eighth run, rose again, and is off in its newest run."""
    reports, chance = tmp_path_factory.mktemp("reports"), random.Random(7)
    for number in range(1, 22):
        level = 0.8 if 8 <= number < 15 else 0.9 if number == 21 else 1.0
        values = [40_000 * level * (1 + chance.gauss(0, 0.01)) for _ in range(4)]
        stored(reports, number, values, git_commit=f"{number:02}" * 20, started_at=f"2025-03-{number:02}T10:00:00Z")
    return history(reports, row="flask-sync")


def with_rows(of: History, *rows: Series) -> History:
    return replace(of, rows=rows)


def chart(of: History) -> Chart:
    (one,) = past.draw(of)
    return one


def level(drawing: Drawing, y: float) -> float:
    """Return the value at a height, by the ticks of the drawing's own axis."""
    grid = sorted((mark.y for mark in drawing.of("grid") if mark.top == mark.bottom), reverse=True)
    said = [mark for mark in drawing.of("small") if mark.said.replace(",", "").isdigit()]
    ticks = sorted(float(mark.said.replace(",", "")) for mark in said)
    assert len(ticks) == len(grid)
    return ticks[0] + (ticks[-1] - ticks[0]) * (y - grid[0]) / (grid[-1] - grid[0])


def test_values_levels_steps_and_the_expected_interval_are_at_their_places(found: History) -> None:
    (one,) = found.rows
    assert len(one.steps) == 2
    for drawing in drawings(chart(found)):
        runs = drawing.of("median")[:21]
        values = [point.value for point in one.points]
        assert [level(drawing, mark.y) for mark in runs] == [pytest.approx(value, rel=0.003) for value in values]
        apart = {round(b.x - a.x) for a, b in pairwise(runs)}
        assert max(apart) - min(apart) <= 1, "runs are evenly spaced"
        levels = drawing.of("level")[:3]
        assert [level(drawing, mark.y) for mark in levels] == [pytest.approx(of.typical, rel=0.003) for of in one.levels]
        steps = drawing.of("event")[:2]
        assert runs[6].x < steps[0].x < runs[7].x
        assert runs[13].x < steps[1].x < runs[14].x
        expected = drawing.of("expected")[0]
        assert level(drawing, expected.bottom) == pytest.approx(one.newest.low, rel=0.003)
        assert level(drawing, expected.top) == pytest.approx(one.newest.high, rel=0.003)
        assert expected.x == pytest.approx(runs[-1].x, abs=1)


def test_a_step_is_named_with_its_percent_run_and_commit_and_an_off_run_has_a_ring(found: History) -> None:
    drawing = read(chart(found).wide)
    assert any(said.startswith("20 % slower since 2025-run-008 (080808080808)") for said in drawing.texts)
    assert any(said.startswith("-20 %") for said in drawing.texts)
    assert drawing.of("ring")
    assert "the newest run is off" in chart(found).title


def test_every_repeat_is_a_dot_but_not_thousands(found: History) -> None:
    assert len(read(chart(found).wide).of("dot")) == 21 * 4 + 3, "three are in the legend"
    (one,) = found.rows
    many = replace(one, points=tuple(replace(point, values=point.values * 20) for point in one.points))
    drawing = read(chart(with_rows(found, many)).wide)
    assert len(drawing.of("dot")) == 3
    assert len(drawing.of("repeat")) == 1


def test_runs_that_are_not_used_are_crosses(found: History) -> None:
    (one,) = found.rows
    points = (
        *one.points[:-2],
        replace(one.points[-2], unused="invalid"),
        replace(one.points[-1], value=None, unused="failed"),
    )
    drawn = chart(with_rows(found, replace(one, points=points)))
    assert len(read(drawn.wide).of("cross")) == 2 + 1
    assert len(read(drawn.wide).of("median")) == 19 + 1
    assert drawn.rows[-1][2] == "failed"


def edges(of: History) -> dict[str, History]:
    """Return histories that are odd."""
    (one,) = of.rows
    quiet = replace(one, levels=(), steps=(), newest=replace(one.newest, low=None, high=None, p=None))
    first = replace(quiet, points=one.points[:1])
    names = (HOSTILE, "网络框架" * 8, "x" * 300, "a")
    return {
        "one run": with_rows(of, first),
        "zero": with_rows(of, replace(first, points=(replace(one.points[0], value=0.0, values=(0.0,)),))),
        "hostile": with_rows(of, replace(one, row=HOSTILE)),
        "panels": with_rows(of, *(replace(one, row=name) for name in names)),
        "one panel of one run": with_rows(of, first, replace(one, row="b")),
        "many panels": with_rows(of, *(replace(one, row=f"row-{n}") for n in range(45))),
        "no commit": with_rows(of, replace(one, steps=tuple(replace(step, commit="", ratio=None) for step in one.steps))),
    }


@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_nothing_is_outside_or_covered_whatever_the_data(found: History, spoken: str) -> None:
    with language.use(spoken):
        for name, odd in {"whole": found, **edges(found)}.items():
            assert faults(chart(odd)) == [], name


def test_all_rows_have_a_panel_each_and_forty_at_most(found: History) -> None:
    drawn = chart(edges(found)["many panels"])
    assert len(drawn.rows) == 40
    assert "first 40" in drawn.more
    assert len(drawn.wide) + len(drawn.narrow) < 200_000
    assert drawn.title.startswith("requests/s: 45 of 45 rows have a step; the newest run is off in 45")


def test_no_value_makes_no_chart(found: History) -> None:
    (one,) = found.rows
    empty = replace(one, points=tuple(replace(point, value=None, values=(), unused="failed") for point in one.points))
    assert list(past.draw(with_rows(found, empty))) == []
    assert list(past.draw(with_rows(found, empty, empty))) == []


def test_rows_with_too_few_runs_say_so(found: History) -> None:
    (one,) = found.rows
    few = replace(one, points=one.points[:5], levels=(), steps=(), newest=replace(one.newest, p=None, low=None, high=None))
    assert chart(with_rows(found, few, few)).title == "requests/s: no row has the 6 runs that a step takes"
