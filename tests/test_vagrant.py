"""The kind `vagrant`: planned by the inventory, started from any state, reached with pinned keys. Vagrant is played back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.errors import ExitCode, HostError, InputError, MachineError
from benchrig.machines import MachineStatus, vagrant_libvirt
from benchrig.machines.accelerator import Accelerator
from benchrig.machines.vagrant_folder import Known
from tests.cases.guest import Guest
from tests.cases.vagrant_clone import ROOT, Clone

KVM = Accelerator("kvm")
ABORTS = Accelerator("tcg", "KVM: QEMU aborts with it: failed to set MSR 0x10a")
HANGS = Accelerator("tcg", "KVM: QEMU hangs with it (10 s)")

UP = "up vagrant.vm1 --provider libvirt --no-provision"
DESTROY = "destroy --force vagrant.vm1"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Return a clone on a machine with libvirt, KVM and no VirtualBox."""
    made = Clone(tmp_path, monkeypatch)
    made.program("libvirtd")
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: KVM)
    return made


@pytest.fixture
def guest(clone: Clone) -> Iterator[Guest]:
    """Yield what Vagrant's machine is, as long as one logs in to it."""
    with Guest() as one:
        (clone.player / "port").write_text(str(one.port))
        yield one


def make_key(clone: Clone) -> None:
    """Have the key there that Vagrant makes for the machine."""
    path = clone.root / ".vagrant/machines/vagrant.vm1/libvirt/private_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def running(clone: Clone, guest: Guest) -> Known:
    """Have Vagrant's machine be there, and return how it is known."""
    make_key(clone)
    identity = clone.root / ".vagrant/machines/vagrant.vm1/libvirt/id"
    identity.write_text("id-1")
    key = f"{guest.host_key.get_name()} {guest.host_key.get_base64()}"
    return Known(False, "id-1", key, "127.0.0.1", guest.port, "vagrant", str(identity.with_name("private_key")))


# The plan


@pytest.mark.usefixtures("guest")
def test_sizes_box_and_number_of_machines_come_from_the_inventory(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    hosts = "{vm1: , vm2: {benchrig_cpus: 2, benchrig_box: 'https://example.com/x y.box'}}"
    machines = clone.machines(hosts, limit="vm1", benchrig_cpus=8, benchrig_memory_mb=2048)
    machines.up()
    one, two = clone.plan()["machines"]
    assert (one["name"], one["cpus"], one["memory_mb"], one["box"], one["box_url"]) == ("vm1", 8, 2048, "some/box", None)
    assert (two["name"], two["cpus"], two["memory_mb"]) == ("vm2", 2, 2048)
    assert clone.done() == [UP]


def test_without_sizes_a_machine_has_4_cpus_and_4096_mb(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        clone.machines().up()
    (machine,) = clone.plan()["machines"]
    assert (machine["cpus"], machine["memory_mb"]) == (4, 4096)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"benchrig_cpus": 0}, "benchrig_cpus of 'vm1' is 0, not a whole number above 0"),
        ({"benchrig_cpus": True}, "benchrig_cpus of 'vm1' is True"),
        ({"benchrig_memory_mb": "4 GB"}, "benchrig_memory_mb of 'vm1' is '4 GB'"),
        ({"benchrig_provider": "libvrt"}, r"unknown provider \(benchrig_provider\) 'libvrt'; did you mean libvirt"),
        ({"benchrig_box": "./no.box"}, "benchrig_box of 'vm1': there is no file .*/my clone/no.box"),
    ],
)
def test_what_cannot_be_planned_is_refused(clone: Clone, variables: dict[str, object], message: str) -> None:
    clone.vagrant(status="2.3.4/status-absent")
    with pytest.raises(InputError, match=message):
        clone.machines(**variables).up()
    assert clone.done() == []


def test_a_host_that_no_machine_can_be_named_like_is_refused(clone: Clone) -> None:
    with pytest.raises(InputError, match="'Vm_1' cannot name a machine"):
        clone.machines("{Vm_1: }").up()


def test_machines_of_one_inventory_need_one_provider(clone: Clone) -> None:
    hosts = "{vm1: {benchrig_provider: libvirt}, vm2: {benchrig_provider: virtualbox}}"
    with pytest.raises(InputError, match="need one provider; it names libvirt, virtualbox"):
        clone.machines(hosts).up()


def test_a_box_file_with_a_space_in_its_path_is_handed_over_as_a_uri_and_renamed_when_it_changes(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/bad-box")
    path = clone.root / "my box.box"
    names = set()
    for content in ("one", "another"):
        path.write_text(content)
        with pytest.raises(MachineError, match="the box cannot be had"):
            clone.machines(benchrig_box="./my box.box").up()
        (machine,) = clone.plan()["machines"]
        assert machine["box_url"] == f"file://{clone.root}/my box.box".replace(" ", "%20")
        names.add(machine["box"])
    assert len(names) == 2


@pytest.mark.usefixtures("guest")
def test_a_machine_that_the_inventory_no_longer_names_is_shown_and_destroyed(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    clone.machines().up()
    clone.vagrant(status="2.3.4/status-running")
    rest = clone.machines("{vm2: }")
    assert [(one.name, one.state) for one in rest.status()] == [("vm2", "absent"), ("vm1", "running")]
    rest.destroy()
    assert clone.done() == [DESTROY]
    assert not rest.folder.path.exists()


# The provider


def test_the_provider_is_named_in_every_call(clone: Clone, guest: Guest) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines = clone.machines(name="mine")
    clone.player.joinpath("port").write_text(str(guest.port))
    with pytest.raises(MachineError, match="does not say how to reach it"):
        machines.up()
    assert {(call["provider"], call["inventory"]) for call in clone.calls()} == {("libvirt", "mine")}
    assert clone.done() == ["up mine.vm1 --provider libvirt --no-provision"]


def test_virtualbox_is_the_default_where_it_is(clone: Clone) -> None:
    clone.program("VBoxManage")
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-virtualbox")
    with pytest.raises(MachineError):
        clone.machines().up()
    assert {call["provider"] for call in clone.calls()} == {"virtualbox"}


def test_where_neither_is_virtualbox_is_asked_for_and_told_to_be_missing(clone: Clone) -> None:
    (clone.bin / "libvirtd").unlink()
    clone.vagrant(status="2.3.4/no-virtualbox")
    with pytest.raises(MachineError, match="VirtualBox cannot be used: Vagrant could not detect VirtualBox") as error:
        clone.machines().up()
    assert error.value.exit_code == ExitCode.NO_MACHINE
    assert "benchrig_provider: libvirt" in error.value.hint


def test_a_provider_that_is_named_is_taken_though_it_is_missing(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/no-virtualbox")
    with pytest.raises(MachineError, match="VirtualBox cannot be used"):
        clone.machines(benchrig_provider="virtualbox").up()


@pytest.mark.usefixtures("guest")
def test_machines_stay_with_the_provider_that_made_them(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    clone.machines().up()
    clone.program("VBoxManage")
    clone.note(clone.machines())
    clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config")
    clone.machines().up()
    assert clone.done() == [UP]
    clone.note(clone.machines())
    with pytest.raises(MachineError, match="says virtualbox, and its machines were made with libvirt"):
        clone.machines(benchrig_provider="virtualbox").up()


def test_a_vagrant_that_is_not_installed_is_told_with_what_to_do(clone: Clone) -> None:
    (clone.bin / "vagrant").unlink()
    with pytest.raises(MachineError, match="Vagrant is not installed") as error:
        clone.machines().up()
    assert "-i qemu" in error.value.hint


@pytest.mark.parametrize("found", [ABORTS, HANGS], ids=["aborts", "hangs"])
def test_where_kvm_does_not_work_machines_are_emulated_and_it_is_said_what_their_figures_mean(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Accelerator
) -> None:
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: found)
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        clone.machines().up()
    assert clone.plan()["driver"] == "qemu"
    assert clone.plan()["boot_seconds"] == 900
    told = capsys.readouterr().err
    assert found.reason in told
    assert "warning: vm1 run without KVM, emulated: all works, slowly, and figures mean nothing" in told


def test_where_kvm_works_it_is_used_and_nothing_is_said(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        clone.machines().up()
    assert clone.plan()["driver"] == "kvm"
    assert "warning" not in capsys.readouterr().err


# Up from any state


def test_a_machine_comes_up_with_progress_and_is_reached(
    clone: Clone, guest: Guest, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/up", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines = clone.machines()
    host = machines.up().hosts["vm1"]
    assert (host.address, host.port, host.user, host.become) == ("127.0.0.1", guest.port, "vagrant", True)
    assert host.key_file == clone.root / ".vagrant/machines/vagrant.vm1/libvirt/private_key"
    kind, key = guest.host_key.get_name(), guest.host_key.get_base64()
    assert host.known_hosts
    assert host.known_hosts.read_text() == f"[127.0.0.1]:{guest.port} {kind} {key}\n"
    told = capsys.readouterr().err
    assert "vm1: Starting domain." in told
    assert "vm1 up in" in told
    assert "==>" not in told
    assert "vagrant.vm1" not in told.replace("-vagrant.vm1", "")


def test_a_machine_that_answers_with_its_own_key_is_up_without_asking_vagrant(clone: Clone, guest: Guest) -> None:
    machines = clone.machines()
    clone.note(machines, vm1=running(clone, guest))
    assert machines.up().hosts["vm1"].port == guest.port
    assert machines.reach().hosts["vm1"].port == guest.port
    assert clone.calls() == []


@pytest.mark.parametrize(("state", "clock_is_set"), [("paused", True), ("shutoff", False)])
def test_a_machine_suspended_or_powered_off_by_hand_is_started(
    clone: Clone, guest: Guest, state: str, clock_is_set: bool
) -> None:
    known = running(clone, guest)
    machines = clone.machines()
    clone.note(machines, vm1=Known(**{**vars(known), "port": 1}))
    clone.vagrant(status=f"2.3.4/status-{state}", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].port == guest.port
    assert clone.done() == [UP]
    assert any("date --utc --set=@" in command for command in guest.commands) is clock_is_set


@pytest.mark.usefixtures("guest")
def test_a_machine_that_a_killed_run_left_half_made_is_made_anew(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    machines = clone.machines()
    with pytest.raises(MachineError):
        machines.up()
    clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    detail = "running, half made; ./inv up makes it anew"
    assert machines.status() == (MachineStatus("vm1", "stopped", "", detail),)
    machines.up()
    assert clone.done() == [DESTROY, UP]
    assert "making vm1 anew: an interrupted run had left it half made" in capsys.readouterr().err


def test_a_machine_made_with_vagrant_by_hand_is_taken_as_it_is(clone: Clone, guest: Guest) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    machines = clone.machines()
    with pytest.raises(MachineError):
        machines.up()
    make_key(clone)
    clone.note(machines)
    clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].port == guest.port
    assert clone.done() == []


def test_a_machine_that_vagrant_cannot_bring_back_is_switched_off_first(clone: Clone, guest: Guest) -> None:
    machines = clone.machines()
    clone.note(machines, vm1=Known(**{**vars(running(clone, guest)), "port": 1}))
    clone.vagrant(status="2.3.4/status-inaccessible", ssh_config="2.3.4/ssh-config")
    machines.up()
    assert clone.done() == ["halt --force vagrant.vm1", UP]


def test_a_vagrant_that_hangs_is_ended(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchrig.machines.vagrant.LONG", 0.5)
    clone.vagrant(status="2.3.4/status-absent", up="hang")
    with pytest.raises(MachineError, match="vm1 cannot be brought up: vagrant did not end within"):
        clone.machines().up()


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
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        clone.machines().up()
    (machine,) = clone.plan()["machines"]
    name = machine["unique_name"]
    libvirt = Libvirt(monkeypatch, [name, "another"], {f"{name}.img": 1, "another.img": 1})
    with pytest.raises(MachineError):
        clone.machines().up()
    assert (libvirt.machines, list(libvirt.volumes)) == (["another"], ["another.img"])
    assert f"removed {name} from libvirt, which an interrupted run had left" in capsys.readouterr().err


@pytest.mark.usefixtures("clone")
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


def test_two_clones_never_name_a_machine_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for folder in ("one", "two"):
        clone = Clone(tmp_path / folder, monkeypatch)
        clone.vagrant(status="2.3.4/no-virtualbox")
        with pytest.raises(MachineError):
            clone.machines().up()
        names.add(clone.plan()["machines"][0]["unique_name"])
    assert len(names) == 2


# Host keys and login


def test_a_changed_host_key_is_refused(clone: Clone, guest: Guest) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBd3bq0cyvCbSLwEbUV5sTb6NxeYFUtmUbBpgQBvBnUR"
    machines = clone.machines()
    clone.note(machines, vm1=Known(**{**vars(running(clone, guest)), "host_key": other}))
    clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    with pytest.raises(HostError, match=r"vm1 \(127\.0\.0\.1:\d+\): the host key has changed") as error:
        machines.up()
    assert error.value.exit_code == ExitCode.UNREACHABLE
    assert machines.folder.known()["vm1"].host_key == other


def test_a_machine_made_anew_has_its_own_host_key_pinned(clone: Clone, guest: Guest) -> None:
    known = running(clone, guest)
    machines = clone.machines()
    clone.note(machines, vm1=Known(**{**vars(known), "host_key": "ssh-ed25519 AAAA", "id": "id-of-the-former"}))
    clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    machines.up()
    assert machines.folder.known()["vm1"].host_key == known.host_key


@pytest.mark.parametrize("version", ["2.3.4", "2.4"])
@pytest.mark.usefixtures("guest")
def test_vagrants_shared_key_is_replaced(clone: Clone, version: str) -> None:
    make_key(clone)
    configs = [f"{version}/ssh-config-insecure", f"{version}/ssh-config"]
    clone.vagrant(status="2.3.4/status-absent", ssh_config=configs)
    host = clone.machines().up().hosts["vm1"]
    assert host.key_file
    assert host.key_file.name == "private_key"
    assert clone.done() == [UP, "reload vagrant.vm1 --no-provision"]


@pytest.mark.usefixtures("guest")
def test_a_machine_that_keeps_vagrants_shared_key_is_not_used(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.4/ssh-config-insecure")
    machines = clone.machines()
    with pytest.raises(MachineError, match="still lets everybody in with Vagrant's shared key"):
        machines.up()
    assert machines.folder.known()["vm1"].making


def test_the_box_of_our_own_lets_vagrants_shared_key_in() -> None:
    from benchrig.machines import box_files

    key = Path("/usr/share/rubygems-integration/all/gems/vagrant-2.3.4/keys/vagrant.pub")
    if not key.exists():
        pytest.skip("Debian's Vagrant is not installed")
    assert box_files.VAGRANT_KEY.split()[:2] == key.read_text().split()[:2]


# Down, status, snapshots


def test_status_says_what_vagrant_says(clone: Clone, guest: Guest) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines = clone.machines()
    assert machines.status() == (MachineStatus("vm1", "absent", "", "made by ./inv up"),)
    assert clone.calls() == []
    machines.up()
    sizes = "Vagrant with libvirt, 4 CPUs, 4096 MB"
    clone.vagrant(status=["2.3.4/status-running", "2.3.4/status-paused"])
    assert machines.status() == (MachineStatus("vm1", "running", f"127.0.0.1:{guest.port}", sizes),)
    assert machines.status() == (MachineStatus("vm1", "stopped", "", f"paused; {sizes}"),)


@pytest.mark.usefixtures("guest")
def test_a_machine_that_does_not_run_says_how_to_bring_it_up(clone: Clone) -> None:
    machines = clone.machines()
    for _ in range(2):
        with pytest.raises(MachineError, match="not running: vm1") as error:
            machines.reach()
        assert error.value.hint == "Bring it up: ./inv up"
        clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config-absent")


def test_down_and_destroy_without_machines_ask_nothing(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    machines = clone.machines()
    machines.down()
    machines.destroy()
    assert clone.calls() == []
    assert capsys.readouterr().err == "vagrant: there is no machine\n" * 2


@pytest.mark.usefixtures("guest")
def test_down_halts_what_runs_and_leaves_alone_what_does_not(clone: Clone) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines = clone.machines()
    machines.up()
    clone.vagrant(status=["2.3.4/status-running", "2.3.4/status-shutoff"])
    machines.down()
    machines.down()
    assert clone.done() == ["halt vagrant.vm1"]


def test_a_snapshot_is_kept_and_restored_with_the_clock_set(clone: Clone, guest: Guest) -> None:
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines = clone.machines()
    machines.up()
    clone.vagrant(status="2.3.4/status-running", ssh_config="2.3.4/ssh-config")
    machines.snapshot()
    machines.restore()
    assert clone.done() == [
        "snapshot save vagrant.vm1 benchrig --force",
        "snapshot restore vagrant.vm1 benchrig",
    ]
    assert any("date --utc --set=@" in command for command in guest.commands)


@pytest.mark.usefixtures("guest")
def test_a_snapshot_of_a_machine_that_was_off_is_started_when_restored(clone: Clone) -> None:
    machines = clone.machines()
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines.up()
    clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config")
    machines.snapshot()
    machines.restore()
    assert clone.done()[1:] == ["snapshot restore vagrant.vm1 benchrig", UP]


@pytest.mark.usefixtures("guest")
def test_without_a_machine_or_a_snapshot_nothing_is_restored(clone: Clone) -> None:
    machines = clone.machines()
    for act in (machines.snapshot, machines.restore):
        with pytest.raises(MachineError, match="never made: vm1") as error:
            act()
        assert error.value.hint == "Make it first: ./inv up"
    clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(clone)
    machines.up()
    clone.vagrant(status="2.3.4/status-running")
    with pytest.raises(MachineError, match="never kept: vm1"):
        machines.restore()
    assert clone.done() == []


# The inventories that come with the project


@pytest.mark.parametrize("name", ["vagrant", "vagrant-three"])
def test_the_inventories_of_the_project_are_planned(clone: Clone, name: str) -> None:
    clone.vagrant(status="2.3.4/no-virtualbox")
    text = (ROOT / f"inventory/{name}.yml").read_text()
    (clone.root / f"inventory/{name}.yml").write_text(text)
    from benchrig import inventory
    from benchrig.machines.vagrant import VagrantMachines

    read = inventory.read(name, clone.root)
    assert read.machine == "vagrant"
    assert {"servers", "databases", "loadgens"} <= set(read.groups)
    with pytest.raises(MachineError):
        VagrantMachines(read, clone.root).up()
    assert {one["memory_mb"] for one in clone.plan(name)["machines"]} == {4096}
    assert all(one["vagrant_name"].startswith(f"{name}.") for one in clone.plan(name)["machines"])
