"""Kinds of machine: the registry, what each kind can do, and hosts that exist already."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchrig.errors import InputError, MachineError
from benchrig.machines import KINDS, kind
from benchrig.machines.base import Lifecycle, Machines, Snapshots, lifecycle, snapshots
from benchrig.machines.registry import other_kinds
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.machines import machines


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


def test_up_says_that_existing_hosts_need_no_start_only_when_asked(
    tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = existing(tmp_path, port)
    hosts.up()
    assert capsys.readouterr().err == ""
    hosts.up(tell=True)
    assert capsys.readouterr().err == "inventory 'hosts': nothing to start: these hosts exist already\n"


@pytest.mark.parametrize("name", ["lab", "qemu", "vagrant"])
@pytest.mark.parametrize("where", ["inventory", "cache", "home"])
def test_names_of_folders_need_not_be_utf_8(tmp_path: Path, name: str, where: str) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    odd.mkdir()
    shutil.copy(ROOT / "inventory" / f"{name}.yml", odd)
    environ = {"cache": {"XDG_CACHE_HOME": str(odd)}, "home": {"HOME": str(odd)}}.get(where, {"HOME": str(tmp_path)})
    done = inv("status", "-i", str(odd / f"{name}.yml") if where == "inventory" else name, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "absent" in done.stdout
