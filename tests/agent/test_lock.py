"""The host lock: flock decides, the content says who."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.agent import lock
from benchrig.agent.lock import HeldError, Owner, read_owner, take
from tests.support import ROOT

HOLDER = """
import os, sys, time
from pathlib import Path
from benchrig.agent.lock import Owner, take
owner = Owner("bench", "first", "ann@laptop, process 12", os.getpid(), time.time() - 300, *sys.argv[2:])
held = take(Path(sys.argv[1]), owner)
if len(sys.argv) > 2:
    held.note_deserted(float(os.environ.get("KEPT", "0")))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "lock"


def owner(session: str = "second", verb: str = "provision") -> Owner:
    return Owner(verb, session, "bob@desk, process 34", os.getpid(), time.time())


@contextmanager
def holder(path: Path, *unit: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that holds the lock, and wait until it does."""
    argv = [sys.executable, "-c", HOLDER, str(path), *unit]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def test_a_second_session_is_refused_with_owner_and_age(path: Path) -> None:
    with holder(path) as process, pytest.raises(HeldError) as caught, take(path, owner()):
        pass
    assert caught.value.owner
    assert (caught.value.owner.verb, caught.value.owner.pid) == ("bench", process.pid)
    said = rf"a bench by ann@laptop, process 12 has had this host for 5 min \(process {process.pid} on the host\)"
    assert re.fullmatch(said, str(caught.value))


def test_a_lock_of_a_killed_process_is_no_obstacle(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
    left = read_owner(path)
    assert left
    assert left.session == "first"
    with take(path, owner()):
        found = read_owner(path)
        assert found
        assert found.session == "second"
    assert read_owner(path) is None


def test_a_provision_within_its_own_bench_is_let_in_and_the_bench_keeps_the_lock(path: Path) -> None:
    with take(path, owner("one", "bench")):
        with take(path, owner("one")):
            pass
        with pytest.raises(HeldError):
            take(path, owner("two"))
    with take(path, owner("two")):
        pass


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b"[" * 5000, b'{"verb": 1}', b"\xff" * 20_000])
def test_content_that_says_nothing_is_no_obstacle_and_no_traceback(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with path.open("r+b") as file:
        assert lock._lock(file)
        with pytest.raises(HeldError, match="another process has this host"):
            take(path, owner())
    with take(path, owner()):
        assert json.loads(path.read_text())["session"] == "second"


def test_only_root_can_open_the_lock(path: Path) -> None:
    with take(path, owner()):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_holder_whose_controller_is_gone_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holder(path, "some.service") as process:

        def stop(unit: str) -> bool:
            assert unit == "some.service"
            process.kill()
            process.wait()
            return True

        monkeypatch.setattr(lock, "_stopped", stop)
        with take(path, owner()):
            pass


def test_a_holder_that_is_kept_for_its_controller_is_not_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "60")
    monkeypatch.setattr(lock, "_stopped", lambda unit: pytest.fail(f"{unit} was stopped"))
    with holder(path, "some.service"), pytest.raises(HeldError, match=r"that controller may be back within (60|59) s"):
        take(path, owner())


@pytest.mark.parametrize("pid", [os.getpid(), 1, 4_000_000], ids=["our own", "the first", "none"])
def test_content_of_one_who_is_gone_stops_nobody(path: Path, monkeypatch: pytest.MonkeyPatch, pid: int) -> None:
    """The new holder has not written yet who it is, and another process has the number of the one before."""
    monkeypatch.setattr(lock, "_stopped", lambda unit: pytest.fail(f"{unit} was stopped"))
    with take(path, owner()) as held:
        stale = dataclasses.replace(held.owner, pid=pid, started=held.owner.started + 1, unit="x.service", deserted=True)
        path.write_text(json.dumps(dataclasses.asdict(stale)))
        with pytest.raises(HeldError, match="another process has this host"):
            take(path, owner())


def test_who_gets_the_lock_removes_at_once_what_one_who_is_gone_has_left(path: Path) -> None:
    with take(path, owner()):
        left = path.read_bytes()
    path.write_bytes(left)
    with path.open("r+b") as file:
        assert lock._lock(file)
        assert path.read_bytes() == b""


def test_a_longer_line_leaves_nothing_behind_a_shorter_one(path: Path) -> None:
    with take(path, dataclasses.replace(owner(), who="x" * 500)) as held:
        held.note_deserted(60.0)
        assert "; that controller may be back within 60 s" in str(read_owner(path))
        held.note_back()
        assert len(path.read_text().splitlines()) == 1
        found = read_owner(path)
        assert found
        assert not found.deserted


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (119, "119 s"), (121, "2 min"), (7300, "2 h"), (200_000, "2 d")])
def test_age(seconds: float, said: str) -> None:
    assert lock.age(seconds) == said
