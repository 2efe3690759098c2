"""The kind `vagrant`: started from any state, stopped, saved and restored. Vagrant is played back."""

from __future__ import annotations

import re
import sys

import pytest

from benchrig.errors import MachineError
from benchrig.machines import clock
from benchrig.machines.base import MachineStatus
from benchrig.machines.vagrant import libvirt as vagrant_libvirt
from benchrig.machines.vagrant.folder import Known
from benchrig.machines.vagrant.kind import VagrantMachines
from tests.support.guest import Guest
from tests.support.vagrant_clone import DESTROY, UP, Clone, make_key, running


def clock_was_set(guest: Guest) -> bool:
    return any("date --utc --set=@" in command for command in guest.commands)


# Up from any state


def test_a_machine_comes_up_with_progress_and_is_reached(
    vagrant_clone: Clone, guest: Guest, capsys: pytest.CaptureFixture[str]
) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/up", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines = vagrant_clone.machines()
    host = machines.up().hosts["vm1"]
    assert (host.address, host.port, host.user, host.become) == ("127.0.0.1", guest.port, "vagrant", True)
    assert host.key_file == vagrant_clone.root / ".vagrant/machines/vagrant.vm1/libvirt/private_key"
    kind, key = guest.host_key.get_name(), guest.host_key.get_base64()
    assert host.known_hosts
    assert host.known_hosts.read_text() == f"[127.0.0.1]:{guest.port} {kind} {key}\n"
    assert not host.emulated
    told = capsys.readouterr().err
    assert "vm1: Starting domain." in told
    assert "vm1 up in" in told
    assert "==>" not in told
    assert "vagrant.vm1" not in told.replace("-vagrant.vm1", "")


def test_a_machine_that_answers_with_its_own_key_is_up_without_asking_vagrant(vagrant_clone: Clone, guest: Guest) -> None:
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=running(vagrant_clone, guest))
    assert machines.up().hosts["vm1"].port == guest.port
    assert machines.reach().hosts["vm1"].port == guest.port
    assert vagrant_clone.calls() == []


@pytest.mark.parametrize(("state", "clock_is_set"), [("paused", True), ("shutoff", False)])
def test_a_machine_suspended_or_powered_off_by_hand_is_started(
    vagrant_clone: Clone, guest: Guest, state: str, clock_is_set: bool
) -> None:
    known = running(vagrant_clone, guest)
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=Known(**{**vars(known), "port": 1}))
    vagrant_clone.vagrant(status=f"2.3.4/status-{state}", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].port == guest.port
    assert vagrant_clone.done() == [UP]
    assert clock_was_set(guest) is clock_is_set


@pytest.mark.usefixtures("guest")
def test_a_machine_that_a_killed_run_left_half_made_is_made_anew(
    vagrant_clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    machines = vagrant_clone.machines()
    with pytest.raises(MachineError):
        machines.up()
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    detail = "running, half made; ./inv up makes it anew"
    assert machines.status() == (MachineStatus("vm1", "stopped", "", detail),)
    for act in (machines.reach, machines.snapshot, machines.restore):
        with pytest.raises(MachineError, match="vm1: an interrupted run left it half made"):
            act()
    machines.up()
    assert vagrant_clone.done() == [DESTROY, UP]
    assert "making vm1 anew: an interrupted run left it half made" in capsys.readouterr().err


def test_a_machine_made_with_vagrant_by_hand_is_taken_as_it_is(vagrant_clone: Clone, guest: Guest) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    machines = vagrant_clone.machines()
    with pytest.raises(MachineError):
        machines.up()
    make_key(vagrant_clone)
    vagrant_clone.note(machines)
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].port == guest.port
    assert vagrant_clone.done() == []


def test_a_machine_that_vagrant_cannot_bring_back_is_switched_off_first(vagrant_clone: Clone, guest: Guest) -> None:
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=Known(**{**vars(running(vagrant_clone, guest)), "port": 1}))
    vagrant_clone.vagrant(status="2.3.4/status-inaccessible", ssh_config="2.3.4/ssh-config")
    machines.up()
    assert vagrant_clone.done() == ["halt --force vagrant.vm1", UP]


def test_a_vagrant_that_hangs_is_ended(vagrant_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchrig.machines.vagrant.kind.LONG", 0.5)
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="hang")
    with pytest.raises(MachineError, match="vm1 cannot be brought up: vagrant did not end within"):
        vagrant_clone.machines().up()


class Libvirt:
    """What virsh shows of a libvirt: its machines and the volumes of its pool, with their lengths."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, machines: list[str], volumes: dict[str, int]) -> None:
        self.machines, self.volumes = machines, volumes
        monkeypatch.setattr(vagrant_libvirt, "_virsh", self.virsh)
        monkeypatch.setattr(vagrant_libvirt, "_has_virsh", lambda: True)

    def virsh(self, *words: str) -> str:
        if words[0] == "list":
            return "\n".join(self.machines)
        if words[0] == "pool-list":
            return " default \n"
        if words[0] == "vol-list":
            return " Name   Path\n------------\n" + "".join(f" {name}   /pool/{name}\n" for name in self.volumes)
        if words[0] == "vol-info":
            return f"Name:           {words[1]}\nType:           file\nPhysical:     {self.volumes[words[1]]} bytes\n"
        if words[0] == "undefine":
            self.machines.remove(words[1])
        if words[0] == "vol-delete":
            del self.volumes[words[1]]
        return ""


def test_a_machine_in_libvirt_that_vagrant_does_not_know_is_removed_before_its_name_is_needed(
    vagrant_clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    (machine,) = vagrant_clone.plan()["machines"]
    name = machine["unique_name"]
    libvirt = Libvirt(monkeypatch, [name, "another"], {f"{name}.img": 1, "another.img": 1})
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    assert (libvirt.machines, list(libvirt.volumes)) == (["another"], ["another.img"])
    assert f"removed {name} from libvirt, a leftover of an interrupted run" in capsys.readouterr().err


@pytest.mark.usefixtures("vagrant_clone")
def test_a_box_that_was_half_copied_into_libvirt_is_copied_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    image = vagrant_libvirt.box_image("some/box")
    image.parent.mkdir(parents=True)
    image.write_bytes(b"x" * 100)
    whole, half = "other_vagrant_box_image_0_1_box.img", "some-VAGRANTSLASH-box_vagrant_box_image_0_1_box.img"
    libvirt = Libvirt(monkeypatch, [], {whole: 99, half: 99})
    vagrant_libvirt.remove_partial_box("some/box", image)
    assert list(libvirt.volumes) == [whole]
    libvirt.volumes[half] = 100
    vagrant_libvirt.remove_partial_box("some/box", image)
    assert half in libvirt.volumes


# Down, status, snapshots


def brought_up(vagrant_clone: Clone, status: str = "2.3.4/status-running") -> VagrantMachines:
    """Return machines that were made and brought up, and of which Vagrant says from then on that they are as in `status`."""
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines = vagrant_clone.machines()
    machines.up()
    vagrant_clone.vagrant(status=status, ssh_config="2.3.4/ssh-config")
    return machines


def test_status_says_what_vagrant_says(vagrant_clone: Clone, guest: Guest) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines = vagrant_clone.machines()
    assert machines.status() == (MachineStatus("vm1", "absent", "", "made by ./inv up"),)
    assert vagrant_clone.calls() == []
    machines.up()
    sizes = "Vagrant with libvirt, 4 CPUs, 4096 MB"
    vagrant_clone.vagrant(status=["2.3.4/status-running", "2.3.4/status-paused"])
    assert machines.status() == (MachineStatus("vm1", "running", f"127.0.0.1:{guest.port}", sizes),)
    assert machines.status() == (MachineStatus("vm1", "stopped", "", f"paused; {sizes}"),)


@pytest.mark.usefixtures("guest")
def test_reach_says_how_to_start_machines_that_do_not_run(vagrant_clone: Clone) -> None:
    machines = vagrant_clone.machines()
    for _ in range(2):
        with pytest.raises(MachineError, match="not running: vm1") as error:
            machines.reach()
        assert str(error.value.hint) == "Start the machines: ./inv up"
        vagrant_clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config-absent")


def test_down_and_destroy_without_machines_ask_nothing(vagrant_clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    machines = vagrant_clone.machines()
    machines.down()
    machines.destroy()
    assert vagrant_clone.calls() == []
    assert capsys.readouterr().err == "vagrant: there are no machines\n" * 2


@pytest.mark.usefixtures("guest")
def test_down_halts_what_runs_and_leaves_alone_what_does_not(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines = vagrant_clone.machines()
    machines.up()
    vagrant_clone.vagrant(status=["2.3.4/status-running", "2.3.4/status-shutoff"])
    machines.down()
    machines.down()
    assert vagrant_clone.done() == ["halt vagrant.vm1"]


def test_snapshot_and_restore_set_the_clock(vagrant_clone: Clone, guest: Guest) -> None:
    machines = brought_up(vagrant_clone)
    for act in (machines.snapshot, machines.restore):
        del guest.commands[:]
        act()
        assert clock_was_set(guest)
    assert vagrant_clone.done() == [
        "snapshot save vagrant.vm1 benchrig --force",
        "snapshot restore vagrant.vm1 benchrig",
    ]
    (status,) = machines.status()
    assert re.fullmatch(r"Vagrant with libvirt, 4 CPUs, 4096 MB; snapshot of \d{4}-\d\d-\d\d \d\d:\d\d", status.detail)


def test_up_sets_the_clock_after_a_killed_restore(
    vagrant_clone: Clone, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = brought_up(vagrant_clone)
    machines.snapshot()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "set_to_ours", lambda host: sys.exit(host.name))
        with pytest.raises(SystemExit):
            machines.restore()
    del guest.commands[:]
    machines.up()
    assert clock_was_set(guest)
    del guest.commands[:]
    machines.up()
    assert not clock_was_set(guest)


@pytest.mark.usefixtures("guest")
def test_a_snapshot_of_a_machine_that_was_off_is_started_when_restored(vagrant_clone: Clone) -> None:
    machines = brought_up(vagrant_clone, "2.3.4/status-shutoff")
    machines.snapshot()
    machines.restore()
    assert vagrant_clone.done()[1:] == ["snapshot restore vagrant.vm1 benchrig", UP]


@pytest.mark.usefixtures("guest")
def test_a_failed_snapshot_leaves_none_because_the_former_one_is_gone(
    vagrant_clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = brought_up(vagrant_clone)
    machines.snapshot()
    vagrant_clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config", snapshot_save="hang")
    monkeypatch.setattr("benchrig.machines.vagrant.kind.LONG", 0.5)
    with pytest.raises(MachineError, match="vm1: the snapshot failed"):
        machines.snapshot()
    with pytest.raises(MachineError, match="no snapshot of vm1"):
        machines.restore()


@pytest.mark.usefixtures("guest")
def test_without_a_machine_or_a_snapshot_nothing_is_restored(vagrant_clone: Clone) -> None:
    machines = vagrant_clone.machines()
    with pytest.raises(MachineError, match="not made yet: vm1") as error:
        machines.snapshot()
    assert str(error.value.hint) == "Make the machines: ./inv up"
    with pytest.raises(MachineError, match="no snapshot of vm1"):
        machines.restore()
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines.up()
    vagrant_clone.vagrant(status="2.3.4/status-running")
    with pytest.raises(MachineError, match="no snapshot of vm1"):
        machines.restore()
    assert vagrant_clone.done() == []
