"""Removal of runs: what goes is what was named, as a whole, and never one that is being measured."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.results import removal, sessions, store
from benchrig.results.lock import RunLock
from tests.support.history import written
from tests.support.reports import a_cell, a_run


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Return reports with three complete runs, of which the link `latest` leads to the newest."""
    folder = tmp_path / "reports"
    for number in (1, 2, 3):
        written(folder, f"run-{number}", replace(a_run("go-2000"), number=number), [a_cell("go-2000")])
    removal.relink(folder)
    return folder


def remove(reports: Path, *names: str) -> list[str]:
    """Remove runs by their names, and return what was told."""
    told: list[str] = []
    removal.remove([removal.find(reports, name) for name in names], reports, lambda one: told.append(one.name))
    return told


def there(reports: Path) -> list[str]:
    return sorted(path.name for path in reports.iterdir())


def test_a_run_goes_as_a_whole_and_latest_follows(reports: Path) -> None:
    assert remove(reports, "run-3", "run-1") == ["run-3", "run-1"]
    assert there(reports) == ["latest", "run-2"]
    assert str((reports / "latest").readlink()) == "run-2"
    remove(reports, "latest")
    assert there(reports) == []


def test_a_folder_in_place_of_the_link_stays(reports: Path) -> None:
    (reports / "latest").unlink()
    (reports / "latest").mkdir()
    remove(reports, "run-1")
    assert (reports / "latest").is_dir()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run", "unknown run 'run'; did you mean run-3 or run-2"),
        ("run-4", "unknown run 'run-4'; did you mean run-3 or run-2"),
        (".", "'.' names no run"),
        ("..", "'..' names no run"),
        ("run-1/..", "names no run"),
        ("./", "names no run"),
        ("/", "names no run"),
        ("", "'' names no run"),
        (".hidden", "unknown run '.hidden'"),
        ("index.sqlite", "unknown run 'index.sqlite'"),
        ("../reports", "is no run"),
        ("nowhere/run-1", "is no run"),
        ("run\0", "no NUL character"),
        ("web-frameworks", "'web-frameworks' is a set of published figures, and no run"),
    ],
)
def test_what_is_no_run_is_refused(reports: Path, name: str, said: str) -> None:
    shutil.copytree(reports / "run-1", reports / ".hidden")
    with pytest.raises(InputError) as caught:
        removal.find(reports, name, {"web-frameworks"})
    assert said in str(caught.value)


def test_a_folder_elsewhere_that_only_has_one_named_raw_is_no_run(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "photos" / "raw").mkdir(parents=True)
    with pytest.raises(InputError, match="is no run"):
        removal.find(reports, str(tmp_path / "photos"), ())


def test_a_name_means_nothing_outside_of_reports(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(reports / "run-1", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="unknown run 'elsewhere'"):
        removal.find(reports, "elsewhere")
    assert remove(reports, "./elsewhere") == ["elsewhere"]
    assert not (tmp_path / "elsewhere").exists()
    assert "run-1" in there(reports)


def test_a_folder_elsewhere_that_has_more_than_a_run_is_refused(reports: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(reports / "run-1", elsewhere)
    (elsewhere / "report.html").touch()
    (elsewhere / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"has more than a run: thesis\.tex"):
        removal.find(reports, str(elsewhere))


def test_a_link_is_removed_and_what_it_leads_to_is_not(reports: Path, tmp_path: Path) -> None:
    shutil.copytree(reports / "run-1", tmp_path / "kept" / "run")
    (reports / "link").symlink_to(tmp_path / "kept" / "run")
    (reports / "broken").symlink_to("/nowhere")
    assert remove(reports, "link", "broken") == ["link", "broken"]
    assert store.read(tmp_path / "kept" / "run")
    assert there(reports) == ["latest", "run-1", "run-2", "run-3"]


def test_links_within_a_run_are_not_followed(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x" * 10_000)
    (reports / "run-1" / "raw" / "link").symlink_to(tmp_path / "kept")
    assert removal.find(reports, "run-1").size < 10_000
    remove(reports, "run-1")
    assert (tmp_path / "kept" / "file").exists()


def test_a_run_that_is_measured_stays_and_so_do_the_others_that_were_named(reports: Path) -> None:
    lock = RunLock(reports / "run-2")
    with pytest.raises(InputError, match="run-2 is being measured by process"):
        remove(reports, "run-1", "run-2")
    assert "run-1" in there(reports)
    lock.release()
    remove(reports, "run-1", "run-2")


def test_a_run_that_is_begun_to_be_measured_after_it_was_found_stays(reports: Path) -> None:
    found = [removal.find(reports, name) for name in ("run-3", "run-2")]
    lock = RunLock(reports / "run-2")
    with pytest.raises(InputError, match="run-2 is being measured"):
        removal.remove(found, reports, lambda _: None)
    assert there(reports) == ["latest", "run-1", "run-2"]
    assert str((reports / "latest").readlink()) == "run-2"
    lock.release()


@pytest.mark.parametrize("damage", ["{", '{"number": []}', None])
def test_damaged_runs_and_folders_without_a_cell_can_be_removed(reports: Path, damage: str | None) -> None:
    if damage is None:
        (reports / "run-1" / store.CELLS).unlink()
    else:
        (reports / "run-1" / store.RUN).write_text(damage)
    remove(reports, "run-1")
    assert there(reports) == ["latest", "run-2", "run-3"]


def test_a_session_is_removed_as_a_whole_and_not_in_part(reports: Path) -> None:
    session = reports / "session"
    shutil.copytree(reports / "run-1", session / "boot-1" / "1-A")
    (session / sessions.FILE).write_text("{}")
    with pytest.raises(InputError, match="1-A is part of a session") as caught:
        removal.find(reports, str(session / "boot-1" / "1-A"))
    assert "./inv rm session" in str(caught.value.hint)
    assert remove(reports, "session") == ["session"]


def test_what_a_killed_removal_left_is_no_run_and_the_next_one_ends_it(reports: Path) -> None:
    (reports / removal.REMOVED).mkdir()
    (reports / "run-3").rename(reports / removal.REMOVED / "run-3")
    (reports / removal.REMOVED / "run-3" / store.CELLS).unlink()
    assert store.names(reports) == {"run-1", "run-2"}
    assert store.newest(reports).name == "run-2"
    remove(reports, "run-1")
    assert there(reports) == ["latest", "run-2"]


@pytest.mark.parametrize("step", ["rename", "rmtree"])
def test_a_removal_that_fails_leaves_a_whole_run_or_none(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    def fail(*_: object, **options: object) -> None:
        if not options.get("ignore_errors"):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "rename", fail) if step == "rename" else monkeypatch.setattr(shutil, "rmtree", fail)
    if step == "rename":
        with pytest.raises(OSError, match="Input/output error"):
            remove(reports, "run-3")
        assert store.read(reports / "run-3")
        assert store.newest(reports).name == "run-3"
    else:
        remove(reports, "run-3")
        assert ".removed could not be removed to its end" in capsys.readouterr().err
        assert store.newest(reports).name == "run-2"


def test_latest_leads_nowhere_where_only_incomplete_runs_are_left(reports: Path) -> None:
    written(reports, "begun", replace(a_run("go-2000", "sanic", finished=False), number=9), [a_cell("go-2000")])
    remove(reports, "run-1", "run-2", "run-3")
    assert there(reports) == ["begun"]
