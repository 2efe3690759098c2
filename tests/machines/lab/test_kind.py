"""The kind `lab` without a lab: its status, its addresses and keys, and what it says where it cannot run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from benchrig.errors import ExitCode, MachineError
from benchrig.machines import keys
from benchrig.machines.base import lifecycle
from benchrig.machines.lab.folder import LabState, Network
from benchrig.machines.lab.kind import LabMachines
from benchrig.machines.lab.machine import Setup
from tests.support import ROOT
from tests.support.machines import SETTINGS, machines


@pytest.mark.skipif(sys.platform != "linux", reason="a lab is seen in Linux's process list")
def test_status_of_a_stopped_lab_machine_has_its_files_and_the_time_of_its_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lab = machines(tmp_path, "all: {vars: {benchrig_machine: lab}, hosts: {lab1: }}")
    assert isinstance(lab, LabMachines)
    machine = lab.folder.machine("lab1")
    machine.changes.mkdir(parents=True)
    files = f"its files are in {machine.path}"
    assert [(one.state, one.detail) for one in lab.status()] == [("stopped", files)]
    machine.snapshots.mkdir()
    machine.changes.rename(machine.snapshots / "000001")
    taken = time.mktime((2026, 11, 21, 14, 5, 59, 0, 0, -1))
    os.utime(machine.snapshots, (taken, taken))
    assert [(one.state, one.detail) for one in lab.status()] == [("stopped", f"{files}; snapshot of 2026-11-21 14:05")]


def test_an_absent_lab_says_how_to_bring_it_up(tmp_path: Path) -> None:
    lab = machines(tmp_path, "all: {vars: {benchrig_machine: lab}, hosts: {lab1: , lab2: }}")
    assert [status.state for status in lab.status()] == ["absent", "absent"]
    with pytest.raises(MachineError, match="not running: lab1, lab2") as error:
        lab.reach()
    assert str(error.value.hint) == "Start the machines: ./inv up"
    lifecycle(lab, "stopped").down()
    lifecycle(lab, "removed").destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_without_root_the_lab_gives_the_reason_and_other_kinds(tmp_path: Path) -> None:
    program = f"""
import os, sys
sys.path[:0] = {[str(ROOT), *sys.path]!r}
from pathlib import Path
from tests.support.machines import machines
from benchrig.errors import MachineError
lab = machines(Path({str(tmp_path)!r}), "all: {{vars: {{benchrig_machine: lab}}, hosts: {{lab1: }}}}")
os.setuid(65534)
try:
    lab.up()
except MachineError as error:
    print(error, error.hint, sep="|")
    sys.exit(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.NO_MACHINE, done.stderr
    assert "the lab needs root" in done.stdout
    assert "sudo ./inv up" in done.stdout
    assert "ansible_host" in done.stdout


def test_a_machine_keeps_its_number_when_others_come_and_the_lab_is_full_at_244() -> None:
    state = LabState("lab.yml", "10.213.7.0/24").with_machines(["a", "b"]).with_machines(["c", "b"])
    assert [state.address(name) for name in "abc"] == ["10.213.7.11", "10.213.7.12", "10.213.7.13"]
    with pytest.raises(MachineError, match="room for 244 machines"):
        state.with_machines(f"m{number}" for number in range(242))


def test_the_lab_pins_no_key_of_a_machine_that_was_left_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lab = machines(tmp_path, "all: {vars: {benchrig_machine: lab}, hosts: {lab1: }}")
    assert isinstance(lab, LabMachines)
    for name in ("lab1", "no-key", "no-number"):
        lab.folder.place(name).mkdir(parents=True)
    for name in ("lab1", "no-number"):
        keys.make_key(lab.folder.machine(name).host_key, name)
    lab._pin(Setup(lab.folder, Network(IPv4Network("10.213.1.0/24")), {"lab1": 11}, SETTINGS))
    assert [line.split()[0] for line in lab.folder.known_hosts.read_text().splitlines()] == ["10.213.1.11"]
