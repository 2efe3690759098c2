"""A run that was interrupted goes on: which one is meant, what is left of it, and under which conditions."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import records
from benchrig.bench.app import read_apps
from benchrig.bench.cell import Measurement
from benchrig.bench.measuring import Done, measure_all
from benchrig.bench.order import turns
from benchrig.bench.resuming import Begun, differences, find
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.errors import InputError
from benchrig.results import store
from benchrig.results.lock import RunLock
from benchrig.results.model import Activity, Database, Environment, Part, Run
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.cell import unasked
from tests.support.reports import a_cell, a_run

REQUEST = BenchRequest(only=("go",), connections=40, threads=2, repeats=3, duration="2s")
PLAN = plan(ROOT, read_apps(ROOT), REQUEST)
FIRST, SECOND = (row.name for row in PLAN.rows)


def begun_run(**changes: object) -> Run:
    run = replace(a_run(FIRST, SECOND, finished=False), settings=records.settings(PLAN), digests=records.digests(PLAN, None))
    return replace(run, **changes)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Have cells measured at once; return what was measured, as it grows."""
    done: list[tuple[str, int]] = []

    def measure(_topology: object, _plan: Plan, row: object, repeat: int, *_: object) -> Measurement:
        name = row.name  # type: ignore[attr-defined]
        done.append((name, repeat))
        return Measurement(a_cell(name, repeat=repeat), f"raw {name} {repeat}", "script")

    monkeypatch.setattr("benchrig.bench.cell.measure", measure)
    return done


def interrupted(reports: Path, cells: int, run: Run) -> Path:
    """Make a run of which so many cells are measured."""
    with Recorder(reports, run) as recorder:
        measure_all(turns(PLAN, [unasked()])[:cells], PLAN, recorder)
        assert recorder.folder
        return recorder.folder


def test_what_is_left_is_measured_and_nothing_twice(tmp_path: Path, measured: list[tuple[str, int]]) -> None:
    folder = interrupted(tmp_path, 3, begun_run())
    begun = find(tmp_path, "")
    assert begun.folder == folder
    measured.clear()
    with Recorder(tmp_path, begun.resumed(replace(begun.run, started_at="later")), begun.lock) as recorder:
        every = turns(PLAN, [unasked()])
        left = [turn for turn in every if turn.key not in begun.measured]
        measure_all(left, PLAN, recorder, [Done(turn.title, "measured") for turn in every if turn.key in begun.measured])
        recorder.finish()
    assert measured == [(SECOND, 2), (FIRST, 3), (SECOND, 3)]
    run, cells = store.read(folder)
    assert [(cell.name, cell.repeat, cell.part) for cell in cells] == [
        (FIRST, 1, 1), (SECOND, 1, 1), (FIRST, 2, 1), (SECOND, 2, 2), (FIRST, 3, 2), (SECOND, 3, 2)
    ]  # fmt: skip
    assert run.finished_at
    assert [part.started_at for part in run.parts] == ["later"]
    assert find(tmp_path, "").is_complete


@pytest.mark.usefixtures("measured")
def test_the_newest_that_was_interrupted_is_meant_also_when_a_newer_one_is_complete(
    tmp_path: Path,
) -> None:
    older, newer = (interrupted(tmp_path, 1, begun_run()) for _ in range(2))
    complete = interrupted(tmp_path, 1, begun_run())
    store.finish(complete, store.read(complete)[0])
    assert find(tmp_path, "").folder == newer
    assert find(tmp_path, older.name).folder == older
    store.finish(newer, store.read(newer)[0])
    store.finish(older, store.read(older)[0])
    assert find(tmp_path, "").folder == complete


@pytest.mark.usefixtures("measured")
def test_a_run_that_another_project_stored_elsewhere_is_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    own = interrupted(tmp_path / "reports", 1, begun_run())
    other = interrupted(store.other_runs(), 1, begun_run(number=9))
    if other.name == own.name:
        other = other.rename(other.with_name("other"))
    assert find(tmp_path / "reports", "").folder == own
    (tmp_path / "reports" / other.name).mkdir()
    assert find(tmp_path / "reports", "").folder == other


@pytest.mark.usefixtures("measured")
def test_of_two_copies_of_a_run_the_one_with_more_cells_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    here = interrupted(tmp_path / "reports", 2, begun_run())
    there = store.other_runs() / here.name
    shutil.copytree(here, there)
    assert find(tmp_path / "reports", "").folder == here
    store.append(here, a_cell(FIRST, repeat=2))
    assert find(tmp_path / "reports", "").folder == here
    for name in (FIRST, SECOND):
        store.append(there, a_cell(name, repeat=3))
    assert find(tmp_path / "reports", "").folder == there


@pytest.mark.usefixtures("measured")
def test_the_command_that_goes_on_names_the_run_and_no_later_one(tmp_path: Path) -> None:
    older, newer = (interrupted(tmp_path, 1, begun_run()) for _ in range(2))
    begun = find(tmp_path, older.name)
    with Recorder(tmp_path, begun.run, begun.lock) as recorder:
        assert recorder.resume.text() == f"./inv bench --resume {older.name}"
    assert find(tmp_path, "").folder == newer


def test_without_a_run_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run to resume"):
        find(tmp_path, "")


def begun(**changes: object) -> Begun:
    return Begun(Path("reports/one"), begun_run(**changes), {})


def test_the_plan_is_that_of_the_run_and_not_of_the_suite_as_it_is_by_now() -> None:
    run = begun_run()
    settings = replace(run.settings, warm_up_seconds=7.0, timeout_seconds=3.0)
    one = replace(begun(), run=replace(run, settings=settings, rows=(SECOND, FIRST)))
    planned = one.planned(plan(ROOT, read_apps(ROOT), one.request(BenchRequest(suite="", profile=""))))
    assert records.settings(planned) == settings
    assert [row.name for row in planned.rows] == [SECOND, FIRST]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (BenchRequest("quart-vs-flask", ""), "--suite quart-vs-flask contradicts the run one, which has web-frameworks"),
        (BenchRequest("", "paper"), "--profile paper contradicts the run one, which has quick"),
        (BenchRequest("", "", duration="1m"), "--duration 1m contradicts the run one, which has 2s"),
        (BenchRequest("", "", duration="soon"), "--duration soon contradicts the run one, which has 2s"),
        (BenchRequest("", "", repeats=4), "--repeats 4 contradicts the run one, which has 3"),
        (BenchRequest("", "", only=("sanic",)), f"--only sanic contradicts the run one, which has {FIRST},{SECOND}"),
    ],
)
def test_a_flag_that_contradicts_the_run_is_refused(given: BenchRequest, said: str) -> None:
    with pytest.raises(InputError) as caught:
        begun().request(given)
    assert str(caught.value) == said


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("left", [0, 3, 5])
def test_a_finished_run_that_lost_cells_measures_them_again(tmp_path: Path, left: int) -> None:
    folder = interrupted(tmp_path, 6, begun_run())
    store.finish(folder, store.read(folder)[0])
    assert find(tmp_path, folder.name).is_complete
    lines = (folder / store.CELLS).read_bytes().splitlines(keepends=True)
    (folder / store.CELLS).write_bytes(b"".join(lines[:left]) + b"damaged\n" * bool(left))
    begun = find(tmp_path, folder.name)
    assert not begun.is_complete
    assert begun.lock
    every = turns(PLAN, [unasked()])
    with Recorder(tmp_path, begun.resumed(begun.run), begun.lock) as recorder:
        missing = [turn for turn in every if turn.key not in begun.measured]
        measure_all(missing[:1], PLAN, recorder)
        assert not store.read(folder)[0].finished_at
        measure_all(missing[1:], PLAN, recorder)
        recorder.finish()
    assert {(cell.name, cell.repeat) for cell in store.read(folder)[1]} == {(turn.row.name, turn.repeat) for turn in every}
    assert find(tmp_path, folder.name).is_complete


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"warm_up_seconds": -5.0}, "settings.warm_up_seconds: -5 is not a whole number of seconds, at least 1"),
        ({"timeout_seconds": 0.2}, "settings.timeout_seconds: 0.2 is not a whole number of seconds, at least 1"),
        ({"duration_seconds": 1.5}, "settings.duration_seconds: 1.5 is not a whole number of seconds, at least 1"),
        ({"duration_seconds": 1e9}, "settings.duration_seconds: 1e+09 is longer than a week"),
        ({"repeats": 0}, "settings.repeats: 0 is not between 1 and 1,000,000"),
        ({"connections": -1}, "settings.connections: -1 is not between 1 and 1,000,000"),
    ],
)
def test_settings_that_no_suite_has_are_refused(tmp_path: Path, changes: dict[str, float], said: str) -> None:
    folder = interrupted(tmp_path, 1, begun_run())
    run = store.read(folder)[0]
    store.write_run(folder, replace(run, settings=replace(run.settings, **changes)))  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        find(tmp_path, "")
    assert str(caught.value) == f"{folder}/run.json is damaged: {said}"


@pytest.mark.usefixtures("measured")
def test_rows_that_no_suite_has_are_refused(tmp_path: Path) -> None:
    folder = interrupted(tmp_path, 1, begun_run())
    store.write_run(folder, begun_run(rows=(FIRST, SECOND, FIRST)))
    with pytest.raises(InputError, match=f"run.json is damaged: rows: '{FIRST}' is there twice"):
        find(tmp_path, "")
    store.write_run(folder, begun_run(rows=("go",)))
    begun = find(tmp_path, "")
    with pytest.raises(InputError, match="unknown row 'go'"):
        begun.planned(plan(ROOT, read_apps(ROOT), begun.request(BenchRequest("", ""))))


def test_flags_that_say_what_the_run_has_are_taken() -> None:
    given = BenchRequest("web-frameworks", "quick", (SECOND, FIRST), "2s", connections=40, threads=2, repeats=3)
    assert begun().request(given).repeats == 3


MACHINE = begun_run().machines[0]


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (replace(MACHINE, kernel="6.2"), "lab1: kernel was 6.1.0-26-amd64, is 6.2"),
        (replace(MACHINE, cores=4), "lab1: cores was 2, is 4"),
        (replace(MACHINE, memory_bytes=MACHINE.memory_bytes // 2), "lab1: memory was 8589934592, is 4294967296"),
        (replace(MACHINE, sysctls={}), "lab1: net.core.somaxconn was 65535, is absent"),
        (replace(MACHINE, versions={"wrk": "4.2.0"}), "lab1: wrk was 4.1.0, is 4.2.0"),
        (replace(MACHINE, name="lab2"), "lab1 takes no part any more"),
    ],
)
def test_a_machine_that_is_not_what_it_was_is_refused_unless_told(machine: object, said: str) -> None:
    now = begun_run(machines=(machine,))
    with pytest.raises(InputError) as caught:
        begun().resumed(now)
    assert str(caught.value) == f"reports/one cannot be resumed: {said}"
    assert "./inv bench --resume one --despite-changes" in str(caught.value.hint)
    (part,) = replace(begun(), despite_changes=True).resumed(now).parts
    assert part.changed == (said,)
    assert part.machines == (machine,)


def test_a_little_less_memory_after_a_boot_is_no_other_machine() -> None:
    less = replace(MACHINE, memory_bytes=MACHINE.memory_bytes - 40_960)
    assert differences(begun_run(), begun_run(machines=(less,))) == ()


KNOWN = Environment(cpu_governor="performance", clock_source="tsc", cgroup_limits={}, activity=Activity(0.2, 0.1))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(KNOWN, cpu_governor="powersave"), ("lab1: CPU governor was performance, is powersave",)),
        (
            replace(KNOWN, cgroup_limits={"cpu.max of /": "50000 100000"}),
            ("lab1: control group limits was none, is cpu.max of / 50000 100000",),
        ),
        # What is not known of one of them, as of a run of an earlier version, and what changes all the time.
        (Environment(), ()),
        (replace(KNOWN, smt="on"), ()),
        (replace(KNOWN, activity=Activity(0.2, 9.0, foreign_percent=80.0)), ()),
    ],
)
def test_a_machines_environment_is_a_condition(now: Environment, said: tuple[str, ...]) -> None:
    then = begun_run(machines=(replace(MACHINE, environment=KNOWN),))
    assert differences(then, begun_run(machines=(replace(MACHINE, environment=now),))) == said


def test_a_program_that_was_installed_since_is_no_difference() -> None:
    """What the rows need is installed in both parts: nginx came or went with rows that are not in this run."""
    more = replace(MACHINE, versions={**MACHINE.versions, "nginx": "1.22.1"})
    assert differences(begun_run(), begun_run(machines=(more,))) == ()
    assert differences(begun_run(machines=(more,)), begun_run()) == ()


def test_another_database_is_a_difference() -> None:
    one = Database("db1", "films", "15.8", {"max_connections": "100"}, "1000 films")
    other = replace(one, version="15.9")
    assert differences(begun_run(database=one), begun_run(database=other)) == ("db1: PostgreSQL was 15.8, is 15.9",)


def test_a_changed_row_or_app_is_refused_and_another_commit_is_only_said(capsys: pytest.CaptureFixture[str]) -> None:
    digests = {**records.digests(PLAN, None), "app go": "another"}
    with pytest.raises(InputError, match=r"reports/one cannot be resumed: changed: app go$"):
        begun(digests=digests).resumed(begun_run())
    with pytest.raises(InputError, match=r"changed: app go \(main\.go, old\.go\)$"):
        begun(digests={**digests, "app go: main.go": "another", "app go: old.go": "gone"}).resumed(begun_run())
    with pytest.raises(InputError, match=r"changed: app go$"):
        # A run of an earlier version names no files.
        begun(digests={name: value for name, value in digests.items() if ": " not in name}).resumed(begun_run())
    begun(git_commit="1234").resumed(begun_run(git_commit="5678"))
    assert capsys.readouterr().err == "resuming reports/one, which has 0 measured cells\nthe commit was 1234, and is 5678\n"


def test_a_run_of_an_earlier_version_is_resumed_and_says_what_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    resumed = begun(digests={}).resumed(begun_run())
    assert len(resumed.parts) == 1
    assert "does not say which rows and apps it measured" in capsys.readouterr().err


@pytest.mark.usefixtures("measured")
def test_a_run_is_locked_while_it_is_measured_and_not_when_it_is_complete(tmp_path: Path) -> None:
    with Recorder(tmp_path, begun_run()) as recorder:
        measure_all(turns(PLAN, [unasked()]), PLAN, recorder)
        with pytest.raises(InputError, match=f"is being measured by process {os.getpid()}"):
            find(tmp_path, "")
        recorder.finish()
    assert find(tmp_path, "").lock is None
    RunLock(find(tmp_path, "").folder)


@pytest.mark.usefixtures("measured")
def test_a_second_resume_adds_a_third_part(tmp_path: Path) -> None:
    folder = interrupted(tmp_path, 1, begun_run(parts=(Part("then", (), "", ""),)))
    assert [cell.part for cell in store.read(folder)[1]] == [2]
