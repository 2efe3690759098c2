"""`reports/` becomes full, read-only, goes away or is no folder while a bench runs: nothing measured is lost.

The disks, mounts, attributes and clocks are real. The hosts are stand-ins that answer at once.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench.app import read_apps
from benchrig.bench.cell import Measurement
from benchrig.bench.measuring import measure_all
from benchrig.bench.order import turns
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.errors import ExitCode, ResultsError
from benchrig.results import store
from benchrig.results.recorder import Recorder, check_reports
from tests.support import ROOT
from tests.support.cell import unasked
from tests.support.cli import inv
from tests.support.faults import fault
from tests.support.reports import a_cell, a_run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")

PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("go",), connections=40, threads=2, repeats=3))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of its own, of 8 MB and 200 files."""
    folder = tmp_path / "reports"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=200", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have another place for runs, below the test's folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


class Bench:
    """Cells that are measured at once; a fault is caused while the one named is measured."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, reports: Path) -> None:
        run = a_run("go-2000", "go-20000", finished=False)
        self.recorder = Recorder(reports, replace(run, settings=replace(run.settings, repeats=PLAN.repeats)))
        self.measured = 0
        self.faults = {}
        monkeypatch.setattr("benchrig.bench.cell.measure", self._measure)

    def _measure(self, _topology: object, _plan: Plan, row: Row, repeat: int, *_: object) -> Measurement:
        self.measured += 1
        if cause := self.faults.get(self.measured):
            cause()
        return Measurement(a_cell(row.name, repeat=repeat), f"raw {row.name} {repeat}", "")

    def ends(self) -> ResultsError:
        """Measure until it ends because results cannot be written."""
        with pytest.raises(ResultsError) as caught, self.recorder:
            measure_all(turns(PLAN, [unasked()]), PLAN, self.recorder)
        assert caught.value.exit_code == ExitCode.UNWRITTEN == 5
        return caught.value

    def cells(self) -> int:
        """Return how many cells the run has on a disk."""
        assert self.recorder.folder
        return len(store.read(self.recorder.folder)[1])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, disk: Path) -> Bench:
    return Bench(monkeypatch, disk)


def fill(disk: Path) -> None:
    """Write to a disk until nothing more fits."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@fault(
    "Results and resuming",
    done="the disk of `reports/` (a tmpfs of 8 MB) full while the third of six cells is measured",
    promised="the cell's figures are printed, the whole run is stored elsewhere, no more cells are measured, exit code 5",
    seen="3 cells and their raw output in `~/.local/state/benchrig/reports/`; no fourth cell; no half line in the "
    "first folder",
)
def test_a_disk_that_becomes_full_loses_no_cell(
    bench: Bench, disk: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.faults[3] = lambda: fill(disk)
    error = bench.ends()
    folder = bench.recorder.folder
    assert folder
    assert folder.parent == state / "benchrig" / "reports"
    assert (bench.measured, bench.cells()) == (3, 3)
    assert str(error).endswith(
        f"results cannot be written: No space left on device; 3 measured cells are stored in {folder}"
    )
    assert f"./inv bench --resume {folder}" in str(error.hint)
    assert capsys.readouterr().err.count("requests/s") == 3
    assert sorted(path.name for path in (folder / "raw").iterdir()) == [
        "go-2000-1.txt", "go-2000-2.txt", "go-20000-1.txt"
    ]  # fmt: skip
    (first,) = (path for path in disk.iterdir() if path.is_dir())
    assert len(store.read(first)[1]) == 2
    assert inv("report", str(folder)).stdout.count("INCOMPLETE") == 1
    assert store.newest_begun(disk) == folder


@fault(
    "Results and resuming",
    done="less than 4 MB, or room for less than 16 files, before a cell",
    promised="the bench ends before the cell and not after it, exit code 5",
    seen="`only 2.1 MB free; a cell needs up to 4 MB`; all cells measured before are in `reports/`",
)
@pytest.mark.parametrize("what", ["bytes", "files"])
def test_space_is_looked_at_before_each_cell(bench: Bench, disk: Path, state: Path, what: str) -> None:
    def take() -> None:
        if what == "bytes":
            (disk / "filler").write_bytes(bytes(6 << 20))
        else:
            for number in range(186):
                (disk / f"file{number}").touch()

    bench.faults[2] = take
    error = bench.ends()
    assert (bench.measured, bench.cells()) == (2, 2)
    assert "2 measured cells are stored there" in str(error)
    assert ("MB free" if what == "bytes" else "files free") in str(error)
    assert "./inv bench --resume" in str(error.hint)
    assert not state.exists()


@fault(
    "Results and resuming",
    done="`reports/` remounted read-only while a cell is measured",
    promised="as for a full disk",
    seen="`Read-only file system`; 2 cells stored elsewhere, exit code 5",
)
def test_reports_that_become_read_only_lose_no_cell(bench: Bench, disk: Path) -> None:
    bench.faults[2] = lambda: subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "Read-only file system; 2 measured cells are stored in" in str(bench.ends())
    assert (bench.measured, bench.cells()) == (2, 2)


@fault(
    "Results and resuming",
    done="the run's folder removed while a cell is measured, or right after one was stored",
    promised="all cells measured so far are written elsewhere, from memory",
    seen="2 cells stored elsewhere; 3 where it was removed between two cells",
)
@pytest.mark.parametrize("after", [False, True])
def test_a_folder_that_is_removed_loses_no_cell(
    bench: Bench, disk: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove() -> None:
        (folder,) = disk.iterdir()
        shutil.rmtree(folder)

    if after:
        stored = store.append_line
        calls = iter(range(9))

        def append(folder: Path, line: bytes) -> int:
            size = stored(folder, line)
            if next(calls) == 2:
                remove()
            return size

        monkeypatch.setattr(store, "append_line", append)
    else:
        bench.faults[2] = remove
    assert "No such file or directory" in str(bench.ends())
    assert bench.measured == bench.cells() == (3 if after else 2)


@fault(
    "Results and resuming",
    done="`chattr +i` on the run's `cells.jsonl`",
    promised="as for a full disk",
    seen="`Operation not permitted`; 2 cells stored elsewhere",
)
def test_a_folder_that_refuses_writing_loses_no_cell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = Bench(monkeypatch, tmp_path / "reports")
    held: list[Path] = []

    def hold() -> None:
        held.extend((tmp_path / "reports").glob("*/cells.jsonl"))
        if subprocess.run(["chattr", "+i", *held], check=False, capture_output=True).returncode:
            pytest.skip("this file system has no attributes")

    bench.faults[2] = hold
    try:
        assert "Operation not permitted; 2 measured cells are stored in" in str(bench.ends())
    finally:
        subprocess.run(["chattr", "-i", *held], check=True)
    assert bench.cells() == 2


@fault(
    "Results and resuming",
    done="`reports/`, the user's state folder and the temporary folder full at the same time",
    promised="the records are printed as lines of `cells.jsonl`",
    seen="one line of JSON on stdout, the one cell that is on no disk; exit code 5",
)
def test_where_nothing_can_be_written_the_records_are_printed(
    bench: Bench, disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(disk))
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    bench.faults[2] = lambda: fill(disk)
    error = bench.ends()
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["name"], json.loads(line)["repeat"]) == ("go-20000", 1)
    assert "nor can another place; 1 measured cell is printed, as lines of cells.jsonl" in str(error)
    assert not list(disk.glob("benchrig-*"))


def test_a_run_that_is_stored_in_a_temporary_folder_stays_there(
    bench: Bench, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(disk))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    bench.faults[2] = lambda: fill(disk)
    assert f"2 measured cells are stored in {tmp_path}/tmp/benchrig-" in str(bench.ends())
    assert bench.cells() == 2


@fault(
    "Results and resuming",
    done="`reports` as a file, or on a full disk, when a bench begins",
    promised="it is refused before a machine is started, exit code 5",
    seen="`Not a directory` and `only 0.0 MB free`",
)
def test_reports_that_cannot_be_written_are_told_before_anything_is_measured(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="Not a directory"):
        check_reports(tmp_path / "file")
    fill(disk)
    with pytest.raises(ResultsError, match=r"only 0\.0 MB free; a cell needs up to 4 MB"):
        check_reports(disk)


@fault(
    "Results and resuming",
    done="a used-up quota (EDQUOT) or a broken disk (EIO) while a cell is written (both are faked)",
    promised="as for a full disk",
    seen="`Disk quota exceeded` and `Input/output error`; 2 cells stored elsewhere",
)
@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EIO])
def test_a_quota_and_a_broken_disk_lose_no_cell(
    bench: Bench, disk: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail() -> None:
        stored = store.append_line

        def append(folder: Path, line: bytes) -> int:
            if folder.parent == disk:
                raise OSError(code, os.strerror(code), str(folder))
            return stored(folder, line)

        monkeypatch.setattr(store, "append_line", append)

    bench.faults[2] = fail
    assert f"{os.strerror(code)}; 2 measured cells are stored in" in str(bench.ends())
    assert (bench.measured, bench.cells()) == (2, 2)


@fault(
    "Results and resuming",
    done="`reports/` of another user, who permits no writing",
    promised="a bench is refused before a machine is started, exit code 5; `report` shows its runs all the same",
    seen="`Permission denied`; the table, and `report.md: cannot be written: Permission denied`",
)
def test_reports_of_another_user(tmp_path: Path) -> None:
    run = tmp_path / "reports" / "run"
    shutil.copytree(ROOT / "tests" / "cases" / "results" / "v2", run)
    for folder in (run, run.parent):
        os.chown(folder, 65534, 65534)
    program = (
        "import sys\nfrom pathlib import Path\nfrom benchrig.results.recorder import check_reports\n"
        "try:\n check_reports(Path(sys.argv[1]))\nexcept Exception as error:\n sys.exit(f'{int(error.exit_code)} {error}')\n"
    )
    # Root that may not pass over the permissions of files is a user like others.
    as_user = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", sys.executable]
    options = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT)}, "capture_output": True, "text": True}
    done = subprocess.run([*as_user, "-c", program, str(run.parent)], check=False, **options)
    assert done.stderr == f"5 {run.parent}: results cannot be written: Permission denied\n"
    done = subprocess.run([*as_user, "-m", "benchrig.cli", "report", str(run)], check=False, **options)
    assert "Flask" in done.stdout, done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert done.returncode == 1


@fault(
    "Results and resuming",
    done="a run made with the umask 077, and with 000",
    promised="files of a run follow the umask; a lock's file and the folder of another place never admit others",
    seen="0600 and 0666 for `cells.jsonl` and `run.json`; 0700 for the folder of another place",
)
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o000, 0o666)])
def test_stored_files_follow_the_umask(bench: Bench, disk: Path, state: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        bench.faults[2] = lambda: fill(disk)
        bench.ends()
    finally:
        os.umask(before)
    (first,) = (path for path in disk.iterdir() if path.is_dir())
    for name in (store.RUN, store.CELLS):
        assert (first / name).stat().st_mode & 0o777 == mode
    assert (state / "benchrig").stat().st_mode & 0o777 == 0o700
