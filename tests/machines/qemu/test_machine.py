"""One virtual machine in plain QEMU: its command line, its process, its monitor, its snapshots.

Shown with a real QEMU whose disk is empty: the machine finds nothing to boot, and all else is as it is.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.errors import MachineError
from benchrig.machines import keys
from benchrig.machines.accelerator import QEMU
from benchrig.machines.folder import MachineFolder
from benchrig.machines.qemu import machine as qemu_machine
from benchrig.machines.qemu import process as qemu_process
from benchrig.machines.qemu import snapshot as qemu_snapshot
from benchrig.machines.qemu.machine import Hardware
from benchrig.machines.qemu.qmp import Qmp
from benchrig.machines.qemu.snapshot import Snapshot
from tests.support.machines import SETTINGS
from tests.support.qemu import SMALL, needs_qemu

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


def start(machine: MachineFolder, snapshot: Snapshot | None = None, hardware: Hardware = SMALL) -> None:
    key = machine.path.parent.parent / "key"
    qemu_machine.start(machine, hardware, SETTINGS, key, snapshot.name if snapshot else "")


def is_running(machine: MachineFolder) -> bool:
    with Qmp("vm1", machine.path) as qmp:
        return bool(qmp.execute("query-status")["running"])


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


# As one that is killed: its first thread has ended, and another, which ends after it, still has its files.
ENDING = """
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
print(flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60}.get(platform.machine(), 93), 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_wait_for_a_killed_process_lasts_until_it_holds_no_files(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDING], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        qemu_process.pid_file(tmp_path).write_text(f"{process.pid}\n")
        while Path(f"/proc/{process.pid}/cmdline").read_bytes():
            pass
        assert qemu_process.find(tmp_path) is None
        assert not qemu_process.wait(tmp_path, 0.2)
        process.kill()
        # Nobody has asked for its exit code yet.
        assert qemu_process.wait(tmp_path, 10)
    assert qemu_process.wait(tmp_path, 0)


@needs_qemu
def test_a_machine_keeps_its_port_unless_it_is_taken(machine: MachineFolder) -> None:
    start(machine)
    port = qemu_machine.read_state(machine).port
    qemu_machine.stop(machine)
    start(machine)
    assert qemu_machine.read_state(machine).port == port
    qemu_machine.stop(machine)
    with socket.create_server(("127.0.0.1", port)):
        start(machine)
        assert qemu_machine.read_state(machine).port not in (0, port)


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
    assert str(caught.value.hint) == "Make the machine anew: ./inv destroy up"


@needs_qemu
def test_the_seed_is_readable_by_its_owner_alone(machine: MachineFolder) -> None:
    start(machine)
    assert (machine.path / "seed.tar").stat().st_mode & 0o777 == 0o600
    assert machine.host_key.stat().st_mode & 0o777 == 0o600


@needs_qemu
def test_a_qemu_that_ends_at_once_gives_its_message(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"^vm1: QEMU ended at once: unsupported machine type"):
        qemu_process.start("vm1", tmp_path, [QEMU, "-machine", "no-such-machine"])


# Snapshots


@needs_qemu
def test_a_snapshot_replaces_the_former_and_is_restored_running_or_not(machine: MachineFolder) -> None:
    start(machine)
    assert qemu_snapshot.newest(machine) is None
    qemu_snapshot.take(machine)
    qemu_snapshot.take(machine)
    kept = Snapshot(2, SMALL)
    assert qemu_snapshot._listed(machine) == [kept]
    qemu_snapshot.restore(machine, kept)
    assert is_running(machine)
    qemu_machine.stop(machine)
    assert qemu_snapshot.newest(machine) == kept
    start(machine, kept)
    assert is_running(machine)


@needs_qemu
def test_a_snapshot_for_other_hardware_gives_qemus_message(machine: MachineFolder) -> None:
    start(machine)
    qemu_snapshot.take(machine)
    qemu_machine.stop(machine)
    with pytest.raises(MachineError, match="vm1: QEMU ended at once: "):
        start(machine, Snapshot(1, SMALL), replace(SMALL, memory_mb=128))


@needs_qemu
def test_a_restored_machine_is_up_only_after_its_clock_was_set(machine: MachineFolder) -> None:
    start(machine)
    qemu_snapshot.take(machine)
    machine.ready.touch()
    qemu_snapshot.restore(machine, Snapshot(1, SMALL))
    assert not qemu_machine.is_up(machine)


@needs_qemu
def test_a_machine_starts_again_after_its_qemu_was_killed(machine: MachineFolder) -> None:
    start(machine)
    qemu_snapshot.take(machine)
    pid = qemu_process.find(machine.path)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert qemu_process.wait(machine.path, 10)
    assert not qemu_machine.is_up(machine)
    start(machine, qemu_snapshot.newest(machine))
    assert qemu_process.find(machine.path) not in (None, pid)


@needs_qemu
def test_jobs_of_a_killed_process_are_awaited_and_dismissed(machine: MachineFolder) -> None:
    start(machine)
    disk = {"devices": ["disk"]}
    for command, arguments in (
        ("snapshot-save", {"tag": Snapshot(1, SMALL).name, "vmstate": "disk"}),
        ("snapshot-load", {"tag": Snapshot(1, SMALL).name, "vmstate": "disk"}),
        ("snapshot-delete", {"tag": "is not there"}),
    ):
        # As a process does that is killed then: it begins the job and hangs up.
        with Qmp("vm1", machine.path) as qmp:
            qmp.execute(command, {"job-id": command, **disk, **arguments})
    qemu_snapshot.take(machine)
    assert qemu_snapshot._listed(machine) == [Snapshot(2, SMALL)]
    qemu_snapshot.restore(machine, Snapshot(2, SMALL))
    with Qmp("vm1", machine.path) as qmp:
        assert qmp.execute("query-jobs") == []


class KilledError(BaseException):
    """Stands for our own end: nothing that we would still do is done."""


@pytest.mark.parametrize("step", range(4), ids=["before saving", "saved", "before deleting", "deleted"])
@needs_qemu
def test_a_kill_at_any_moment_leaves_a_snapshot_with_its_hardware(
    machine: MachineFolder, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    start(machine)
    qemu_snapshot.take(machine)
    qemu_machine.stop(machine)
    larger = replace(SMALL, memory_mb=128)
    start(machine, hardware=larger)
    execute, steps = Qmp.execute, iter(range(4))

    def killed(qmp: Qmp, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        if command in ("snapshot-save", "snapshot-delete", "job-dismiss") and next(steps) == step:
            raise KilledError
        return execute(qmp, command, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Qmp, "execute", killed)
        with pytest.raises(KilledError):
            qemu_snapshot.take(machine)
    left = qemu_snapshot.newest(machine)
    assert left == (Snapshot(2, larger) if step else Snapshot(1, SMALL))
    qemu_snapshot.take(machine)
    assert qemu_snapshot.newest(machine) == Snapshot(left.number + 1, larger)
    qemu_process.kill(machine.path)
    start(machine, qemu_snapshot.newest(machine), larger)
    assert is_running(machine)
