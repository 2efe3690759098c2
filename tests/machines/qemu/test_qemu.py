"""The kind `qemu`, with machines that have an empty disk; with the mark `vm`, with a whole Debian."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import HostError, InputError, MachineError
from benchrig.inventory import Host
from benchrig.machines import accelerator, clock
from benchrig.machines.accelerator import Accelerator
from benchrig.machines.qemu import machine as qemu_machine
from benchrig.machines.qemu import process, snapshot
from benchrig.machines.qemu.kind import QemuMachines
from benchrig.machines.qemu.qmp import Qmp
from benchrig.remote import ssh
from tests.support.clone import Clone
from tests.support.machines import SETTINGS
from tests.support.qemu import needs_qemu

# The kind


def machines(folder: Path, variables: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> QemuMachines:
    path = folder / "hosts.yml"
    path.write_text(f"all: {{vars: {{benchrig_machine: qemu{variables}}}, hosts: {{vm1: }}}}")
    if monkeypatch:
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return QemuMachines(inventory.read(str(path), folder), folder)


def test_absent_machines_cannot_be_reached_saved_or_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = machines(tmp_path, monkeypatch=monkeypatch)
    assert [one.state for one in none.status()] == ["absent"]
    with pytest.raises(MachineError, match="not running: vm1"):
        none.reach()
    with pytest.raises(MachineError, match="not made yet: vm1"):
        none.snapshot()
    with pytest.raises(MachineError, match="no snapshot of vm1"):
        none.restore()
    none.down()
    none.destroy()


@pytest.mark.parametrize("variable", ["benchrig_cpus: none", "benchrig_memory_mb: 0", "benchrig_cpus: true"])
@needs_qemu
def test_invalid_sizes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with pytest.raises(InputError, match=f"{variable.partition(':')[0]} of 'vm1' is .*, not a whole number above 0"):
        machines(tmp_path, f", {variable}", monkeypatch).up()


@needs_qemu
def test_a_missing_box_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="benchrig_box of 'vm1': there is no file"):
        machines(tmp_path, ", benchrig_box: no/box.qcow2", monkeypatch).up()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[QemuMachines]:
    """Yield a machine whose disk is empty, not made yet; it is destroyed in the end."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "empty.qcow2", "16M"], check=True)
    monkeypatch.setattr(accelerator, "probe", lambda: Accelerator("tcg", "no reason"))
    monkeypatch.setattr("benchrig.machines.controller.settings.read", lambda: SETTINGS)
    # It lets nobody in, and does not heed its power button.
    monkeypatch.setitem(qemu_machine.BOOT_SECONDS, "tcg", 1.0)
    monkeypatch.setitem(qemu_machine.STOP_SECONDS, "tcg", 0.0)
    ours = machines(tmp_path, ", benchrig_box: empty.qcow2, benchrig_memory_mb: 64", monkeypatch)
    yield ours
    ours.destroy()


@needs_qemu
def test_the_error_for_a_machine_that_never_answers_has_its_console_and_it_can_be_destroyed(empty: QemuMachines) -> None:
    with pytest.raises(MachineError, match="vm1: runs, but within 1 s its SSH server did not answer"):
        empty.up()
    (status,) = empty.status()
    assert (status.state, "does not accept logins yet" in status.detail) == ("running", True)
    empty.destroy()
    assert [one.state for one in empty.status()] == ["absent"]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have machines let us in, and return what is done with them: logins, clocks set, snapshots listed."""
    found: list[str] = []
    run = snapshot.run

    def listed(argv: Sequence[str | Path], purpose: str) -> str:
        found.append(" ".join(map(str, argv[:2])))
        return run(argv, purpose)

    monkeypatch.setattr(qemu_machine, "wait_for_login", lambda machine, _host: found.append(f"login {machine.name}"))
    monkeypatch.setattr(clock, "set_to_ours", lambda host: found.append(f"clock {host.name}"))
    monkeypatch.setattr(snapshot, "run", listed)
    return found


@needs_qemu
def test_a_machine_suspended_by_hand_goes_on_with_its_clock_set(empty: QemuMachines, done: list[str]) -> None:
    empty.up()
    assert done == ["login vm1"]
    with Qmp("vm1", empty.folder.machine("vm1").path) as qmp:
        qmp.execute("stop")
    empty.up()
    assert done[1:] == ["login vm1", "clock vm1"]
    empty.up()
    assert len(done) == 3


@needs_qemu
def test_status_of_a_stopped_machine_has_its_files_and_the_time_of_its_snapshot(empty: QemuMachines) -> None:
    machine = empty.folder.machine("vm1")
    machine.path.mkdir(parents=True)
    disk = qemu_machine.disk(machine)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "16M"], check=True)
    files = f"its files are in {machine.path}"
    assert [(one.state, one.detail) for one in empty.status()] == [("stopped", files)]
    subprocess.run(["qemu-img", "snapshot", "-c", "kept-1-1-64-tcg", disk], check=True)
    year = time.strftime("%Y")
    assert [one.detail.startswith(f"{files}; snapshot of {year}-") for one in empty.status()] == [True]
    disk.write_bytes(b"no disk")
    assert [(one.state, one.detail) for one in empty.status()] == [("stopped", files)]


@pytest.mark.usefixtures("done")
@needs_qemu
def test_up_names_running_machines_only_when_asked(empty: QemuMachines, capsys: pytest.CaptureFixture[str]) -> None:
    port = empty.up().hosts["vm1"].port
    assert "running at" not in capsys.readouterr().err
    empty.up()
    empty.up(tell=True)
    assert capsys.readouterr().err == f"vm1: running at 127.0.0.1:{port}\n"


@pytest.mark.usefixtures("done")
@needs_qemu
def test_a_half_made_machine_that_the_inventory_no_longer_names_does_no_harm(empty: QemuMachines) -> None:
    empty.folder.place("old").mkdir(parents=True)
    empty.up()
    assert empty.folder.known_hosts.read_text().count("\n") == 1
    assert [(one.name, one.state) for one in empty.status()] == [("vm1", "running"), ("old", "absent")]


@needs_qemu
def test_a_snapshot_sets_the_clock_afterwards(empty: QemuMachines, done: list[str]) -> None:
    empty.up()
    del done[:]
    empty.snapshot()
    assert done == ["qemu-img info", "clock vm1"]


@needs_qemu
def test_a_restore_looks_for_the_snapshot_once_and_sets_the_clock(empty: QemuMachines, done: list[str]) -> None:
    empty.up()
    empty.snapshot()
    del done[:]
    for act in (empty.restore, empty.down, empty.restore):
        act()
    assert done == ["qemu-img info", "login vm1", "clock vm1"] * 2
    assert [one.state for one in empty.status()] == ["running"]


@needs_qemu
def test_up_sets_the_clock_after_a_killed_restore(
    empty: QemuMachines, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.up()
    empty.snapshot()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "set_to_ours", lambda host: sys.exit(host.name))
        with pytest.raises(SystemExit):
            empty.restore()
    del done[:]
    empty.up()
    assert done == ["login vm1", "clock vm1"]


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
    assert host.emulated == (run(host, "systemd-detect-virt || true") == "qemu")


@pytest.mark.vm
def test_only_benchrigs_own_key_is_accepted(vm: QemuMachines) -> None:
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
def test_restore_brings_back_the_files_with_the_present_time(vm: QemuMachines) -> None:
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
def test_a_machine_suspended_by_hand_goes_on_with_the_time_of_now(vm: QemuMachines) -> None:
    vm.up()
    with Qmp("vm1", vm.folder.machine("vm1").path) as qmp:
        qmp.execute("stop")
    time.sleep(10)
    with pytest.raises(MachineError, match="not running: vm1"):
        vm.reach()
    assert abs(int(run(vm.up().hosts["vm1"], "date +%s")) - time.time()) < 5


@pytest.mark.vm
def test_a_killed_qemu_comes_up_again_with_what_was_written(vm: QemuMachines) -> None:
    run(vm.reach().hosts["vm1"], "sudo touch /etc/kept; sync")
    process.kill(vm.folder.machine("vm1").path)
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
