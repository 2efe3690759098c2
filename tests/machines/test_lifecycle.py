"""The lifecycle that kinds of machine share, shown with a kind whose machines are files."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import MachineError
from benchrig.inventory import Inventory
from benchrig.machines.base import Lifecycle, Snapshots, begin
from benchrig.machines.folder import MachineFolder, MachinesFolder
from benchrig.machines.lifecycle import FolderLifecycle, Power
from tests.support import ROOT


@dataclass(frozen=True)
class FileSnapshot:
    taken: float


class FilesFolder(MachinesFolder[MachineFolder]):
    def machine(self, name: str) -> MachineFolder:
        return MachineFolder(name, self.place(name))


class FileMachines(FolderLifecycle[MachineFolder, FileSnapshot]):
    """Machines of which a file `power` says whether they run."""

    kind = "files"

    def __init__(self, inventory: Inventory, path: Path) -> None:
        self.inventory = inventory
        self.folder = FilesFolder(path)
        self.done: list[str] = []

    def set_power(self, name: str, power: Power) -> None:
        machine = self.folder.machine(name)
        machine.path.mkdir(parents=True, exist_ok=True)
        (machine.path / "power").write_text(power)

    def _check(self) -> None:
        self.done.append("check")

    def _powers(self, machines: Sequence[MachineFolder]) -> Mapping[str, Power]:
        found: dict[str, Power] = {}
        for machine in machines:
            text = (machine.path / "power").read_text() if machine.path.is_dir() else "off"
            found[machine.name] = "up" if text == "up" else "starting" if text == "starting" else "off"
        return found

    def _exists(self, machine: MachineFolder) -> bool:
        return machine.path.is_dir()

    def _running_at(self, machine: MachineFolder) -> tuple[str, str]:
        return "192.0.2.1", f"the file of {machine.name}"

    def _reached(self) -> Inventory:
        self.done.append("reached")
        return self.inventory

    def _start(self) -> None:
        for name in self._not_up():
            self.done.append(f"start {name}")
            self.set_power(name, "up")

    def _stop_machine(self, machine: MachineFolder) -> None:
        self.done.append(f"stop {machine.name}")
        self.set_power(machine.name, "off")

    def _snapshot_of(self, machine: MachineFolder) -> FileSnapshot | None:
        if (machine.path / "damaged").exists():
            raise MachineError(f"{machine.name}: damaged")
        return FileSnapshot(1.0) if (machine.path / "snapshot").exists() else None

    def _take_snapshots(self) -> None:
        for machine in self._machines():
            (machine.path / "snapshot").touch()

    def _restore_machines(self, snapshots: Mapping[MachineFolder, FileSnapshot]) -> None:
        self.done += [f"restore {machine.name}" for machine in snapshots]


@pytest.fixture
def machines(tmp_path: Path) -> FileMachines:
    """Return two machines that do not exist yet."""
    path = tmp_path / "two.yml"
    path.write_text("all: {hosts: {a: , b: }}")
    return FileMachines(inventory.read(str(path), tmp_path), tmp_path / "kind" / "two")


def test_a_kind_that_fills_in_the_lifecycle_can_do_everything(machines: FileMachines) -> None:
    assert isinstance(machines, Lifecycle)
    assert isinstance(machines, Snapshots)


def test_up_starts_what_is_not_up_and_asks_for_nothing_when_all_are(
    machines: FileMachines, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.set_power("b", "up")
    machines.up()
    assert machines.done == ["check", "start a", "reached"]
    del machines.done[:]
    machines.up()
    assert machines.done == ["reached"]
    assert capsys.readouterr().err == ""
    machines.up(tell=True)
    assert capsys.readouterr().err == "a: running at a\nb: running at b\n"


def test_down_stops_every_machine_also_one_left_half_started_and_tells_those_that_ran(
    machines: FileMachines, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.set_power("a", "starting")
    machines.set_power("b", "off")
    machines.set_power("old", "up")
    machines.down()
    assert sorted(machines.done) == ["check", "stop a", "stop b", "stop old"]
    assert capsys.readouterr().err == "files: stopped a, old\n"
    assert [(one.name, one.state) for one in machines.status()] == [("a", "stopped"), ("b", "stopped"), ("old", "stopped")]


def test_destroy_stops_first_and_leaves_no_folder(machines: FileMachines, capsys: pytest.CaptureFixture[str]) -> None:
    machines.up()
    machines.destroy()
    assert machines.done[-2:] in (["stop a", "stop b"], ["stop b", "stop a"])
    assert not machines.folder.path.parent.exists()
    assert capsys.readouterr().err == "files: stopped a, b\nfiles: destroyed\n"


def test_without_machines_nothing_is_stopped_or_checked_and_it_is_said(
    machines: FileMachines, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.down()
    machines.destroy()
    assert capsys.readouterr().err == "files: there are no machines\n" * 2
    with pytest.raises(MachineError, match=r"^no snapshot of a, b$"):
        machines.restore()
    with pytest.raises(MachineError, match=r"^not made yet: a, b$"):
        machines.snapshot()
    assert machines.done == []


def test_restore_changes_nothing_when_one_machine_has_no_snapshot(machines: FileMachines) -> None:
    machines.up()
    (machines.folder.machine("a").path / "snapshot").touch()
    del machines.done[:]
    with pytest.raises(MachineError, match=r"^no snapshot of b$") as error:
        machines.restore()
    assert str(error.value.hint) == "Take one: ./inv up provision snapshot"
    assert machines.done == ["check"]
    machines.snapshot()
    machines.restore()
    assert machines.done[-3:] == ["restore a", "restore b", "reached"]


def test_reach_names_the_machines_that_are_not_up(machines: FileMachines) -> None:
    machines.set_power("a", "up")
    machines.set_power("b", "starting")
    with pytest.raises(MachineError, match=r"^not running: b$"):
        machines.reach()


def test_status_says_of_a_machine_that_is_not_usable_yet_what_to_do_and_survives_a_damaged_snapshot(
    machines: FileMachines,
) -> None:
    machines.set_power("a", "starting")
    (machines.folder.machine("a").path / "damaged").touch()
    first, second = machines.status()
    assert (first.state, first.address) == ("running", "192.0.2.1")
    assert first.detail == "the file of a; does not accept logins yet, or is suspended: ./inv up"
    assert (second.state, second.detail) == ("absent", "made by ./inv up")


WORK = """
import sys, time
from pathlib import Path
from benchrig.machines import users
users.note(Path(sys.argv[1]), "bench")
print("noted", flush=True)
time.sleep(60)
"""


@contextmanager
def working(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process work on the machines of a folder."""
    process = subprocess.Popen([sys.executable, "-c", WORK, folder], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    with process, process.stdout:
        try:
            assert process.stdout.readline() == "noted\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("action", "done"), [("down", "stopped"), ("destroy", "removed"), ("snapshot", "saved"), ("restore", "restored")]
)
def test_machines_that_another_process_works_on_are_left_alone_until_it_has_ended(
    machines: FileMachines, action: str, done: str
) -> None:
    machines.up()
    machines.snapshot()
    with working(machines.folder.path) as process:
        with pytest.raises(MachineError) as error:
            getattr(machines, action)()
        assert re.fullmatch(
            rf"a, b cannot be {done}: in use by a bench by \S+@\S+, process {process.pid}, for [0-9] s", str(error.value)
        )
        assert "stop a" not in machines.done
    getattr(machines, action)()


def test_a_process_does_not_stand_in_its_own_way(machines: FileMachines) -> None:
    begin(machines, "provision")
    begin(machines, "bench")
    machines.snapshot()
    machines.destroy()
    begin(machines, "bench")
    machines.down()
