"""The lab where systemd is PID 1 of the controller, and on a fresh one: shown in a lab machine, which is both."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.remote import ssh
from benchrig.remote.channel import Completed
from benchrig.remote.ssh import Remote
from tests.support.clone import copy_project
from tests.support.lab import MakeLab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

# The inner lab's cache must not lie on the overlay that is the controller's root.
INNER = "cd /srv/clone && export XDG_CACHE_HOME=/dev/shm"
SSH = "set -- /dev/shm/benchrig/labs/lab-*; ssh -i $1/key -o UserKnownHostsFile=$1/known_hosts"


@pytest.fixture
def controller(make_lab: MakeLab, tmp_path: Path) -> Iterator[Remote]:
    """Yield a connection to a fresh Debian 12 machine with systemd, with a clean clone on it."""
    with ssh.connect(make_lab("controller").up().hosts["controller"]) as remote:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            archive.add(copy_project(tmp_path / "copy").root, "clone")
        must(remote, "tar -xz -C /srv --no-same-owner", buffer.getvalue())
        yield remote


def run(remote: Remote, command: str, stdin: bytes = b"") -> Completed:
    return remote.run(["sh", "-c", command], stdin=stdin, timeout=300)


def must(remote: Remote, command: str, stdin: bytes = b"") -> str:
    """Run a command that must succeed; return what it printed, on either stream."""
    done = run(remote, f"exec 2>&1; {command}", stdin)
    assert done.code == 0, done.stdout.decode()
    return done.stdout.decode()


def test_on_a_fresh_machine_with_systemd_the_lab_installs_what_it_needs_and_runs_as_units(controller: Remote) -> None:
    before = must(controller, "ip -o link; ip route; cat /proc/mounts")
    said = must(controller, f"{INNER} && ./inv up")
    assert "installing mmdebstrap slirp4netns systemd-container on this machine" in said
    assert "lab1: up at " in said

    units = must(controller, "systemctl list-units --plain --no-legend 'benchrig-*'")
    assert [line.split()[2] for line in units.splitlines()] == ["active", "active"]
    assert must(controller, f"{SSH} $(cut -d' ' -f1 $1/known_hosts) systemctl is-system-running --wait").strip() == "running"
    must(controller, f"{SSH} $(cut -d' ' -f1 $1/known_hosts) apt-get -q update")

    must(controller, "systemctl kill --signal=KILL --kill-who=main 'benchrig-*-lab1.service'")
    assert "lab1: up at " in must(controller, f"{INNER} && sleep 1 && ./inv up")

    must(controller, f"{INNER} && ./inv destroy")
    assert must(controller, "systemctl list-units --all --plain --no-legend 'benchrig-*'") == ""
    assert must(controller, "ip -o link; ip route; cat /proc/mounts") == before
    assert must(controller, "ls /dev/shm/benchrig").split() == ["images"]
