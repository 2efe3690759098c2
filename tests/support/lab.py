"""Helpers for tests with a real lab: its inventory, its processes, and what is left of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchrig.inventory import Host
from benchrig.machines.lab import process as lab_process
from benchrig.machines.lab.kind import LabMachines
from benchrig.remote import ssh
from tests.support import ROOT

MakeLab = Callable[..., LabMachines]


def write_inventory(root: Path, names: Sequence[str]) -> None:
    """Write the inventory of a clone at `root` whose lab has machines of these names."""
    (root / "inventory").mkdir(parents=True, exist_ok=True)
    hosts = "".join(f"    {name}:\n" for name in names)
    (root / "inventory/lab.yml").write_text(f"all:\n  vars:\n    benchrig_machine: lab\n  hosts:\n{hosts}")


def run(host: Host, command: str) -> str:
    """Run a shell command on a host that must succeed; return what it printed."""
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", command])
    assert done.code == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def nspawn_of(lab: LabMachines, name: str) -> int:
    """Return the process of a machine's systemd-nspawn."""
    (pid,) = lab_process.find("systemd-nspawn", f"--directory={lab.folder.machine(name).root}")
    return pid


def up_command(root: Path) -> list[str]:
    """Return the command of another process that brings up the lab of a clone."""
    program = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from benchrig import inventory
from benchrig.machines import machines_of
root = Path(sys.argv[2])
machines_of(inventory.read("lab", root), root).up()
"""
    return [sys.executable, "-c", program, str(ROOT), str(root)]


def traces(lab: LabMachines) -> list[str]:
    """Return all on this machine that belongs to a lab: processes, mounts, interfaces, control groups, files."""
    path, name = str(lab.folder.path), lab.folder.path.name
    number = name.rpartition("-")[2]
    links = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    found = [f"process word {word}" for word in lab_process.words() if word.removeprefix("--directory=").startswith(path)]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if name in line]
    found += [line for line in links.splitlines() if name in line]
    for folder in ("/sys/fs/cgroup", "/run/systemd/nspawn", "/run/systemd/transient"):
        found += [str(path) for path in Path(folder).glob(f"**/*{number}*")]
    return found + ([path] if lab.folder.path.exists() else [])
