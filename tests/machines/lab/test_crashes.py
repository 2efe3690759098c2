"""A lab that was killed at any moment can be brought up again, and removed without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import MachineError
from benchrig.machines.lab import process as lab_process
from benchrig.machines.lab.kind import LabMachines
from tests.support.lab import MakeLab, nspawn_of, run, traces, up_command, write_inventory

pytestmark = pytest.mark.lab


def test_destroy_removes_every_trace(make_lab: MakeLab) -> None:
    lab = make_lab("lab1", "lab2")
    lab.up()
    assert len(traces(lab)) > 8
    lab.destroy()
    assert traces(lab) == []


@pytest.mark.parametrize("seconds", [0.1, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4])
def test_up_killed_at_any_moment_can_be_destroyed(tmp_path: Path, seconds: float) -> None:
    root = tmp_path / "clone"
    write_inventory(root, ["lab1", "lab2"])
    lab = LabMachines(inventory.read("lab", root), root)
    kill_after(seconds, root)
    lab.destroy()
    assert traces(lab) == []


@pytest.mark.parametrize("seconds", [0.6, 0.9, 1.2])
def test_up_killed_at_any_moment_can_be_repeated(make_lab: MakeLab, tmp_path: Path, seconds: float) -> None:
    lab = make_lab("lab1", "lab2")
    kill_after(seconds, tmp_path / "clone")
    hosts = lab.up().hosts
    assert run(hosts["lab1"], "systemctl is-system-running --wait") == "running"
    lab.destroy()
    assert traces(lab) == []


def kill_after(seconds: float, root: Path) -> None:
    """Start to bring up a lab, and kill that with all the programs it waits for after some time."""
    process = subprocess.Popen(up_command(root), start_new_session=True, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_machine_outlives_the_process_that_brought_it_up(make_lab: MakeLab, tmp_path: Path) -> None:
    lab = make_lab("lab1")
    process = subprocess.Popen(up_command(tmp_path / "clone"), start_new_session=True, stderr=subprocess.DEVNULL)
    assert process.wait() == 0
    assert os.getsid(nspawn_of(lab, "lab1")) != process.pid
    assert run(lab.reach().hosts["lab1"], "hostname") == "lab1"


def test_a_machine_whose_systemd_nspawn_was_killed_starts_again(make_lab: MakeLab) -> None:
    lab = make_lab("lab1", "lab2")
    hosts = lab.up().hosts
    run(hosts["lab1"], "echo kept > /srv/file")
    other = nspawn_of(lab, "lab2")
    os.kill(nspawn_of(lab, "lab1"), signal.SIGKILL)
    wait_for_state(lab, "lab1", "stopped")
    assert run(lab.up().hosts["lab1"], "cat /srv/file") == "kept"
    assert nspawn_of(lab, "lab2") == other


def test_a_machine_whose_systemd_nspawn_was_killed_is_destroyed_with_all_its_processes(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    run(lab.up().hosts["lab1"], "systemd-run --quiet sleep 98765")
    os.kill(nspawn_of(lab, "lab1"), signal.SIGKILL)
    wait_for_state(lab, "lab1", "stopped")
    lab.destroy()
    assert traces(lab) == []
    assert "98765" not in lab_process.words()


def wait_for_state(lab: LabMachines, name: str, state: str) -> None:
    deadline = time.monotonic() + 5
    while {status.name: status.state for status in lab.status()}[name] != state:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_gateway_starts_again_without_a_restart_of_the_machines(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    host = lab.up().hosts["lab1"]
    pid = nspawn_of(lab, "lab1")
    (gateway,) = lab_process.find("slirp4netns", str(lab.folder.namespace))
    os.kill(gateway, signal.SIGKILL)
    lab.up()
    assert nspawn_of(lab, "lab1") == pid
    run(host, "apt-get -q update")


def test_a_lab_whose_interface_was_deleted_comes_up_anew(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    lab.up()
    subprocess.run(["nsenter", f"--net={lab.folder.namespace}", "ip", "link", "delete", "outer"], check=True)
    lab.down()
    assert run(lab.up().hosts["lab1"], "hostname") == "lab1"


def test_a_machine_whose_image_is_gone_says_what_to_do(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    lab.up()
    lab.down()
    lab.folder.machine("lab1").image.write_text("bookworm-0000")
    with pytest.raises(MachineError, match="root image bookworm-0000 is no longer in the cache") as error:
        lab.up()
    assert str(error.value.hint) == "Make the machine anew: ./inv destroy up"


def test_an_image_that_cannot_be_made_says_why_and_leaves_nothing(
    make_lab: MakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    with pytest.raises(MachineError, match=r"the root image cannot be made: Failed to fetch .*127\.0\.0\.1:9"):
        make_lab("lab1").up()
    assert list((tmp_path / "a cache/benchrig/images").iterdir()) == []
