"""A clone for tests of Vagrant, in a folder with a space in its name, with stand-ins for real programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchrig import inventory
from benchrig.machines.vagrant.folder import Known
from benchrig.machines.vagrant.kind import VagrantMachines
from tests.support import CASES, ROOT
from tests.support.guest import Guest

RECORDINGS = CASES / "vagrant"

ANSWERS = {"ssh_config": "ssh-config", "snapshot_save": "snapshot save"}

UP = "up vagrant.vm1 --provider libvirt --no-provision"
DESTROY = "destroy --force vagrant.vm1"


class Clone:
    """A clone in which a player of recordings stands in for Vagrant. Real Vagrant, VirtualBox and libvirt are hidden."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "my clone"
        self.bin = folder / "bin"
        self.player = folder / "player"
        system = folder / "system"
        for path in (self.root / "inventory", self.bin, self.player, system):
            path.mkdir(parents=True)
        (system / "rm").symlink_to(str(shutil.which("rm")))
        shutil.copy(ROOT / "Vagrantfile", self.root)
        self.program("vagrant", RECORDINGS / "player")
        self.vagrant()
        monkeypatch.setattr("benchrig.machines.command.PATH", str(system))
        monkeypatch.setattr("benchrig.machines.vagrant.libvirt.SOCKETS", ())
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}{system}")
        monkeypatch.setenv("VAGRANT_PLAYER", str(self.player))
        monkeypatch.setenv("VAGRANT_RECORDINGS", str(RECORDINGS))
        monkeypatch.setenv("VAGRANT_HOME", str(folder / "vagrant home"))

    def program(self, name: str, source: Path | None = None) -> None:
        """Put a program on the PATH. Without a source it does nothing."""
        text = source.read_text(encoding="utf-8") if source else "\n"
        # In Python, of the tests' own environment whatever PATH is.
        (self.bin / name).write_text(f"#!{sys.executable}\n{text.partition(chr(10))[2]}", encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def vagrant(self, **recordings: str | Sequence[str]) -> None:
        """Set Vagrant's answer to each command: a recording for each call, the last one repeated. Forgets earlier calls."""
        found = {
            ANSWERS.get(command, command): [given] if isinstance(given, str) else list(given)
            for command, given in recordings.items()
        }
        (self.player / "answers.json").write_text(json.dumps(found))
        (self.player / "calls.jsonl").write_text("")

    def calls(self) -> list[dict[str, Any]]:
        """Return Vagrant's calls, in their order."""
        return [json.loads(line) for line in (self.player / "calls.jsonl").read_text().splitlines()]

    def done(self) -> list[str]:
        """Return Vagrant's commands in their order, without those that only ask for state."""
        words = [call["argv"] for call in self.calls()]
        assert all(argv[-1] == "--machine-readable" for argv in words)
        return [" ".join(argv[:-1]) for argv in words if argv[0] not in ("status", "ssh-config")]

    def machines(
        self, hosts: str = "{vm1: }", *, limit: str = "", name: str = "vagrant", **variables: object
    ) -> VagrantMachines:
        """Return the machines of an inventory with these hosts and variables."""
        values = json.dumps({"benchrig_machine": "vagrant", "benchrig_box": "some/box", **variables})
        (self.root / f"inventory/{name}.yml").write_text(f"all: {{vars: {values}, hosts: {hosts}}}\n")
        read = inventory.read(name, self.root)
        return VagrantMachines(read.limit(limit) if limit else read, self.root)

    def plan(self, name: str = "vagrant") -> dict[str, Any]:
        """Return the plan that the Vagrantfile reads."""
        found: dict[str, Any] = json.loads((self.root / f".benchrig/vagrant/{name}/plan.json").read_text())
        return found

    def note(self, machines: VagrantMachines, **known: Known) -> None:
        """Write what is known about machines."""
        machines.folder.path.mkdir(parents=True, exist_ok=True)
        machines.folder.write_known(known)


def make_key(clone: Clone) -> None:
    """Make the key that Vagrant would make for the machine."""
    path = clone.root / ".vagrant/machines/vagrant.vm1/libvirt/private_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def running(clone: Clone, guest: Guest) -> Known:
    """Make Vagrant's files of a machine that exists, and return what is known about it."""
    make_key(clone)
    identity = clone.root / ".vagrant/machines/vagrant.vm1/libvirt/id"
    identity.write_text("id-1")
    key = f"{guest.host_key.get_name()} {guest.host_key.get_base64()}"
    return Known(False, "id-1", key, "127.0.0.1", guest.port, "vagrant", str(identity.with_name("private_key")))
