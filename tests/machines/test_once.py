"""Making a folder once: by one process, complete or not at all, without leftovers."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from benchrig.errors import MachineError
from benchrig.machines.once import Product, make_once


def product(make: Callable[[Path, int], None]) -> Product:
    return Product("test", "thing", "a moment", make)


def make(path: Path, _lock: int) -> None:
    path.mkdir()
    path.with_name(".new.notes").write_text("beside it")


def fail(path: Path, lock: int) -> None:
    make(path, lock)
    raise MachineError("no")


def test_it_is_made_once_and_the_time_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shelf" / "thing-1"
    assert make_once(path, product(make)) == path
    assert make_once(path, product(fail)) == path
    assert capsys.readouterr().err == "test: making the thing (once, a moment)\ntest: made the thing in 0 s\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MachineError):
        make_once(tmp_path / "shelf" / "thing-1", product(fail))
    assert list((tmp_path / "shelf").iterdir()) == []


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "shelf" / ".new" / "half").mkdir(parents=True)
    path = make_once(tmp_path / "shelf" / "thing-1", product(make))
    assert list(path.iterdir()) == []


def test_older_ones_are_removed_unless_a_machine_of_any_kind_names_them(tmp_path: Path) -> None:
    for name in ("unused", "named", "inside"):
        (tmp_path / "shelf" / name).mkdir(parents=True)
    for kind, text in (("one", "named"), ("other", f"{tmp_path}/shelf/inside/disk")):
        image = tmp_path / kind / "lab-1" / "machines" / "vm1" / "image"
        image.parent.mkdir(parents=True)
        image.write_text(text + "\n")
    make_once(tmp_path / "shelf" / "thing-1", product(make))
    assert {path.name for path in (tmp_path / "shelf").iterdir()} == {"thing-1", "named", "inside"}


def test_while_another_process_makes_it_one_waits_and_takes_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shelf" / "thing-1"
    path.parent.mkdir()
    descriptor = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def finish() -> None:
        path.mkdir()
        os.close(descriptor)

    threading.Timer(0.2, finish).start()
    assert make_once(path, product(fail)) == path
    assert capsys.readouterr().err == "waiting: another process makes the thing\n"
