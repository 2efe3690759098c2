"""The files of benches that run: believed while their process lives, and removed by the next bench."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.results import running
from benchrig.results.running import FOLDER, StateFile, look
from tests.support.running import STATE, another
from tests.support.waiting import until


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / FOLDER).iterdir())


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.write(STATE)
    assert running.running(tmp_path) == [STATE]
    assert look(tmp_path, STATE) == (STATE, True)
    file.close()


def test_where_no_bench_runs_there_is_none(tmp_path: Path) -> None:
    assert running.running(tmp_path) == []
    StateFile(tmp_path).close()
    assert running.running(tmp_path) == []


def test_how_a_bench_ended_stays_for_who_watches_it(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.write(STATE)
    file.write(replace(STATE, ended="every row was measured"))
    file.close()
    assert running.running(tmp_path) == []
    assert look(tmp_path, STATE) == (replace(STATE, ended="every row was measured"), False)


def test_several_benches_are_told_apart(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        file = StateFile(tmp_path)
        file.write(STATE)
        assert [state.pid for state in running.running(tmp_path)] == [STATE.pid, other.pid]
        file.close()
        assert [state.pid for state in running.running(tmp_path)] == [other.pid]


def test_what_a_killed_bench_left_is_not_believed_and_the_next_one_removes_it(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        (seen,) = running.running(tmp_path)
    other.wait()
    assert running.running(tmp_path) == []
    assert look(tmp_path, seen) == (seen, False)
    # Half of a state that it was writing.
    (tmp_path / FOLDER / f".{other.pid}.json.{other.pid}.new").write_text("{")
    assert len(names(tmp_path)) == 3
    file = StateFile(tmp_path)
    assert names(tmp_path) == [f"{os.getpid()}.lock"]
    file.close()


def test_a_bench_that_runs_is_not_removed_by_another(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        StateFile(tmp_path).close()
        assert [state.pid for state in running.running(tmp_path)] == [other.pid]


def test_another_bench_of_the_same_process_is_not_taken_for_the_first(tmp_path: Path) -> None:
    first = StateFile(tmp_path)
    first.write(STATE)
    first.close()
    second = StateFile(tmp_path)
    assert look(tmp_path, STATE) == (STATE, True)
    second.write(replace(STATE, started_at="2026-11-30T13:00:00Z"))
    assert look(tmp_path, STATE) == (STATE, False)
    second.close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "suite": 3, "started_at": []}', "null"])
def test_a_state_that_is_none_is_not_shown(tmp_path: Path, text: str) -> None:
    file = StateFile(tmp_path)
    (tmp_path / FOLDER / f"{os.getpid()}.json").write_text(text)
    assert running.running(tmp_path) == []
    file.close()


def test_a_state_that_is_too_large_or_no_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text(json.dumps({"pid": 1, "suite": "x" * (2 << 20), "started_at": ""}))
    assert running.read(path) is None
    path.unlink()
    os.mkfifo(path)
    assert running.read(path) is None


def test_a_reader_does_not_keep_a_bench_from_its_lock(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        until(lambda: running.running(tmp_path))
        other.kill()
        other.wait()
        for _ in range(20):
            file = StateFile(tmp_path)
            running.running(tmp_path)
            file.close()


def test_a_place_that_cannot_be_written_is_an_error_of_the_systems(tmp_path: Path) -> None:
    (tmp_path / ".benchrig").write_text("no folder")
    with pytest.raises(OSError, match=r"."):
        StateFile(tmp_path)
