"""How Vagrant's machines are logged in to: with pinned host keys, and never with its shared key. Vagrant is played back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from benchrig.errors import ExitCode, HostError, MachineError
from benchrig.machines.vagrant.folder import Known
from tests.support.guest import Guest
from tests.support.vagrant_clone import UP, Clone, make_key, running

# Host keys and login


def test_a_changed_host_key_is_refused(vagrant_clone: Clone, guest: Guest) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBd3bq0cyvCbSLwEbUV5sTb6NxeYFUtmUbBpgQBvBnUR"
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=Known(**{**vars(running(vagrant_clone, guest)), "host_key": other}))
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    with pytest.raises(HostError, match=r"vm1 \(127\.0\.0\.1:\d+\): the host key has changed") as error:
        machines.up()
    assert error.value.exit_code == ExitCode.UNREACHABLE
    assert machines.folder.known()["vm1"].host_key == other


def test_a_machine_made_anew_has_its_own_host_key_pinned(vagrant_clone: Clone, guest: Guest) -> None:
    known = running(vagrant_clone, guest)
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=Known(**{**vars(known), "host_key": "ssh-ed25519 AAAA", "id": "id-of-the-former"}))
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    machines.up()
    assert machines.folder.known()["vm1"].host_key == known.host_key


def test_a_machine_with_host_keys_of_several_kinds_is_asked_for_the_one_that_is_pinned(
    vagrant_clone: Clone, guest: Guest
) -> None:
    machines = vagrant_clone.machines()
    known = running(vagrant_clone, guest)
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    machines.up()
    # paramiko, as OpenSSH, would rather have this one.
    guest.other_host_keys.append(paramiko.ECDSAKey.generate())
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].port == guest.port
    assert vagrant_clone.calls() == []
    vagrant_clone.note(machines, vm1=replace(known, port=1))
    machines.reach()
    assert machines.folder.known()["vm1"] == known


@pytest.mark.parametrize("version", ["2.3.4", "2.4"])
@pytest.mark.usefixtures("guest")
def test_vagrants_shared_key_is_replaced(vagrant_clone: Clone, version: str) -> None:
    make_key(vagrant_clone)
    configs = [f"{version}/ssh-config-insecure", f"{version}/ssh-config"]
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config=configs)
    host = vagrant_clone.machines().up().hosts["vm1"]
    assert host.key_file
    assert host.key_file.name == "private_key"
    assert vagrant_clone.done() == [UP, "reload vagrant.vm1 --no-provision"]


@pytest.mark.usefixtures("guest")
def test_a_machine_that_keeps_vagrants_shared_key_is_not_used(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.4/ssh-config-insecure")
    machines = vagrant_clone.machines()
    with pytest.raises(MachineError, match="accepts Vagrant's shared key"):
        machines.up()
    assert machines.folder.known()["vm1"].making


def test_reach_never_restarts_a_machine(vagrant_clone: Clone, guest: Guest) -> None:
    machines = vagrant_clone.machines()
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    known = running(vagrant_clone, guest)
    machines.up()
    vagrant_clone.note(machines, vm1=replace(known, port=1))
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.4/ssh-config-insecure")
    with pytest.raises(MachineError, match="vm1: accepts Vagrant's shared key") as error:
        machines.reach()
    assert "./inv up" in str(error.value.hint)
    assert vagrant_clone.done() == []


def test_our_own_box_accepts_vagrants_shared_key() -> None:
    from benchrig.machines.box import files

    key = Path("/usr/share/rubygems-integration/all/gems/vagrant-2.3.4/keys/vagrant.pub")
    if not key.exists():
        pytest.skip("Debian's Vagrant is not installed")
    assert files.VAGRANT_KEY.split()[:2] == key.read_text().split()[:2]
