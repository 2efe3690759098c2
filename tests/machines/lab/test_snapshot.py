"""Snapshots of lab machines: restored whatever changed since, and whenever the program was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchrig.errors import MachineError
from benchrig.machines.lab import snapshot
from tests.support import ROOT
from tests.support.lab import MakeLab, run, traces

pytestmark = pytest.mark.lab


def test_restore_undoes_what_was_added_changed_moved_and_removed(make_lab: MakeLab) -> None:
    lab = make_lab("lab1", "lab2")
    hosts = lab.up().hosts
    run(hosts["lab1"], "mkdir /srv/folder; echo one > /srv/folder/file; ln /srv/folder/file /srv/link; rm /etc/issue.net")
    lab.snapshot()
    run(
        hosts["lab1"], "echo two > /srv/folder/file; rm /srv/link; mv /srv/folder /srv/moved; rm -r /etc/apt; touch /srv/new"
    )
    run(hosts["lab2"], "touch /srv/new")
    restored = lab.restore().hosts
    assert run(restored["lab1"], "cd /srv; ls; cat folder/file; stat -c %h link; ls -d /etc/apt/apt.conf.d").split() == [
        *("folder", "link", "one", "2", "/etc/apt/apt.conf.d")
    ]
    assert run(restored["lab1"], "ls /etc/issue.net || true") == ""
    assert run(restored["lab2"], "ls /srv") == ""
    assert run(restored["lab2"], "systemctl is-system-running --wait") == "running"


def test_a_snapshot_replaces_the_one_before_and_restores_as_often_as_wanted(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    host = lab.up().hosts["lab1"]
    run(host, "touch /srv/one")
    lab.snapshot()
    run(host, "rm /srv/one; touch /srv/two")
    lab.snapshot()
    for _ in range(2):
        run(host, "touch /srv/three")
        assert run(lab.restore().hosts["lab1"], "ls /srv") == "two"


def test_many_snapshots_become_one_layer_that_needs_no_image(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MOST_LAYERS", 2)
    lab = make_lab("lab1")
    host = lab.up().hosts["lab1"]
    for number in range(4):
        run(
            host,
            f"rm -f /etc/issue.net; touch /srv/{number}; chown 7 /srv/{number}",
        )
        lab.snapshot()
    run(host, "touch /srv/new")
    assert run(lab.restore().hosts["lab1"], "ls /srv; stat -c %u /srv/*; ls /etc/issue.net || true").split() == [
        *"0123",
        *"7777",
    ]
    assert len(lab.folder.machine("lab1").layers()) == 2
    lab.destroy()
    assert traces(lab) == []


def test_what_was_not_running_stays_so_after_a_snapshot_and_runs_after_restore(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    run(lab.up().hosts["lab1"], "touch /srv/kept")
    lab.down()
    lab.snapshot()
    assert [status.state for status in lab.status()] == ["stopped"]
    assert run(lab.restore().hosts["lab1"], "ls /srv") == "kept"


def test_without_a_machine_or_a_snapshot_nothing_is_touched_and_it_is_said(make_lab: MakeLab) -> None:
    lab = make_lab("lab1", "lab2")
    with pytest.raises(MachineError, match="not made yet: lab1, lab2") as error:
        lab.snapshot()
    assert "./inv up" in str(error.value.hint)
    make_lab("lab1").up()
    make_lab("lab1").snapshot()
    lab = make_lab("lab1", "lab2")
    run(lab.up().hosts["lab1"], "touch /srv/stays")
    with pytest.raises(MachineError, match="no snapshot of lab2") as error:
        lab.restore()
    assert "./inv up provision snapshot" in str(error.value.hint)
    assert run(lab.reach().hosts["lab1"], "ls /srv") == "stays"


@pytest.mark.parametrize("verb", ["snapshot", "restore"])
@pytest.mark.parametrize("seconds", [0.4, 0.7, 1.0, 1.4])
def test_killed_at_any_moment_the_machine_is_as_before_or_as_after(
    make_lab: MakeLab, tmp_path: Path, verb: str, seconds: float
) -> None:
    lab = make_lab("lab1")
    host = lab.up().hosts["lab1"]
    run(host, "touch /srv/kept")
    lab.snapshot()
    run(host, "touch /srv/since")
    kill_after(seconds, tmp_path / "clone", verb)
    states = (["kept"], ["kept", "since"])
    assert run(lab.up().hosts["lab1"], "ls /srv").split() in (states if verb == "restore" else states[1:])
    assert run(lab.restore().hosts["lab1"], "ls /srv").split() in states
    assert not (lab.folder.machine("lab1").path / snapshot.DROPPED).exists()


def kill_after(seconds: float, root: Path, verb: str) -> None:
    """Start to take a snapshot or to restore one, and kill that with all the programs it waits for after some time."""
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n"
        "from pathlib import Path\n"
        "from benchrig import inventory\n"
        "from benchrig.machines import machines_of\n"
        f"root = Path({str(root)!r})\n"
        f"machines_of(inventory.read('lab', root), root).{verb}()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
