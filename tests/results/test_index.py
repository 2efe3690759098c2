"""The index of runs: what it says is what the folders have, whatever happened to either."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report.history import entry
from benchrig.results import index as indexing
from benchrig.results import store
from benchrig.results.index import FILE, Index, RunEntry, known_rows
from tests.support import ROOT
from tests.support.history import stored
from tests.support.reports import a_run

SUITE = "web-frameworks"
METRIC = "requests_per_second"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for number in range(1, 4):
        stored(tmp_path / "reports", number, 1000 * number)
    return tmp_path / "reports"


def read(folder: Path) -> RunEntry:
    READ.append(folder.name)
    return entry.read(folder)


READ: list[str] = []
"""The runs that were read."""


@pytest.fixture(autouse=True)
def _nothing_read() -> None:
    READ.clear()


def values(reports: Path, version: str = "1") -> dict[str, float]:
    """Return the throughput of each run as the index has it, brought up to date."""
    with closing(Index(reports, version, read)) as index:
        index.update()
        return {one.run: one.values[0] for one in index.measured(METRIC, SUITE, "flask-sync") if one.values}


EVERYTHING = {"2025-run-001": 200.0, "2025-run-002": 400.0, "2025-run-003": 600.0}


def test_a_run_is_read_once(reports: Path) -> None:
    assert values(reports) == EVERYTHING
    assert sorted(READ) == sorted(EVERYTHING)
    READ.clear()
    assert values(reports) == EVERYTHING
    assert READ == []


def test_new_changed_copied_renamed_and_removed_folders_are_noticed(reports: Path) -> None:
    values(reports)
    READ.clear()
    shutil.rmtree(reports / "2025-run-001")
    cells = reports / "2025-run-002" / store.CELLS
    cells.write_text(cells.read_text().replace('"requests": 2000', '"requests": 2500'))
    shutil.copytree(reports / "2025-run-003", reports / "copied")
    (reports / "2025-run-003").rename(reports / "renamed")
    stored(reports, 4, 4000)
    assert values(reports) == {"2025-run-002": 500.0, "copied": 600.0, "renamed": 600.0, "2025-run-004": 800.0}
    assert sorted(READ) == ["2025-run-002", "2025-run-004", "copied", "renamed"]


def test_an_edit_that_keeps_size_and_time_is_noticed(reports: Path) -> None:
    values(reports)
    cells = reports / "2025-run-002" / store.CELLS
    times = cells.stat()
    cells.write_text(cells.read_text().replace('"requests": 2000', '"requests": 2500'))
    os.utime(cells, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert values(reports)["2025-run-002"] == 500.0


def test_incomplete_runs_are_left_out_until_they_are_complete(reports: Path) -> None:
    folder = stored(reports, 4, 4000, finished_at="", settings=replace(a_run().settings, repeats=2))
    assert values(reports) == EVERYTHING
    run, _ = store.read(folder)
    store.finish(folder, run)
    assert values(reports)["2025-run-004"] == 800.0


def order(reports: Path) -> list[str]:
    with closing(Index(reports, "1", read)) as index:
        index.update()
        return [one.run for one in index.measured(METRIC, SUITE)]


def test_runs_are_in_the_order_of_their_numbers_and_by_the_clock_where_some_are_from_elsewhere(reports: Path) -> None:
    """The clock was set back before the third run; then two runs come from another computer, of which one is the oldest."""
    run, _ = store.read(reports / "2025-run-003")
    store.write_run(reports / "2025-run-003", replace(run, started_at="2024-01-01T00:00:00Z"))
    assert order(reports) == ["2025-run-001", "2025-run-002", "2025-run-003"]
    for number, started in ((1, "2023-01-01T00:00:00Z"), (2, "2026-01-01T00:00:00Z")):
        made = stored(reports / "other", number, 1000, started_at=started)
        made.rename(reports / f"copied-{number}")
    assert order(reports) == ["copied-1", "2025-run-003", "2025-run-001", "2025-run-002", "copied-2"]


def test_another_version_makes_it_anew_in_one_line(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values(reports)
    READ.clear()
    assert values(reports, "2") == EVERYTHING
    assert len(READ) == 3
    assert capsys.readouterr().err.count("\n") == 1


DAMAGE = {
    "no database": lambda path: path.write_bytes(b"all:\n  hosts: {}\n" * 100),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "zeros in the middle": lambda path: path.write_bytes(
        (content := path.read_bytes())[:4096] + bytes(len(content) - 4096 - 100) + content[-100:]
    ),
    "empty": lambda path: path.write_bytes(b""),
    "other tables": lambda path: _other_tables(path),
    "no JSON in it": lambda path: _sql(path, "UPDATE measured SET figures = '{'"),
    "JSON of another kind": lambda path: _sql(path, "UPDATE measured SET figures = '[1]', conditions = '7'"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a broken link": lambda path: (path.unlink(), path.symlink_to("/nonexistent/x")),
}


def _sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def _other_tables(path: Path) -> None:
    path.unlink()
    _sql(path, "CREATE TABLE version (code TEXT)", "INSERT INTO version VALUES ('1')", "CREATE TABLE runs (name TEXT)")


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_made_anew(damage: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values(reports)
    DAMAGE[damage](reports / FILE)
    assert values(reports) == EVERYTHING
    assert values(reports) == EVERYTHING
    assert capsys.readouterr().err.count("\n") <= 1


IN_ITS_PLACE = {
    "a FIFO": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link to a FIFO": lambda path: (path.unlink(), os.mkfifo(path.with_name("fifo")), path.symlink_to("fifo")),
    "a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "a FIFO as its journal": lambda path: os.mkfifo(path.with_name(f"{path.name}-journal")),
}


@pytest.mark.parametrize("place", IN_ITS_PLACE)
def test_what_is_no_file_is_neither_opened_nor_waited_for(place: str, reports: Path) -> None:
    values(reports)
    IN_ITS_PLACE[place](reports / FILE)
    program = (
        "import sys; from pathlib import Path; from benchrig.report.history import history;"
        "from benchrig.results.index import known_rows;"
        "known_rows(Path(sys.argv[1])); print(len(history(Path(sys.argv[1])).rows[0].points))"
    )
    # In a process of its own: SQLite would wait where no signal of Python's is heard.
    argv = [sys.executable, "-c", program, str(reports)]
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout == "3\n"


def test_a_database_of_something_else_keeps_its_tables(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = reports / "other.sqlite"
    _sql(other, "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('one')")
    before = other.read_bytes()
    (reports / FILE).symlink_to(other)
    assert values(reports) == EVERYTHING
    assert capsys.readouterr().err == (
        f"{FILE} is no index of runs: it stays as it is, and all runs are read; move it away to be quicker\n"
    )
    assert other.read_bytes() == before


def test_where_nothing_can_be_written_it_is_kept_in_memory(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a read-only folder: root may write everywhere, so SQLite is told to open the file for reading only."""
    values(reports)
    stored(reports, 4, 4000)
    before = (reports / FILE).read_bytes()
    READ.clear()
    connect = sqlite3.connect

    def read_only(path: object, **options: object) -> sqlite3.Connection:
        if path == reports / FILE:
            return connect(f"file:{path}?mode=ro", uri=True, **options)  # type: ignore[call-overload, no-any-return]
        return connect(path, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(indexing.sqlite3, "connect", read_only)
    assert values(reports) == {**EVERYTHING, "2025-run-004": 800.0}
    # What the file has was not read again.
    assert READ == ["2025-run-004"]
    assert (reports / FILE).read_bytes() == before


def test_a_long_write_of_another_process_is_not_waited_for(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values(reports)
    stored(reports, 4, 4000)
    monkeypatch.setattr(indexing, "WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(reports / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert values(reports) == {**EVERYTHING, "2025-run-004": 800.0}
        other.execute("ROLLBACK")
    assert values(reports) == {**EVERYTHING, "2025-run-004": 800.0}


def test_processes_at_once_agree(reports: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from benchrig.report.history import history;"
        "print(len(history(Path(sys.argv[1])).rows[0].points))"
    )
    argv = [sys.executable, "-c", program, str(reports)]
    running = [subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [one.communicate(timeout=60)[0].strip() for one in running] == ["3"] * 3
    assert values(reports, entry.version()) == EVERYTHING
    assert READ == []


def test_without_runs_no_file_is_made(tmp_path: Path) -> None:
    assert values(tmp_path / "nowhere") == {}
    assert list(tmp_path.iterdir()) == []


def test_one_run_is_entered_alone(reports: Path) -> None:
    with closing(Index(reports, "1", read)) as index:
        index.enter(reports / "2025-run-002")
    assert READ == ["2025-run-002"]
    assert known_rows(reports) == ["flask-sync"]
    assert values(reports) == EVERYTHING
    assert sorted(READ) == sorted(EVERYTHING)


@pytest.mark.parametrize("damage", DAMAGE)
def test_completion_asks_without_a_word(damage: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values(reports)
    DAMAGE[damage](reports / FILE)
    assert known_rows(reports) in ([], ["flask-sync"])
    assert capsys.readouterr() == ("", "")


def test_a_folder_whose_name_is_no_text_is_read(reports: Path) -> None:
    shutil.copytree(reports / "2025-run-001", os.fsdecode(os.fsencode(reports) + b"/b\xffd"))
    assert sorted(values(reports).values()) == [200.0, 200.0, 400.0, 600.0]
    READ.clear()
    values(reports)
    assert READ == []
