"""`bench --until`: rounds are added until each row is precise enough or the time is up, and the run says which it was."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import records
from benchrig.bench import run as benching
from benchrig.bench.app import read_apps
from benchrig.bench.cell import Measurement
from benchrig.bench.goal import Goal, repeat_of, within_percent
from benchrig.bench.resuming import find
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.bench.until import Until, read
from benchrig.errors import InputError
from benchrig.inventory import Host
from benchrig.report import describe
from benchrig.report.table import make
from benchrig.results import store
from benchrig.results.model import Cell, Ended, RowLeft, Run
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.cell import unasked
from tests.support.reports import a_cell, a_load, a_run, missing

REQUEST = BenchRequest(only=("go",), connections=40, duration="2s", until="5%", at_most="10m", seed=5)
PLAN = plan(ROOT, read_apps(ROOT), REQUEST)
FIRST, SECOND = (row.name for row in PLAN.rows)
CALM = (1000.0, 1001.0, 999.0, 1002.0, 998.0, 1000.0)
WILD = (700.0, 1300.0, 900.0, 1100.0, 800.0, 1200.0)


LAB1 = Host("lab1", ("all",), {})


class Bench:
    """Measures cells at once, each in 10 s by the clock: rows have the rates that they were given, or fail at 0."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **rates: tuple[float, ...]) -> None:
        self.now = 0.0
        self.order: list[tuple[str, int]] = []
        self.interrupt_after = -1
        self._rates = {FIRST: CALM, SECOND: CALM, **{name.replace("_", "-"): of for name, of in rates.items()}}
        monkeypatch.setattr("benchrig.bench.cell.measure", self._measure)
        monkeypatch.setattr("benchrig.bench.goal.time.monotonic", lambda: self.now)

    def _measure(self, _topology: object, _plan: Plan, row: object, repeat: int, *_: object) -> Measurement:
        if len(self.order) == self.interrupt_after:
            raise KeyboardInterrupt
        name = row.name  # type: ignore[attr-defined]
        self.now += 10
        self.order.append((name, repeat))
        rate = next(itertools.islice(itertools.cycle(self._rates[name]), repeat - 1, None))
        phases = {"start": 1.0, "measure": 9.0}
        if not rate:
            return Measurement(missing(name, "failed", "it died", repeat=repeat, phases=phases), "", "")
        return Measurement(a_cell(name, repeat=repeat, load=a_load(round(5 * rate)), phases=phases), "raw", "script")

    def run(self, reports: Path, planned: Plan = PLAN) -> tuple[Run, tuple[Cell, ...]]:
        """Measure a new run, and return it as it is stored."""
        run = replace(a_run(FIRST, SECOND, finished=False), settings=records.settings(planned))
        run = replace(run, digests=records.digests(planned, None))
        with Recorder(reports, run) as recorder:
            _, folder = benching._measure(planned, [unasked()], recorder, None)
        return store.read(folder)


def test_a_run_ends_after_the_least_rounds_when_each_row_is_precise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    run, cells = bench.run(tmp_path)
    assert run.ended == Ended("goal", 6, 120.0)
    assert run.ended_line == "6 rounds in 2 min: each row is within ±5 %"
    assert len(cells) == 12
    assert [repeat for _, repeat in bench.order] == sorted([1, 2, 3, 4, 5, 6] * 2)
    assert run.settings.seed == 5
    assert (run.settings.until_percent, run.settings.at_most_seconds, run.settings.repeats) == (5.0, 600.0, 6)


def test_all_rows_go_on_until_the_last_one_is_precise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, **{SECOND: (900.0, *CALM * 100)})
    run, _ = bench.run(tmp_path)
    assert run.ended
    assert run.ended.by == "goal"
    assert run.ended.rounds > 6
    names = [name for name, _ in bench.order]
    assert names.count(FIRST) == names.count(SECOND) == run.ended.rounds


def test_the_time_ends_a_run_with_a_whole_round_and_names_the_rows_that_did_not_get_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = replace(PLAN, until=Until(5.0, 170.0))
    run, cells = Bench(monkeypatch, **{SECOND: WILD}).run(tmp_path, planned)
    assert run.ended
    # A ninth round would have ended after 180 s.
    assert (run.ended.by, run.ended.rounds, run.ended.seconds, len(cells)) == ("time", 8, 160.0, 16)
    (left,) = run.ended.left
    assert (left.row, left.missing) == (SECOND, False)
    assert left.within_percent
    assert left.within_percent > 5
    said = f"8 rounds in 2 min 40 s: the time of 2 min 50 s is up; not within ±5 %: {SECOND} ±{left.within_percent:.2g} %"
    assert run.ended_line == said
    table = make(run, cells)
    assert not table.incomplete
    assert said in describe.heading_lines(table)
    assert f"round 8: 1 of 2 rows within ±5 %; widest: {SECOND} ±" in capsys.readouterr().err


def test_a_row_that_fails_keeps_no_run_going(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, cells = Bench(monkeypatch, **{SECOND: (1000.0, 0.0)}).run(tmp_path)
    assert run.ended == Ended("goal", 6, 120.0, (RowLeft(SECOND, "lab1", missing=True),))
    assert len(cells) == 12
    assert run.ended_line == (
        f"6 rounds in 2 min: each row that was measured in each round is within ±5 %; not measured in each round: {SECOND}"
    )


def test_a_run_of_which_no_row_can_be_measured_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, cells = Bench(monkeypatch, **{FIRST: (0.0,), SECOND: (0.0,)}).run(tmp_path)
    assert run.ended
    assert (run.ended.by, run.ended.rounds, len(cells)) == ("nothing", 1, 2)


def test_a_first_round_is_measured_however_little_time_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = Bench(monkeypatch).run(tmp_path, replace(PLAN, until=Until(5.0, 1.0)))
    assert run.ended
    assert (run.ended.by, run.ended.rounds) == ("time", 1)
    assert run.ended_line.endswith(f"not within ±5 %: {FIRST} (no interval), {SECOND} (no interval)")


@pytest.mark.parametrize("cells", [1, 5, 6, 12, 13])
def test_an_interrupted_run_goes_on_with_its_seed_its_goal_and_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cells: int
) -> None:
    planned = replace(PLAN, until=Until(5.0, 170.0))
    whole = Bench(monkeypatch, **{SECOND: WILD})
    whole.run(tmp_path / "whole", planned)
    bench = Bench(monkeypatch, **{SECOND: WILD})
    bench.interrupt_after = cells
    with pytest.raises(KeyboardInterrupt):
        bench.run(tmp_path, planned)
    said = capsys.readouterr().err
    assert f"{cells} {'cell' if cells == 1 else 'cells'} measured; to see them: " in said
    begun = find(tmp_path, "")
    run, stored = store.read(begun.folder)
    assert make(run, stored).incomplete
    assert not begun.is_complete
    again = begun.planned(plan(ROOT, read_apps(ROOT), begun.request(BenchRequest("", ""))))
    assert (again.seed, again.until, again.repeats) == (5, planned.until, 6)
    bench.interrupt_after = -1
    bench.now += 10_000  # Time between the parts is no time of measuring.
    with Recorder(tmp_path, begun.resumed(begun.run), begun.lock) as recorder:
        benching._measure(again, [unasked()], recorder, begun)
    assert bench.order == whole.order
    done = find(tmp_path, "")
    assert done.is_complete
    assert done.run.ended
    assert (done.run.ended.by, done.run.ended.rounds) == ("time", 8)


def test_a_run_that_was_interrupted_after_its_last_cell_only_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    run, cells = bench.run(tmp_path)
    folder = tmp_path / run.name
    store.write_run(folder, replace(run, ended=None, finished_at=""))
    begun = find(tmp_path, "")
    assert not begun.is_complete
    with Recorder(tmp_path, begun.resumed(begun.run), begun.lock) as recorder:
        benching._measure(PLAN, [unasked()], recorder, begun)
    assert len(bench.order) == len(cells)
    assert find(tmp_path, "").run.ended == Ended("goal", 6, 120.0)


def test_cells_that_a_finished_run_lost_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    run, _ = bench.run(tmp_path)
    path = tmp_path / run.name / store.CELLS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:7] + lines[8:]))
    begun = find(tmp_path, run.name)
    assert not begun.is_complete
    lost = bench.order[7]
    with Recorder(tmp_path, begun.resumed(begun.run), begun.lock) as recorder:
        benching._measure(PLAN, [unasked()], recorder, begun)
    assert bench.order[12:] == [lost]
    assert find(tmp_path, run.name).is_complete


def test_the_preview_shows_the_next_round_and_what_time_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.interrupt_after = 5
    with pytest.raises(KeyboardInterrupt):
        bench.run(tmp_path)
    begun = find(tmp_path, "")
    seen = benching._preview(PLAN, [(LAB1, LAB1)], begun)
    assert [(cell.row, cell.repeat) for cell in seen.cells] == [(({FIRST, SECOND} - {bench.order[4][0]}).pop(), 3)]
    assert (seen.least_rounds, seen.left_seconds) == (4, 550.0)
    new = benching._preview(PLAN, [(LAB1, LAB1)], None)
    assert new.summary == "at least 6 rounds of 2 cells, about 54 s; then until each row is within ±5 %, for 10 min at most"


@pytest.fixture
def goals() -> Goal:
    assert PLAN.until
    return Goal(PLAN, PLAN.until, [unasked()])


def test_how_far_the_rows_are_is_said_when_they_have_intervals(goals: Goal) -> None:
    for repeat in (1, 2):
        for name in (FIRST, SECOND):
            goals.note(a_cell(name, repeat=repeat))
    assert goals.said(2) == ""
    for name in (FIRST, SECOND):
        goals.note(a_cell(name, repeat=3))
    assert goals.said(3) == "round 3: 2 of 2 rows within ±5 %"


def test_a_failed_cell_has_no_throughput() -> None:
    assert repeat_of(missing(FIRST, "failed", "it died")).requests_per_second == 0
    assert within_percent([0.0] * 6) is None
    assert within_percent([1.0, 2.0]) is None
    assert within_percent([100.0, 90.0, 110.0, 95.0, 105.0, 100.0]) == pytest.approx(8.2, abs=0.1)


@pytest.mark.parametrize(
    ("until", "at_most", "said"),
    [
        ("0%", "", "--until: 0% is not between 0.1% and 50%"),
        ("0.01 %", "", "--until: 0.01 % is not between 0.1% and 50%"),
        ("200%", "", "--until: 200% is not between 0.1% and 50%"),
        ("2", "", "--until: '2' is no percentage; write for example 2% or 0.5%"),
        ("0.02", "", "--until: '0.02' is no percentage; write for example 2% or 0.5%"),
        ("-2%", "", "--until: '-2%' is no percentage; write for example 2% or 0.5%"),
        ("nan%", "", "--until: 'nan%' is no percentage; write for example 2% or 0.5%"),
        ("2%%", "", "--until: '2%%' is no percentage; write for example 2% or 0.5%"),
        ("2%", "0s", "--at-most: 0s is less than a second"),
        ("2%", "5", "--at-most: '5' is not a duration; write for example 90s, 30m or 2h"),
        ("2%", "0.5s", "--at-most: 0.5s is less than a second"),
        ("2%", "8000h", "--at-most: 8000h is longer than a week"),
        ("2%", "soon", "--at-most: 'soon' is not a duration; write for example 90s, 30m or 2h"),
        ("2%", "-1m", "--at-most: '-1m' is not a duration; write for example 90s, 30m or 2h"),
        ("", "30m", "--at-most needs --until, such as --until 2%"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(until: str, at_most: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(until, at_most)
    assert str(caught.value) == said


def test_a_goal_is_read_with_its_unit() -> None:
    assert read("", "") is None
    assert read("2%", "") == Until(2.0, 1800.0)
    assert read(" 2.5 % ", "1.5m") == Until(2.5, 90.0)


def test_the_least_rounds_are_enough_for_intervals_and_must_fit_into_the_time() -> None:
    apps = read_apps(ROOT)
    assert PLAN.repeats == 6
    for asked, rounds in ((1, 3), (3, 3), (9, 9)):
        assert plan(ROOT, apps, replace(REQUEST, repeats=asked)).repeats == rounds
    with pytest.raises(InputError) as caught:
        plan(ROOT, apps, replace(REQUEST, at_most="50s"))
    assert str(caught.value) == "--at-most 50s is too short: 6 rounds of 2 rows take about 54 s"
    assert plan(ROOT, apps, replace(REQUEST, at_most="54s")).until == Until(5.0, 54.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (BenchRequest("", "", until="2%"), "--until 2% contradicts the run one, which has 5%"),
        (BenchRequest("", "", at_most="5m"), "--at-most 5m contradicts the run one, which has 600s"),
        (BenchRequest("", "", at_most="soon"), "--at-most soon contradicts the run one, which has 600s"),
        (BenchRequest("", "", seed=6), "--seed 6 contradicts the run one, which has 5"),
    ],
)
def test_another_goal_than_that_of_the_run_is_refused(tmp_path: Path, given: BenchRequest, said: str) -> None:
    store.write_run(make_folder(tmp_path / "one"), replace(a_run(FIRST, SECOND, finished=False), settings=SETTINGS))
    begun = find(tmp_path, "one")
    assert begun.request(BenchRequest("", "", until="5 %", at_most="10m", seed=5)).until == "5%"
    with pytest.raises(InputError) as caught:
        begun.request(given)
    assert str(caught.value) == said


SETTINGS = records.settings(PLAN)


def make_folder(path: Path) -> Path:
    path.mkdir()
    (path / store.CELLS).write_bytes(store.line_of(a_cell(FIRST)))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until_percent": 0.0}, "settings.until_percent: 0 is not between 0.1% and 50%"),
        ({"at_most_seconds": None}, "settings.at_most_seconds: 0 is less than a second"),
        ({"at_most_seconds": 1e12}, "settings.at_most_seconds: 1e+12 is longer than a week"),
        ({"seed": -1}, "settings.seed: -1 is not between 0 and 1,000,000,000"),
    ],
)
def test_a_stored_goal_that_nobody_asked_for_is_damage(tmp_path: Path, changes: dict[str, float], said: str) -> None:
    run = replace(a_run(FIRST, SECOND, finished=False), settings=replace(SETTINGS, **changes))  # type: ignore[arg-type]
    store.write_run(make_folder(tmp_path / "one"), run)
    with pytest.raises(InputError) as caught:
        find(tmp_path, "one")
    assert str(caught.value) == f"{tmp_path}/one/run.json is damaged: {said}"


def test_a_run_of_an_earlier_version_has_no_seed_and_goes_on_in_its_order(tmp_path: Path) -> None:
    run = replace(a_run(FIRST, SECOND, finished=False), settings=replace(SETTINGS, seed=None, until_percent=None))
    store.write_run(make_folder(tmp_path / "one"), run)
    begun = find(tmp_path, "one")
    again = begun.planned(plan(ROOT, read_apps(ROOT), begun.request(BenchRequest("", ""))))
    assert (again.seed, again.until) == (None, None)


def test_measuring_counts_rounds_where_their_number_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Bench(monkeypatch).run(tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert sum("  round 6  " in line for line in lines) == 2
    assert lines[-1] == "6 rounds in 2 min: each row is within ±5 %"


def test_a_row_of_several_servers_is_named_with_its_server() -> None:
    left = (RowLeft("go", "web2", 7.25), RowLeft("sanic", "web1", missing=True))
    said = Ended("size", 3, 61.0, left).line(5.0, 600.0, name_host=True)
    assert said == (
        "3 rounds in 1 min: a run has no more cells; "
        "not within ±5 %: go on web2 ±7.2 %; not measured in each round: sanic on web1"
    )


def test_the_command_that_repeats_a_run_has_its_goal_and_one_for_more_repeats_has_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make(*Bench(monkeypatch).run(tmp_path))
    assert describe.repeat_command(table).endswith("--repeats 6 --connections 40 --until 5% --at-most 600s")
    assert describe.repeats_command(table, {FIRST}, 9).endswith("--repeats 9 --connections 40")
    shown = describe.settings_shown(SETTINGS)
    assert (shown["repeats"], shown["order by seed"]) == ("6 or more, until within ±5 %, for 10 min at most", "5")
