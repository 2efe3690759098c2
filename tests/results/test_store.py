"""The folder of a run: what is written is what is read, and a kill loses the cell in flight at most."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.results import store
from benchrig.results.model import CpuShares, DatabaseLoad, DatabaseNetwork, MachineLoad
from benchrig.results.newest import newest
from tests.support.reports import a_cell, a_run, missing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    created = store.create(tmp_path / "reports", "web-frameworks")
    store.write_run(created, a_run("go-2000"))
    return created


def test_a_run_and_its_cells_come_back_as_they_were(folder: Path) -> None:
    cells = (a_cell(), missing("go-20000", "not_possible", "limits"))
    for cell in cells:
        store.append(folder, cell)
    assert store.read(folder) == (a_run("go-2000"), cells)


def test_a_line_that_a_kill_cut_off_is_left_out(folder: Path) -> None:
    store.append(folder, a_cell())
    with (folder / store.CELLS).open("a") as file:
        file.write('{"name": "go-2000", "app"')
    assert store.read(folder)[1] == (a_cell(),)


NEW = ("route", "database", "beside", "networks", "database_networks", "computer_cores")


def test_a_run_of_before_there_were_routes_databases_and_machines_beside_the_server_can_still_be_read(folder: Path) -> None:
    cell = {name: value for name, value in dataclasses.asdict(a_cell()).items() if name not in NEW}
    (folder / store.CELLS).write_text(json.dumps(cell) + "\n")
    run = {name: value for name, value in dataclasses.asdict(a_run("go-2000")).items() if name not in NEW}
    (folder / store.RUN).write_text(json.dumps(run))
    assert store.read(folder) == (a_run("go-2000"), (a_cell(),))


def test_what_the_database_did_comes_back_as_it_was(folder: Path) -> None:
    cell = replace(a_cell(), route="POST /reviews/", database=DatabaseLoad(None, sessions=1, commits=2, rollbacks=3))
    store.append(folder, cell)
    assert store.read(folder)[1] == (cell,)


def test_what_was_seen_of_other_machines_comes_back_as_it_was(folder: Path) -> None:
    cell = replace(a_cell(), beside=(MachineLoad("load1", True, False, CpuShares(5.0, 90.0, 1.5, 2.0)),))
    run = replace(a_run("go-2000"), database_networks=(DatabaseNetwork("lab1", "db1", 70.0, 90.5, 1e9),), computer_cores=2)
    store.write_run(folder, run)
    store.append(folder, cell)
    assert store.read(folder) == (run, (cell,))


def test_a_broken_line_in_the_middle_is_named_with_its_line(folder: Path) -> None:
    store.append(folder, a_cell())
    with (folder / store.CELLS).open("a") as file:
        file.write('{"name": "go-2000"}\n')
    with pytest.raises(InputError, match=r"cells\.jsonl:2: not a record of this version: .*'app' is missing"):
        store.read(folder)


def test_a_run_has_no_cells_before_the_first_is_measured(folder: Path) -> None:
    assert store.read(folder)[1] == ()


def test_two_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert len({store.create(tmp_path, "web-frameworks") for _ in range(5)}) == 5


def test_the_latest_run_is_the_newest_that_has_a_cell(folder: Path) -> None:
    reports = folder.parent
    with pytest.raises(InputError, match="there is no run yet"):
        store.find_run(reports)
    store.append(folder, a_cell())
    empty = store.create(reports, "web-frameworks")
    store.write_run(empty, a_run("go-2000"))
    assert store.find_run(reports) == folder
    store.append(empty, a_cell())
    assert store.find_run(reports) == empty


def test_the_newest_run_of_a_suite_is_the_last_that_has_a_cell(tmp_path: Path) -> None:
    folders = []
    for number, suite in enumerate(("one", "two", "one", "one"), 1):
        folder = tmp_path / f"2025-01-0{number}T00-00-00"
        folder.mkdir()
        store.write_run(folder, replace(a_run("go-2000"), suite=suite))
        if number < 4:
            store.append(folder, a_cell())
        folders.append(folder)
    assert (newest(tmp_path, "one"), newest(tmp_path, "two")) == (folders[2], folders[1])
    with pytest.raises(InputError, match="there is no run of suite 'three'; known: one, two"):
        newest(tmp_path, "three")


def test_a_run_is_found_by_name_and_by_path(folder: Path) -> None:
    assert store.find_run(folder.parent, folder.name) == folder
    assert store.find_run(Path("elsewhere"), str(folder)) == folder


def test_an_unknown_run_is_named_with_the_nearest(folder: Path) -> None:
    with pytest.raises(InputError, match=f"unknown run '{folder.name}x'; did you mean {folder.name}"):
        store.find_run(folder.parent, folder.name + "x")


def test_the_end_of_a_run_replaces_its_record(folder: Path) -> None:
    store.write_run(folder, replace(a_run("go-2000"), finished_at="2026-11-21T04:00:00Z"))
    assert store.read(folder)[0].finished_at == "2026-11-21T04:00:00Z"
    assert sorted(path.name for path in folder.iterdir()) == ["raw", "run.json"]
