"""The folder of a run: what is written is what is read, and a kill loses the cell in flight at most."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.results import formats, store
from benchrig.results.model import CpuShares, DatabaseLoad, DatabaseNetwork, MachineLoad
from tests.support.reports import a_cell, a_load, a_run, missing

LOAD_HOST = MachineLoad("load1", True, False, CpuShares(5.0, 90.0, 1.5, 2.0))


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


def test_every_record_says_its_format(folder: Path) -> None:
    store.append(folder, a_cell())
    assert json.loads((folder / store.RUN).read_text())["format"] == formats.FORMAT
    assert json.loads((folder / store.CELLS).read_text())["format"] == formats.FORMAT


def add(folder: Path, line: str | bytes) -> None:
    with (folder / store.CELLS).open("ab") as file:
        file.write(line if isinstance(line, bytes) else line.encode())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"format": 2, "name": "sanic", "app"', "repeat 1 of 'sanic'|a measurement of 'sanic'"),
        ('{"format": 2, "name": "sanic", "repeat": 3, "app": "x\n', "repeat 3 of 'sanic'"),
        ('{"format": 2, "name": "sanic", "repeat": 3}\n', "'app' is missing"),
        ('["sanic"]\n', "not a JSON object"),
        ('{"format": "two"}\n', "'format' is 'two'"),
        (b'{"format": 2, "name": "\xff\xfe"}\n', "not UTF-8 text"),
        (b"\0\0\0\0\n", "a measurement"),
        ("[" * 100_000 + "\n", "nested too deeply"),
        ('{"format": ' + "9" * 5000 + "}\n", "a number has too many digits"),
    ],
)
def test_a_damaged_line_is_lost_alone_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str | bytes, said: str
) -> None:
    store.append(folder, a_cell())
    add(folder, line)
    whole = bytes(line if isinstance(line, bytes) else line.encode()).endswith(b"\n")
    if whole:
        store.append(folder, a_cell(repeat=2))
    assert store.read(folder)[1] == ((a_cell(), a_cell(repeat=2)) if whole else (a_cell(),))
    (warning,) = capsys.readouterr().err.strip().split("\n")
    assert re.search(r"^warning: .*cells\.jsonl:2 cannot be read and is left out \(", warning), warning
    assert re.search(said, warning), warning


SEPARATORS = "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\udc80"
"""All that Python's splitlines() takes for the end of a line, beside \\n and \\r; and half of a surrogate pair."""


def test_a_reply_with_any_line_separator_in_it_is_read_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = tuple(a_cell(repeat=n, load=replace(a_load(), wrong_example=SEPARATORS)) for n in (1, 2))
    for cell in cells:
        store.append(folder, cell)
    assert store.read(folder)[1] == cells
    assert capsys.readouterr().err == ""


def test_a_last_line_without_its_end_that_is_whole_counts(folder: Path) -> None:
    store.append(folder, a_cell())
    path = folder / store.CELLS
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert store.read(folder)[1] == (a_cell(),)


def test_fields_of_a_later_version_are_ignored_with_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = json.loads((folder / store.RUN).read_text())
    (folder / store.RUN).write_text(json.dumps({**run, "format": 3, "weather": "fair"}))
    for repeat in (1, 2):
        cell = json.loads(formats.text_of(a_cell(repeat=repeat)))
        cell["load"]["jitter_us"] = 3
        cell["beside"] = [{**dataclasses.asdict(LOAD_HOST), "fans": 2}]
        add(folder, json.dumps({**cell, "format": 3}) + "\n")
    read, cells = store.read(folder)
    assert read == a_run("go-2000")
    assert cells == tuple(a_cell(repeat=repeat, beside=(LOAD_HOST,)) for repeat in (1, 2))
    (warning,) = capsys.readouterr().err.strip().split("\n")
    assert warning.startswith(f"warning: {folder} (format 3) has fields that this benchrig does not know; ")
    assert warning.endswith(" ignored: run.json: weather, cells.jsonl: load.jitter_us, cells.jsonl: beside.fans")
    assert json.loads((folder / store.RUN).read_text())["weather"] == "fair"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is damaged: not valid JSON"),
        ("{}", "is damaged: not a record of format 1: 'rows'|not a record of format 1: 'settings'"),
        ('{"format": 2}', "is damaged: not a record of format 2: .*'suite' is missing"),
        ('{"settings": {"duration": "soon"}}', "is damaged: not a record of format 1: 'soon' is not a number of seconds"),
        ('{"format": 7, "name": "x"}', "cannot be read: it has format 7, and this benchrig reads formats up to 2"),
    ],
)
def test_a_damaged_run_says_what_to_do(folder: Path, content: str, said: str) -> None:
    (folder / store.RUN).write_text(content)
    with pytest.raises(InputError, match=rf"run\.json .*({said})") as error:
        store.read(folder)
    assert str(error.value.hint).startswith("Update benchrig" if "7" in content else "Restore it from a copy, or remove ")


def test_what_the_database_did_comes_back_as_it_was(folder: Path) -> None:
    cell = replace(a_cell(), route="POST /reviews/", database=DatabaseLoad(None, sessions=1, commits=2, rollbacks=3))
    store.append(folder, cell)
    assert store.read(folder)[1] == (cell,)


def test_what_was_seen_of_other_machines_comes_back_as_it_was(folder: Path) -> None:
    cell = replace(a_cell(), beside=(LOAD_HOST,))
    run = replace(a_run("go-2000"), database_networks=(DatabaseNetwork("lab1", "db1", 70.0, 90.5, 1e9),), computer_cores=2)
    store.write_run(folder, run)
    store.append(folder, cell)
    assert store.read(folder) == (run, (cell,))


def test_a_run_has_no_cells_before_the_first_is_measured(folder: Path) -> None:
    assert store.read(folder)[1] == ()


def test_two_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert len({store.create(tmp_path, "web-frameworks") for _ in range(5)}) == 5


def run_of(reports: Path, name: str, suite: str = "one", cells: int = 1, finished: bool = True) -> Path:
    folder = reports / name
    folder.mkdir(parents=True)
    store.write_run(folder, replace(a_run("go-2000", finished=finished), suite=suite))
    for repeat in range(cells):
        store.append(folder, a_cell(repeat=repeat + 1))
    return folder


def test_the_latest_run_is_the_newest_complete_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run yet"):
        store.find_run(tmp_path)
    first, interrupted = run_of(tmp_path, "1"), run_of(tmp_path, "2", finished=False)
    assert store.find_run(tmp_path) == first
    assert store.find_run(tmp_path, "2") == interrupted
    store.finish(interrupted, a_run("go-2000"))
    assert store.find_run(tmp_path) == (tmp_path / store.LATEST).resolve() == interrupted


def test_newest_goes_by_the_time_of_the_run_and_not_by_its_folders_name(tmp_path: Path) -> None:
    newer = run_of(tmp_path, "a")
    store.write_run(newer, replace(a_run(), started_at="2026-11-21T03:04:05Z"))
    run_of(tmp_path, "renamed-since")
    assert store.newest(tmp_path) == newer


def test_after_the_newest_run_was_removed_the_one_before_is_the_latest(tmp_path: Path) -> None:
    folders = [run_of(tmp_path, name) for name in ("1", "2")]
    for folder in folders:
        store.finish(folder, a_run())
    shutil.rmtree(folders[1])
    assert store.find_run(tmp_path) == folders[0]


def test_where_no_run_is_complete_the_interrupted_one_is_named(tmp_path: Path) -> None:
    run_of(tmp_path, "1", finished=False)
    with pytest.raises(InputError, match="there is no complete run yet") as error:
        store.find_run(tmp_path)
    assert str(error.value.hint) == "./inv report 1 shows what an interrupted one has measured."


def test_a_run_that_cannot_be_read_is_passed_over_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, damaged = run_of(tmp_path, "1"), run_of(tmp_path, "2")
    (damaged / store.RUN).write_text("{")
    assert store.newest(tmp_path) == whole
    assert "2 is skipped: its run.json cannot be read: not valid JSON" in capsys.readouterr().err


def test_the_newest_run_of_a_suite_is_the_last_that_is_complete(tmp_path: Path) -> None:
    one, two, _, _ = (
        run_of(tmp_path, "1"),
        run_of(tmp_path, "2", "two"),
        run_of(tmp_path, "3", finished=False),
        run_of(tmp_path, "4", cells=0),
    )
    assert (store.newest(tmp_path, "one"), store.newest(tmp_path, "two")) == (one, two)
    with pytest.raises(InputError, match="there is no run of suite 'three'; known: one, two"):
        store.newest(tmp_path, "three")


@pytest.mark.parametrize(("suite", "meant"), [("", "made"), ("two", "made"), ("one", "1")])
def test_the_run_just_made_is_meant_unless_another_suite_is_asked_for(tmp_path: Path, suite: str, meant: str) -> None:
    run_of(tmp_path, "1")
    assert store.meant(tmp_path, suite, "made", "two") == tmp_path / meant
    assert store.meant(tmp_path, "", "", "") == tmp_path / "1"


def test_a_run_is_found_by_name_and_by_path(folder: Path) -> None:
    assert store.find_run(folder.parent, folder.name) == folder
    assert store.find_run(Path("elsewhere"), str(folder)) == folder


@pytest.mark.parametrize("made", [(), ("run.json",), ("run.json", "cells.jsonl")])
def test_a_folder_that_a_kill_left_without_a_cell_is_no_run(folder: Path, made: tuple[str, ...]) -> None:
    store.append(folder, a_cell())
    reports = folder.parent
    killed = store.create(reports, "web-frameworks")
    if "run.json" in made:
        store.write_run(killed, replace(a_run("go-2000"), number=9))
    if "cells.jsonl" in made:
        (killed / store.CELLS).touch()
    assert [entry.folder for entry in store.entries(reports)] == [folder]
    assert store.newest_begun(reports) == folder
    assert store.names(reports) == {folder.name}
    assert store.newest(reports) == folder


def test_an_unknown_run_is_named_with_the_nearest(folder: Path) -> None:
    store.append(folder, a_cell())
    with pytest.raises(InputError, match=f"unknown run '{folder.name}x'; did you mean {folder.name}"):
        store.find_run(folder.parent, folder.name + "x")


def test_the_end_of_a_run_replaces_its_record(folder: Path) -> None:
    store.write_run(folder, replace(a_run("go-2000"), finished_at="2026-11-21T04:00:00Z"))
    assert store.read(folder)[0].finished_at == "2026-11-21T04:00:00Z"
    assert sorted(path.name for path in folder.iterdir()) == ["raw", "run.json"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("repeat", '"²"', "repeat: expected a whole number, found '²'"),
        ("repeat", '"--5"', "repeat: expected a whole number, found '--5'"),
        ("connections", "1" + "0" * 400, "connections: expected a whole number, found a number of too many digits"),
        ("duration_seconds", "NaN", "duration_seconds: expected a number, found nan"),
        ("duration_seconds", "1e400", "duration_seconds: expected a number, found inf"),
        ("duration_seconds", "1" + "0" * 400, "duration_seconds: expected a number, found a number of too many digits"),
    ],
)
def test_a_number_that_nothing_can_reckon_with_is_damage(
    folder: Path, capsys: pytest.CaptureFixture[str], field: str, value: str, said: str
) -> None:
    line = re.sub(rf'"{field}": [^,]+', lambda _: f'"{field}": {value}', formats.text_of(a_cell()), count=1)
    add(folder, line + "\n")
    store.append(folder, a_cell(repeat=2))
    assert store.read(folder)[1] == (a_cell(repeat=2),)
    assert capsys.readouterr().err.rstrip().endswith(said)


@pytest.mark.parametrize("content", ['{"started_at": null}', '{"started_at": 2030}', '{"finished_at": true}'])
def test_a_run_whose_times_are_no_text_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    sound = run_of(tmp_path, "20260101-000000-a")
    damaged = run_of(tmp_path, "20270101-000000-b")
    (damaged / store.RUN).write_text(content)
    assert store.newest(tmp_path) == sound
    assert "20270101-000000-b is skipped: its run.json cannot be read: expected text, found" in capsys.readouterr().err


def test_a_folder_named_run_json_makes_no_run(tmp_path: Path) -> None:
    (tmp_path / "odd" / store.RUN).mkdir(parents=True)
    assert store.names(tmp_path) == set()


def test_a_cell_that_is_there_twice_counts_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = a_cell(), a_cell(repeat=2), a_cell(host="lab2")
    for cell in (*cells, a_cell()):
        store.append(folder, cell)
    assert store.read(folder)[1] == cells
    name, host = cells[0].name, cells[0].host
    assert f"cells.jsonl:4 is left out: repeat 1 of '{name}' on '{host}' is there already" in capsys.readouterr().err


def test_a_line_that_is_too_long_loses_its_cell_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.append(folder, a_cell())
    store.append(folder, a_cell(repeat=2, versions={"go": "x" * 40_000_000}))
    store.append(folder, a_cell(repeat=3))
    assert store.read(folder)[1] == (a_cell(), a_cell(repeat=3))
    said = capsys.readouterr().err
    name = a_cell().name
    assert f"cells.jsonl:2 cannot be read and is left out (repeat 2 of '{name}'): it is larger than 16 MiB" in said


@pytest.mark.parametrize(
    "number", ["9223372036854775807", "1" + "0" * 400, "1000000001", "-5", "true", "1.5", '"7"', "null"]
)
def test_a_number_that_no_run_has_counts_as_none_and_poisons_no_later_run(tmp_path: Path, number: str) -> None:
    sound, odd = run_of(tmp_path, "20260101-000000-a"), run_of(tmp_path, "20270101-000000-b")
    store.write_run(sound, replace(a_run("go-2000"), number=7))
    text = re.sub(r'"number": \d+', f'"number": {number}', (odd / store.RUN).read_text())
    (odd / store.RUN).write_text(text)
    assert store.next_number(tmp_path) == 8
    assert store.newest(tmp_path) == sound
    assert store.read(odd)[0].number == 0


def test_a_line_without_an_end_is_not_read_for_ever(folder: Path) -> None:
    store.append(folder, a_cell())
    with (folder / store.CELLS).open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="cannot be read: it has a line of more than 256 MiB"):
        store.read(folder)


def test_a_newer_run_that_is_incomplete_is_named_beside_the_one_that_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(tmp_path, "0", finished=False)
    whole = run_of(tmp_path, "1")
    assert store.newest(tmp_path) == whole
    assert capsys.readouterr().err == ""
    run_of(tmp_path, "2", finished=False)
    assert store.find_run(tmp_path) == whole
    assert capsys.readouterr().err == (
        "a newer run is incomplete: ./inv report 2 shows it, ./inv bench --resume 2 goes on\n"
    )
    assert store.newest(tmp_path, "one") == whole
    run_of(tmp_path, "3", "two")
    capsys.readouterr()
    assert store.newest(tmp_path, "two").name == "3"
    assert capsys.readouterr().err == ""


def test_of_many_runs_an_unknown_one_names_the_newest_few(tmp_path: Path) -> None:
    for number in range(1, 9):
        run_of(tmp_path, str(number))
    with pytest.raises(InputError, match=r"unknown run 'nosuch'; the newest are 8, 7, 6$"):
        store.find_run(tmp_path, "nosuch")
    with pytest.raises(InputError, match=r"unknown run 'nosuch'; the newest are 8, 7, 6; published figures: an-article$"):
        store.find_run(tmp_path, "nosuch", {"an-article"})


def test_the_beginning_of_only_one_name_is_a_run(tmp_path: Path) -> None:
    first, second = run_of(tmp_path, "20261130-143110-web-frameworks"), run_of(tmp_path, "20261130-143411-zoo")
    assert store.find_run(tmp_path, "20261130-143110") == first
    assert store.find_run(tmp_path, "20261130-1434") == second
    both = "2 runs begin like that: did you mean 20261130-143411-zoo or 20261130-143110-web-frameworks?"
    with pytest.raises(InputError, match=re.escape(both)):
        store.find_run(tmp_path, "20261130")
    run_of(tmp_path, "20261130-1431")
    assert store.find_run(tmp_path, "20261130-1431").name == "20261130-1431"


def test_a_run_that_was_stored_elsewhere_is_brought_back_by_one_command_over_its_first_cells(tmp_path: Path) -> None:
    """docs/troubleshooting.md has the command."""
    there, elsewhere = (run_of(tmp_path / place, "1", finished=place == "elsewhere") for place in ("reports", "elsewhere"))
    store.append(elsewhere, a_cell(repeat=2))
    store.write_raw(there, "go-2000-1.txt", "first")
    store.write_raw(elsewhere, "go-2000-2.txt", "second")
    subprocess.run(["cp", "-aT", elsewhere, there], check=True)
    run, cells = store.read(there)
    assert (bool(run.finished_at), [cell.repeat for cell in cells]) == (True, [1, 2])
    assert sorted(path.name for path in (there / store.RAW).iterdir()) == ["go-2000-1.txt", "go-2000-2.txt"]
