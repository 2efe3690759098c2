"""Runs are removed, imported and exported while the program is killed, or a disk is full: each is whole, or not there."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchrig.results import archive, removal, store
from tests.support import ROOT
from tests.support.archives import NAME, RUN
from tests.support.cli import inv
from tests.support.faults import fault

EVENTS = {"open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link"}
"""What the interpreter tells of, as a program works on files: a kill before each of them is a kill at every step."""

MOST_STEPS = 300


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Do something in a process of its own, which is killed right before a step; return whether it came so far."""
    child = os.fork()
    if child == 0:
        left = [step]

        def hook(event: str, _: object) -> None:
            if event in EVENTS:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def steps(act: Callable[[], object]) -> Iterator[int]:
    """Do something again and again, killed one step later each time, until it comes to its end; yield each step."""
    for step in range(MOST_STEPS):
        was_killed = killed_at(step, act)
        yield step
        if not was_killed:
            return
    raise AssertionError("it never came to its end")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Return reports with two complete runs."""
    for name in (NAME, "20250103-000000-web-frameworks"):
        shutil.copytree(RUN, tmp_path / "reports" / name)
    return tmp_path / "reports"


@pytest.fixture
def sent() -> bytes:
    to = io.BytesIO()
    archive.pack(RUN, to)
    return to.getvalue()


@fault(
    "Results and resuming",
    done="`./inv rm` killed with -9 before each of its steps on files, one after the other",
    promised="the run is whole, or gone; the next `./inv rm` ends what is left",
    seen="whole before the rename, gone after it, at each of the steps; nothing is left after the next one",
)
def test_a_killed_removal_leaves_a_whole_run_or_none(reports: Path) -> None:
    whole, other = files(reports / NAME), "20250103-000000-web-frameworks"
    seen = set()

    def remove() -> None:
        removal.remove([removal.find(reports, NAME)], reports, lambda _: None)

    for _ in steps(remove):
        there = NAME in store.names(reports)
        seen.add(there)
        assert (reports / NAME).exists() is there
        assert not there or files(reports / NAME) == whole
        assert store.newest(reports).name == other
        if not there:
            shutil.copytree(RUN, reports / NAME)
    assert seen == {True, False}
    remove()
    assert not (reports / removal.REMOVED).exists()
    assert store.names(reports) == {other}


@fault(
    "Results and resuming",
    done="`./inv import` killed with -9 before each of its steps on files, one after the other",
    promised="the run is not there, or whole; the next import begins anew and removes what is left",
    seen="not there until the last rename, whole after it; nothing hidden is left after the next one",
)
def test_a_killed_import_leaves_a_whole_run_or_none(tmp_path: Path, sent: bytes) -> None:
    reports = tmp_path / "reports"
    expected = {name: data for name, data in files(RUN).items() if name != "report.json"}
    seen = set()
    for _ in steps(lambda: archive.unpack(io.BytesIO(sent), reports)):
        names = store.names(reports) if reports.exists() else set()
        seen.add(bool(names))
        if names:
            found = files(reports / RUN.name)
            assert found.pop(store.IMPORTED)
            assert found == expected
            shutil.rmtree(reports / RUN.name)
    assert seen == {True, False}
    archive.unpack(io.BytesIO(sent), reports)
    assert [path.name for path in reports.iterdir()] == [RUN.name]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of its own, of 8 MB and 200 files."""
    if os.geteuid() != 0:
        pytest.skip("mounts need root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=200", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@fault(
    "Results and resuming",
    done="`./inv import` to a `reports/` without room for the run, or that becomes full while it is written",
    promised="the run is refused as a whole, and nothing of it is left",
    seen="`only 5.2 MB free; needed are 25 MB`; `No space left on device`, and an empty folder",
)
@pytest.mark.parametrize("late", [False, True])
def test_an_import_that_has_no_room_leaves_nothing(
    disk: Path, tmp_path: Path, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(RUN, run)
    (run / "raw" / "x.txt").write_bytes(os.urandom(20 << 20))
    to = io.BytesIO()
    archive.pack(run, to)
    if late:
        monkeypatch.setattr("benchrig.results.archive.unpacking.check_room", lambda *_: None)
    said = "No space left on device" if late else r"only \d\.\d MB free; needed are 25 MB"
    with pytest.raises(OSError, match=said):
        archive.unpack(to, disk)
    assert list(disk.iterdir()) == []


@fault(
    "Results and resuming",
    done="`./inv export` to a full disk",
    promised="one line, exit code 1, and no half archive",
    seen="`x.tar.gz: No space left on device`; nothing is left there",
)
def test_an_export_to_a_full_disk_leaves_no_archive(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    done = inv("export", str(RUN), str(disk / "x.tar.gz"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {disk}/x.tar.gz: No space left on device\n"
    assert [path.name for path in disk.iterdir()] == ["filler"]


@fault(
    "Results and resuming",
    done="`./inv rm` and `./inv label` of a run of another user, who permits no writing",
    promised="one line, exit code 1, and all stays",
    seen="`Permission denied`; the run is whole",
)
def test_runs_of_another_user_stay(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("other users need root")
    run = tmp_path / "reports" / "run"
    shutil.copytree(RUN, run)
    for path in (run.parent, run, *run.rglob("*")):
        os.chown(path, 65534, 65534)
    before = files(run)
    # Root that may not pass over the permissions of files is a user like others.
    as_user = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", sys.executable, "-m", "benchrig.cli"]
    options = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT)}, "capture_output": True, "text": True}
    for words in (("rm", "--yes", str(run)), ("label", str(run), "mine")):
        done = subprocess.run([*as_user, *words], check=False, **options)
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert done.stderr.endswith(": Permission denied\n")
        assert len(done.stderr.splitlines()) == 1
    assert files(run) == before
