"""Virtual machines in plain QEMU: the probe, the monitor, the process, snapshots; and with the mark `vm` a whole Debian.

Most of it is shown with a real QEMU whose disk is empty: the machine finds nothing to boot, and all else is as it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import inventory, ssh
from benchrig.errors import HostError, InputError, MachineError
from benchrig.inventory import Host
from benchrig.machines import accelerator, keys, lab_requirements, qemu_machine, qemu_process
from benchrig.machines.accelerator import QEMU, Accelerator
from benchrig.machines.folder import MachineFolder
from benchrig.machines.outer import Outer
from benchrig.machines.outer_apt import Apt
from benchrig.machines.outer_pip import Pip
from benchrig.machines.qemu import QemuMachines
from benchrig.machines.qemu_machine import Hardware
from benchrig.machines.qemu_qmp import Qmp
from tests.conftest import Clone

needs_qemu = pytest.mark.skipif(not (shutil.which(QEMU) and shutil.which("qemu-img")), reason="QEMU is not installed")

SMALL = Hardware(1, 64, "tcg")
OUTER = Outer((), (), {}, Apt(), Pip())

# Accelerators


def program(folder: Path, text: str) -> str:
    """Write a shell script that stands in for QEMU, and return its path."""
    path = folder / "qemu"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have /dev/kvm look usable."""
    monkeypatch.setattr(accelerator, "_candidate", lambda: ("kvm", ""))


@pytest.mark.usefixtures("kvm")
def test_kvm_is_used_when_a_guest_runs_with_it(tmp_path: Path) -> None:
    assert accelerator.probe(program(tmp_path, "exit 33")) == Accelerator("kvm")


@pytest.mark.usefixtures("kvm")
def test_kvm_with_which_qemu_aborts_is_not_used_and_its_first_message_is_the_reason(tmp_path: Path) -> None:
    said = program(tmp_path, "echo 'qemu: error: failed to set MSR 0x10a' >&2; echo assertion >&2; kill -ABRT $$")
    found = accelerator.probe(said)
    assert (found.name, found.reason.partition(": ")[0]) == ("tcg", "KVM")
    assert "QEMU aborts with it" in found.reason
    assert found.reason.endswith("failed to set MSR 0x10a")


@pytest.mark.usefixtures("kvm")
def test_kvm_with_which_qemu_hangs_is_given_up_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "PROBE_SECONDS", 0.2)
    found = accelerator.probe(program(tmp_path, "exec sleep 60"))
    assert found == Accelerator("tcg", "KVM: QEMU hangs with it (0 s)")


@pytest.mark.usefixtures("kvm")
def test_a_qemu_that_ends_well_without_having_run_the_guest_proves_nothing(tmp_path: Path) -> None:
    assert accelerator.probe(program(tmp_path, "exit 0")) == Accelerator("tcg", "KVM: QEMU fails with it")


def test_another_kind_of_processor_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    found = accelerator.probe("/does/not/exist")
    assert found.name == "tcg"
    assert "arm64" in found.reason


@needs_qemu
def test_the_guest_of_the_probe_runs_in_a_real_qemu() -> None:
    assert accelerator._failure(QEMU, Accelerator("tcg")) == ""


# Command line


def test_a_machine_is_reached_over_loopback_alone() -> None:
    words = qemu_machine.command(Hardware(4, 4096, "kvm"), 2222, ("example.test",))
    assert "user,id=net,hostfwd=tcp:127.0.0.1:2222-:22,dnssearch=example.test" in words
    text = " ".join(words)
    assert "-smp 4 -m 4096" in text
    assert "-accel kvm -cpu host" in text
    assert "-loadvm" not in text


def test_a_snapshot_is_loaded_when_it_is_named() -> None:
    assert qemu_machine.command(SMALL, 2222, (), "kept-3")[-2:] == ["-loadvm", "kept-3"]


# A real QEMU, an empty disk


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[MachineFolder]:
    """Yield a machine whose box is empty, made but not started; it is killed in the end."""
    base = tmp_path / "box.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "16M"], check=True)
    # A path longer than a socket's may be.
    made = MachineFolder("vm1", tmp_path / ("long" * 30) / "vm 1")
    qemu_machine.make(made, base)
    keys.make_key(tmp_path / "key", "test")
    yield made
    qemu_process.kill(made.path)


def start(machine: MachineFolder, snapshot: str = "") -> None:
    qemu_machine.start(machine, SMALL, OUTER, machine.path.parent.parent / "key", snapshot)


@needs_qemu
def test_the_host_key_travels_in_a_file_for_its_owner_and_not_in_the_command_line(
    machine: MachineFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[str] = []
    monkeypatch.setattr(qemu_process, "start", lambda _name, _folder, argv: words.extend(argv))
    start(machine)
    secrets = machine.host_key.read_text().splitlines()[1:-1]
    seed = machine.path / "seed.tar"
    assert all(secret.encode() in seed.read_bytes() for secret in secrets)
    assert seed.stat().st_mode & 0o777 == 0o600
    assert "seed.tar" in " ".join(words)
    assert not any(secret in word for secret in secrets for word in words)


@needs_qemu
def test_a_started_machine_is_found_by_its_pid_file_and_stopped(machine: MachineFolder) -> None:
    start(machine)
    pid = qemu_process.find(machine.path)
    assert pid is not None
    with Qmp("vm1", machine.path) as qmp:
        assert qmp.execute("query-status")["running"]
        with pytest.raises(MachineError, match="QEMU refuses no-such-command"):
            qmp.execute("no-such-command")
    qemu_machine.stop(machine)
    assert qemu_process.find(machine.path) is None
    assert not qemu_process.pid_file(machine.path).exists()


@needs_qemu
def test_another_process_that_has_the_number_now_is_not_ours(machine: MachineFolder) -> None:
    qemu_process.pid_file(machine.path).write_text(f"{os.getpid()}\n")
    assert qemu_process.find(machine.path) is None
    qemu_process.kill(machine.path)


@needs_qemu
def test_a_machine_keeps_its_port_unless_it_is_taken(machine: MachineFolder) -> None:
    start(machine)
    port = qemu_machine.record(machine).port
    qemu_machine.stop(machine)
    start(machine)
    assert qemu_machine.record(machine).port == port
    qemu_machine.stop(machine)
    with socket.create_server(("127.0.0.1", port)):
        start(machine)
        assert qemu_machine.record(machine).port not in (0, port)


@needs_qemu
def test_a_snapshot_replaces_the_former_and_is_brought_back_running_or_not(machine: MachineFolder) -> None:
    start(machine)
    qemu_machine.keep(machine)
    qemu_machine.keep(machine)
    assert qemu_machine.kept_snapshot(machine) == "kept-2"
    with Qmp("vm1", machine.path) as qmp:
        assert qmp.snapshots("disk") == ("kept-2",)
    qemu_machine.bring_back(machine)
    qemu_machine.stop(machine)
    start(machine, "kept-2")
    with Qmp("vm1", machine.path) as qmp:
        assert qmp.execute("query-status")["running"]


@needs_qemu
def test_a_snapshot_for_other_hardware_is_told_with_qemus_words(machine: MachineFolder) -> None:
    start(machine)
    qemu_machine.keep(machine)
    qemu_machine.stop(machine)
    with pytest.raises(MachineError, match="vm1: QEMU ended at once: "):
        qemu_machine.start(machine, replace(SMALL, memory_mb=128), OUTER, machine.path.parent.parent / "key", "kept-1")


@needs_qemu
def test_a_killed_qemu_mends_itself(machine: MachineFolder) -> None:
    start(machine)
    qemu_machine.keep(machine)
    pid = qemu_process.find(machine.path)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert qemu_process.wait(machine.path, 10)
    assert not qemu_machine.is_up(machine)
    start(machine, qemu_machine.kept_snapshot(machine))
    assert qemu_process.find(machine.path) not in (None, pid)


@needs_qemu
def test_a_suspended_machine_is_not_up_and_goes_on(machine: MachineFolder) -> None:
    start(machine)
    machine.ready.touch()
    assert qemu_machine.is_up(machine)
    with Qmp("vm1", machine.path) as qmp:
        qmp.execute("stop")
    assert not qemu_machine.is_up(machine)
    qemu_machine.resume(machine)
    assert qemu_machine.is_up(machine)
    machine.ready.unlink()


@needs_qemu
def test_a_machine_whose_box_is_gone_says_so(machine: MachineFolder) -> None:
    Path(machine.image.read_text()).unlink()
    with pytest.raises(MachineError, match="vm1: its box is gone") as caught:
        start(machine)
    assert caught.value.hint == "./inv destroy up"


@needs_qemu
def test_the_seed_is_readable_by_its_owner_alone(machine: MachineFolder) -> None:
    start(machine)
    assert (machine.path / "seed.tar").stat().st_mode & 0o777 == 0o600
    assert machine.host_key.stat().st_mode & 0o777 == 0o600


@needs_qemu
def test_a_qemu_that_ends_at_once_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"^vm1: QEMU ended at once: unsupported machine type"):
        qemu_process.start("vm1", tmp_path, [QEMU, "-machine", "no-such-machine"])


# The kind


def machines(folder: Path, variables: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> QemuMachines:
    path = folder / "hosts.yml"
    path.write_text(f"all: {{vars: {{benchrig_machine: qemu{variables}}}, hosts: {{vm1: }}}}")
    if monkeypatch:
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return QemuMachines(inventory.read(str(path), folder), folder)


def test_what_is_not_there_is_absent_and_cannot_be_reached_kept_or_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = machines(tmp_path, monkeypatch=monkeypatch)
    assert [one.state for one in none.status()] == ["absent"]
    for act in (none.reach, none.snapshot):
        with pytest.raises(MachineError, match="not running: vm1"):
            act()
    with pytest.raises(MachineError, match="there is no snapshot of vm1"):
        none.restore()
    none.down()
    none.destroy()


@pytest.mark.parametrize("variable", ["benchrig_cpus: none", "benchrig_memory_mb: 0", "benchrig_cpus: true"])
@needs_qemu
def test_sizes_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with pytest.raises(InputError, match=f"{variable.partition(':')[0]} of 'vm1' is .*, not a whole number above 0"):
        machines(tmp_path, f", {variable}", monkeypatch).up()


@needs_qemu
def test_a_box_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="benchrig_box of 'vm1': there is no file"):
        machines(tmp_path, ", benchrig_box: no/box.qcow2", monkeypatch).up()


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_where_no_lab_can_run_the_kind_qemu_is_named(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MachineError) as caught:
        lab_requirements.check()
    assert "-i qemu" in caught.value.hint


@needs_qemu
def test_a_machine_that_never_answers_is_told_with_its_console_and_can_be_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "empty.qcow2", "16M"], check=True)
    monkeypatch.setitem(qemu_machine.BOOT_SECONDS, "tcg", 1.0)
    monkeypatch.setattr(accelerator, "probe", lambda: Accelerator("tcg", "no reason"))
    monkeypatch.setattr("benchrig.machines.outer.read", lambda: OUTER)
    ours = machines(tmp_path, ", benchrig_box: empty.qcow2, benchrig_memory_mb: 64", monkeypatch)
    with pytest.raises(MachineError, match="vm1: runs, but within 1 s its sshd did not answer"):
        ours.up()
    (status,) = ours.status()
    assert (status.state, "does not let us in yet" in status.detail) == ("running", True)
    ours.destroy()
    assert [one.state for one in ours.status()] == ["absent"]


# A whole Debian


def run(host: Host, command: str) -> str:
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", command], timeout=300)
    assert done.code == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def vm(clone: Clone) -> Iterator[QemuMachines]:
    """Yield the virtual machine of a clone's inventory qemu, up; it is destroyed in the end."""
    ours = QemuMachines(inventory.read("qemu", clone.root), clone.root)
    ours.up()
    yield ours
    ours.destroy()


@pytest.mark.vm
def test_a_box_boots_debian_12_with_what_the_inventory_says_and_nothing_failed(vm: QemuMachines) -> None:
    host = vm.reach().hosts["vm1"]
    assert run(host, "systemctl is-system-running --wait") == "running"
    assert run(host, ". /etc/os-release; echo $VERSION_CODENAME; hostname; nproc").split() == ["bookworm", "vm1", "4"]
    assert int(run(host, "awk '/MemTotal/ {print $2}' /proc/meminfo")) > 3_900_000
    assert run(host, "sudo -n id -u") == "0"


@pytest.mark.vm
def test_only_the_projects_own_key_is_let_in(vm: QemuMachines) -> None:
    key = vm.folder.key.with_suffix(".pub").read_text()
    assert run(vm.reach().hosts["vm1"], "cat ~/.ssh/authorized_keys").strip() == key.strip()
    assert vm.folder.key.stat().st_mode & 0o777 == 0o600


@pytest.mark.vm
def test_large_limits_are_really_set_and_a_second_provision_changes_nothing(vm: QemuMachines, clone: Clone) -> None:
    arguments = ("provision", "-i", "qemu", "--tags", "base,tuning")
    assert clone.inv(*arguments, timeout=900).code == 0
    assert "changed=0" in clone.inv(*arguments, timeout=900).stderr
    host = vm.reach().hosts["vm1"]
    assert run(host, "ulimit -Hn") == "1048576"
    wanted = {"net.core.netdev_max_backlog": 16384, "net.core.somaxconn": 65535}
    for name, value in wanted.items():
        assert run(host, f"sudo sysctl -n {name}") == str(value)
    assert int(run(host, "sudo sysctl -n fs.file-max")) >= 1_048_576


@pytest.mark.vm
def test_a_snapshot_brings_back_what_was_with_the_time_of_now(vm: QemuMachines) -> None:
    host = vm.reach().hosts["vm1"]
    run(host, "sudo rm -f /etc/spoiled")
    vm.snapshot()
    for stopped in (False, True):
        run(host, "sudo touch /etc/spoiled; sync")
        if stopped:
            vm.down()
            assert [one.state for one in vm.status()] == ["stopped"]
        host = vm.restore().hosts["vm1"]
        assert run(host, "ls /etc/spoiled || echo none") == "none"
        assert abs(int(run(host, "date +%s")) - time.time()) < 10


@pytest.mark.vm
def test_a_killed_qemu_comes_up_again_with_what_was_written(vm: QemuMachines) -> None:
    run(vm.reach().hosts["vm1"], "sudo touch /etc/kept; sync")
    qemu_process.kill(vm.folder.machine("vm1").path)
    assert [one.state for one in vm.status()] == ["stopped"]
    assert run(vm.up().hosts["vm1"], "ls /etc/kept") == "/etc/kept"


@pytest.mark.vm
def test_a_machine_that_shows_another_host_key_is_refused(vm: QemuMachines) -> None:
    host = vm.reach().hosts["vm1"]
    run(host, "sudo sh -c 'rm /etc/ssh/ssh_host*; ssh-keygen -A; systemctl restart ssh'")
    with pytest.raises(HostError, match="the host key has changed"):
        ssh.connect(host)
    vm.down()
    # The seed puts the pinned key back.
    assert run(vm.up().hosts["vm1"], "hostname") == "vm1"
