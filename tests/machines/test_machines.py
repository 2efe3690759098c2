"""Kinds of machine: the registry, what each kind can do, existing hosts, a lab that is absent or cannot run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import ExitCode, InputError, MachineError
from benchrig.machines import KINDS, keys, kind, machines_of
from benchrig.machines.base import Lifecycle, Machines, Snapshots, lifecycle, snapshots
from benchrig.machines.lab.folder import Network, Record
from benchrig.machines.lab.kind import LabMachines
from benchrig.machines.lab.machine import Plan
from benchrig.machines.registry import other_kinds
from tests.support import ROOT
from tests.support.qemu import SETTINGS


def machines(folder: Path, text: str) -> Machines:
    """Return the machines of an inventory written into `folder`."""
    path = folder / "hosts.yml"
    path.write_text(text)
    return machines_of(inventory.read(str(path), folder), folder)


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port of the loopback on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def existing(folder: Path, port: int) -> Machines:
    return machines(folder, f"all: {{hosts: {{web: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}}}")


def test_an_unknown_kind_of_machine_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown kind of machine .*'labb'; did you mean lab\?"):
        machines(tmp_path, "all: {vars: {benchrig_machine: labb}, hosts: {a: }}")


def test_existing_hosts_are_reached_as_the_inventory_says(tmp_path: Path, port: int) -> None:
    hosts = existing(tmp_path, port)
    assert hosts.up() == hosts.reach()
    assert hosts.reach().hosts["web"].port == port


def test_an_existing_host_that_refuses_is_absent_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    (status,) = existing(tmp_path, free).status()
    assert (status.name, status.state, status.address) == ("web", "unreachable", "127.0.0.1")
    assert "connection refused" in status.detail


@pytest.mark.parametrize(("capable", "action"), [(lifecycle, "stopped"), (snapshots, "restored")])
def test_existing_hosts_cannot_be_stopped_or_restored_and_the_error_says_what_to_do(
    tmp_path: Path, port: int, capable: Callable[[Machines, str], Machines], action: str
) -> None:
    message = f"the machines of inventory 'hosts' cannot be {action}: benchrig did not make them"
    with pytest.raises(MachineError, match=message) as refused:
        capable(existing(tmp_path, port), action)
    assert "see inventory/" in str(refused.value.hint)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_that_makes_machines_here_can_stop_and_save_them(tmp_path: Path, name: str) -> None:
    ours = machines(tmp_path, f"all: {{vars: {{benchrig_machine: {name}}}, hosts: {{a: }}}}")
    assert isinstance(ours, Lifecycle) is isinstance(ours, Snapshots) is kind(name).made_here


def test_the_hint_of_a_kind_names_all_others() -> None:
    hint = other_kinds("lab")
    assert "-i lab" not in hint
    assert all(text in hint for name, text in KINDS.items() if name != "lab")


def test_a_host_name_that_no_machine_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Web_1' cannot name a machine"):
        machines(tmp_path, "all: {vars: {benchrig_machine: lab}, hosts: {Web_1: }}")


def test_existing_hosts_are_said_to_need_no_start_where_that_is_asked_for(
    tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = existing(tmp_path, port)
    hosts.up()
    assert capsys.readouterr().err == ""
    hosts.up(tell=True)
    assert capsys.readouterr().err == "inventory 'hosts': nothing to start: these hosts exist already\n"


@pytest.mark.skipif(sys.platform != "linux", reason="a lab is seen in Linux's process list")
def test_a_stopped_lab_machine_says_where_its_files_are_and_of_when_its_snapshot_is(
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
def test_without_root_the_lab_says_why_not_and_what_else_there_is(tmp_path: Path) -> None:
    program = f"""
import os, sys
sys.path[:0] = {[str(ROOT), *sys.path]!r}
from pathlib import Path
from tests.machines.test_machines import machines
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
    record = Record("lab.yml", "10.213.7.0/24").with_machines(["a", "b"]).with_machines(["c", "b"])
    assert [record.address(name) for name in "abc"] == ["10.213.7.11", "10.213.7.12", "10.213.7.13"]
    with pytest.raises(MachineError, match="room for 244 machines"):
        record.with_machines(f"m{number}" for number in range(242))


def test_the_lab_pins_no_key_of_a_machine_that_was_left_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lab = machines(tmp_path, "all: {vars: {benchrig_machine: lab}, hosts: {lab1: }}")
    assert isinstance(lab, LabMachines)
    for name in ("lab1", "no-key", "no-number"):
        lab.folder.place(name).mkdir(parents=True)
    for name in ("lab1", "no-number"):
        keys.make_key(lab.folder.machine(name).host_key, name)
    lab._pin(Plan(lab.folder, Network(IPv4Network("10.213.1.0/24")), {"lab1": 11}, SETTINGS))
    assert [line.split()[0] for line in lab.folder.known_hosts.read_text().splitlines()] == ["10.213.1.11"]
