"""The kind `vagrant` for real: Vagrant with libvirt, as `./inv test --vm` runs it. Emulated, it takes some minutes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.machines.vagrant import libvirt
from benchrig.machines.vagrant.kind import VagrantMachines
from benchrig.remote import ssh
from tests.support.vagrant_clone import ROOT

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(
        not (shutil.which("vagrant") and any(map(os.path.exists, libvirt.SOCKETS))),
        reason="needs Vagrant and a running libvirt",
    ),
]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[VagrantMachines]:
    """Yield the machine of a clone whose path has a space; it is destroyed in the end."""
    root = tmp_path / "my clone"
    (root / "inventory").mkdir(parents=True)
    shutil.copy(ROOT / "Vagrantfile", root)
    variables = "{benchrig_machine: vagrant, benchrig_provider: libvirt}"
    (root / "inventory/vagrant.yml").write_text(f"all: {{vars: {variables}, hosts: {{vm1: }}}}\n")
    made = VagrantMachines(inventory.read("vagrant", root), root)
    yield made
    made.destroy()


def run(host: Host, command: str) -> str:
    """Run a shell command on a host that must succeed; return what it printed."""
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", command])
    assert done.code == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_a_machine_is_killed_while_it_is_made_then_made_saved_changed_restored_and_removed(
    machines: VagrantMachines,
) -> None:
    kill_up(machines)
    host = machines.up().hosts["vm1"]
    assert run(host, "nproc; hostname") == "4\nvm1"
    shared = Path(os.environ.get("VAGRANT_HOME", Path.home() / ".vagrant.d")) / "insecure_private_key"
    other = {**host.variables, "ansible_ssh_private_key_file": str(shared)}
    with pytest.raises(HostError, match="refused our key"):
        ssh.connect(Host(host.name, host.groups, other))
    machines.snapshot()
    run(host, "sudo touch /srv/changed")
    host = machines.restore().hosts["vm1"]
    assert run(host, "ls /srv") == ""
    assert abs(int(run(host, "date +%s")) - time.time()) < 10
    plan = machines.folder.plan()
    assert plan
    (machine,) = plan.machines
    subprocess.run(["virsh", "-c", "qemu:///system", "suspend", machine.unique_name], check=True)
    assert [one.state for one in machines.status()] == ["stopped"]
    run(machines.up().hosts["vm1"], "true")
    machines.destroy()
    listed = subprocess.run(
        ["virsh", "-c", "qemu:///system", "list", "--all", "--name"], capture_output=True, text=True, check=True
    )
    assert machine.unique_name not in listed.stdout


def kill_up(machines: VagrantMachines) -> None:
    """Bring the machine up in another process, and kill that with its Vagrant once libvirt runs the machine."""
    program = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from benchrig import inventory
from benchrig.machines import machines_of
root = Path(sys.argv[2])
machines_of(inventory.read("vagrant", root), root).up()
"""
    process = subprocess.Popen([sys.executable, "-c", program, str(ROOT), str(machines.root)], start_new_session=True)
    identity = machines.root / ".vagrant/machines/vagrant.vm1/libvirt/id"
    while not identity.exists() and process.poll() is None:
        time.sleep(0.2)
    time.sleep(5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "half made" in machines.status()[0].detail
