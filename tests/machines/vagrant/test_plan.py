"""What Vagrant is to make: planned by the inventory, with what works here. Vagrant is played back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import ExitCode, InputError, MachineError
from benchrig.machines.accelerator import Accelerator
from tests.support.guest import Guest
from tests.support.vagrant_clone import DESTROY, ROOT, UP, Clone, make_key, running

ABORTS = Accelerator("tcg", "KVM: QEMU aborts with it: failed to set MSR 0x10a")
HANGS = Accelerator("tcg", "KVM: qemu-system-x86_64 did not end within 10 s")


# The plan


@pytest.mark.usefixtures("guest")
def test_sizes_box_and_number_of_machines_come_from_the_inventory(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    hosts = "{vm1: , vm2: {benchrig_cpus: 2, benchrig_box: 'https://example.com/x y.box'}}"
    machines = vagrant_clone.machines(hosts, limit="vm1", benchrig_cpus=8, benchrig_memory_mb=2048)
    machines.up()
    one, two = vagrant_clone.plan()["machines"]
    assert (one["name"], one["cpus"], one["memory_mb"], one["box"], one["box_url"]) == ("vm1", 8, 2048, "some/box", None)
    assert (two["name"], two["cpus"], two["memory_mb"]) == ("vm2", 2, 2048)
    assert vagrant_clone.done() == [UP]


def test_without_sizes_a_machine_has_4_cpus_and_4096_mb(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    (machine,) = vagrant_clone.plan()["machines"]
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
def test_what_cannot_be_planned_is_refused(vagrant_clone: Clone, variables: dict[str, object], message: str) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent")
    with pytest.raises(InputError, match=message):
        vagrant_clone.machines(**variables).up()
    assert vagrant_clone.done() == []


def test_a_host_that_no_machine_can_be_named_like_is_refused(vagrant_clone: Clone) -> None:
    with pytest.raises(InputError, match="'Vm_1' cannot name a machine"):
        vagrant_clone.machines("{Vm_1: }").up()


def test_machines_of_one_inventory_need_one_provider(vagrant_clone: Clone) -> None:
    hosts = "{vm1: {benchrig_provider: libvirt}, vm2: {benchrig_provider: virtualbox}}"
    with pytest.raises(InputError, match="need one provider; it names libvirt, virtualbox"):
        vagrant_clone.machines(hosts).up()


def test_a_box_file_with_a_space_in_its_path_is_handed_over_as_a_uri_and_renamed_when_it_changes(
    vagrant_clone: Clone,
) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/bad-box")
    path = vagrant_clone.root / "my box.box"
    names = set()
    for content in ("one", "another"):
        path.write_text(content)
        with pytest.raises(MachineError, match="the box cannot be fetched"):
            vagrant_clone.machines(benchrig_box="./my box.box").up()
        (machine,) = vagrant_clone.plan()["machines"]
        assert machine["box_url"] == f"file://{vagrant_clone.root}/my box.box".replace(" ", "%20")
        names.add(machine["box"])
    assert len(names) == 2


@pytest.mark.usefixtures("guest")
def test_a_machine_that_the_inventory_no_longer_names_is_shown_and_destroyed(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    vagrant_clone.machines().up()
    vagrant_clone.vagrant(status="2.3.4/status-running")
    rest = vagrant_clone.machines("{vm2: }")
    assert [(one.name, one.state) for one in rest.status()] == [("vm2", "absent"), ("vm1", "running")]
    rest.destroy()
    assert vagrant_clone.done() == [DESTROY]
    assert not rest.folder.path.exists()


def test_two_clones_never_name_a_machine_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for folder in ("one", "two"):
        clone = Clone(tmp_path / folder, monkeypatch)
        clone.vagrant(status="2.3.4/no-virtualbox")
        with pytest.raises(MachineError):
            clone.machines().up()
        names.add(clone.plan()["machines"][0]["unique_name"])
    assert len(names) == 2


# The provider


def test_the_provider_is_named_in_every_call(vagrant_clone: Clone, guest: Guest) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    machines = vagrant_clone.machines(name="mine")
    vagrant_clone.player.joinpath("port").write_text(str(guest.port))
    with pytest.raises(MachineError, match="does not say how to reach it"):
        machines.up()
    assert {(call["provider"], call["inventory"]) for call in vagrant_clone.calls()} == {("libvirt", "mine")}
    assert vagrant_clone.done() == ["up mine.vm1 --provider libvirt --no-provision"]


def test_virtualbox_is_the_default_where_it_is(vagrant_clone: Clone) -> None:
    vagrant_clone.program("VBoxManage")
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-virtualbox")
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    assert {call["provider"] for call in vagrant_clone.calls()} == {"virtualbox"}


def test_without_any_provider_the_error_says_that_virtualbox_is_missing(vagrant_clone: Clone) -> None:
    (vagrant_clone.bin / "libvirtd").unlink()
    vagrant_clone.vagrant(status="2.3.4/no-virtualbox")
    with pytest.raises(MachineError, match="VirtualBox cannot be used: Vagrant could not detect VirtualBox") as error:
        vagrant_clone.machines().up()
    assert error.value.exit_code == ExitCode.NO_MACHINE
    assert "benchrig_provider: libvirt" in str(error.value.hint)


def test_a_named_provider_is_used_even_when_it_is_missing(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/no-virtualbox")
    with pytest.raises(MachineError, match="VirtualBox cannot be used"):
        vagrant_clone.machines(benchrig_provider="virtualbox").up()


@pytest.mark.usefixtures("guest")
def test_machines_stay_with_the_provider_that_made_them(vagrant_clone: Clone) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    make_key(vagrant_clone)
    vagrant_clone.machines().up()
    vagrant_clone.program("VBoxManage")
    vagrant_clone.note(vagrant_clone.machines())
    vagrant_clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config")
    vagrant_clone.machines().up()
    assert vagrant_clone.done() == [UP]
    vagrant_clone.note(vagrant_clone.machines())
    with pytest.raises(MachineError, match="says virtualbox, but its machines were made with libvirt"):
        vagrant_clone.machines(benchrig_provider="virtualbox").up()


def test_without_vagrant_the_hint_says_what_to_do(vagrant_clone: Clone) -> None:
    (vagrant_clone.bin / "vagrant").unlink()
    with pytest.raises(MachineError, match="Vagrant is not installed") as error:
        vagrant_clone.machines().up()
    assert "-i qemu" in str(error.value.hint)


@pytest.mark.parametrize("found", [ABORTS, HANGS], ids=["aborts", "hangs"])
def test_without_kvm_machines_are_emulated_with_a_warning_about_measurements(
    vagrant_clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Accelerator
) -> None:
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: found)
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    assert vagrant_clone.plan()["driver"] == "qemu"
    assert vagrant_clone.plan()["boot_seconds"] == 900
    told = capsys.readouterr().err
    assert found.reason in told
    assert "warning: without KVM, these machines are emulated: vm1. They are slow, and their figures mean nothing" in told


def test_kvm_is_used_without_a_warning_where_it_works(vagrant_clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    vagrant_clone.vagrant(status="2.3.4/status-absent", up="2.3.4/no-box")
    with pytest.raises(MachineError):
        vagrant_clone.machines().up()
    assert vagrant_clone.plan()["driver"] == "kvm"
    assert "warning" not in capsys.readouterr().err


def test_a_machine_made_with_kvm_is_not_started_where_kvm_works_no_more(
    vagrant_clone: Clone, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = vagrant_clone.machines()
    vagrant_clone.note(machines, vm1=replace(running(vagrant_clone, guest), port=1, kept=1.0))
    vagrant_clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config")
    machines.up()
    vagrant_clone.note(machines, vm1=replace(machines.folder.known()["vm1"], port=1, kept=1.0))
    vagrant_clone.vagrant(status="2.3.4/status-shutoff")
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: ABORTS)
    for act in (machines.up, machines.restore):
        with pytest.raises(
            MachineError, match=r"vm1 cannot be started: .* made to run with KVM.*QEMU aborts with it"
        ) as error:
            act()
        assert str(error.value.hint) == "Make them anew, emulated: ./inv destroy up"
    assert vagrant_clone.done() == []


def test_a_machine_made_without_kvm_runs_without_it_where_kvm_works_as_well(
    vagrant_clone: Clone, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: ABORTS)
    vagrant_clone.vagrant(status="2.3.4/status-absent", ssh_config="2.3.4/ssh-config")
    machines = vagrant_clone.machines()
    known = running(vagrant_clone, guest)
    machines.up()
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: Accelerator("kvm"))
    vagrant_clone.note(machines, vm1=replace(known, port=1))
    vagrant_clone.vagrant(status="2.3.4/status-shutoff", ssh_config="2.3.4/ssh-config")
    assert machines.up().hosts["vm1"].emulated
    assert vagrant_clone.done() == [UP]
    assert vagrant_clone.plan()["driver"] == "qemu"


# The inventories that come with the project


@pytest.mark.parametrize("name", ["vagrant", "vagrant-three"])
def test_the_inventories_of_the_project_are_planned(vagrant_clone: Clone, name: str) -> None:
    vagrant_clone.vagrant(status="2.3.4/no-virtualbox")
    text = (ROOT / f"inventory/{name}.yml").read_text()
    (vagrant_clone.root / f"inventory/{name}.yml").write_text(text)
    from benchrig import inventory
    from benchrig.machines.vagrant.kind import VagrantMachines

    read = inventory.read(name, vagrant_clone.root)
    assert read.machine == "vagrant"
    assert {"servers", "databases", "loadgens"} <= set(read.groups)
    with pytest.raises(MachineError):
        VagrantMachines(read, vagrant_clone.root).up()
    assert {one["memory_mb"] for one in vagrant_clone.plan(name)["machines"]} == {4096}
    assert all(one["vagrant_name"].startswith(f"{name}.") for one in vagrant_clone.plan(name)["machines"])
