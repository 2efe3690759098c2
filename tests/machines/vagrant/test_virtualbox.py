"""The VirtualBox provider, driven by the real Vagrant against a recorder that answers as VBoxManage does.

No virtual machine runs, so this shows what VirtualBox would be told, by names that its manual has; not that it does it. The
recorder is tests/cases/vboxmanage, the SSH server in the machine's place tests/cases/guest.py.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.machines.vagrant.kind import VagrantMachines
from tests.support import CASES
from tests.support.guest import Guest
from tests.support.vagrant_clone import ROOT

pytestmark = [pytest.mark.vm, pytest.mark.skipif(not shutil.which("vagrant"), reason="Vagrant is not installed")]

FORWARDED = 2222
"""The port that Vagrant forwards to a machine's sshd when it is free."""

PROVIDER_SETTINGS = {
    "name",
    "cpus",
    "memory",
    "default_nic_type",
    "check_guest_additions",
    "customize",
    "gui",
    "linked_clone",
}
"""Settings of Vagrant's provider virtualbox, as its documentation has them (Providers, VirtualBox, Configuration)."""


@dataclass
class VirtualBox:
    """What stands for VirtualBox: the recorder's folder, and the clone whose machines it pretends to have."""

    folder: Path
    root: Path

    def machines(self, hosts: str = "{vm1: }", limit: str = "vm1") -> VagrantMachines:
        """Return machines of an inventory with these hosts, of which one is meant: the recorder has only one."""
        variables = json.dumps({"benchrig_machine": "vagrant", "benchrig_box": str(self.folder / "a box.box")})
        (self.root / "inventory/vagrant.yml").write_text(f"all: {{vars: {variables}, hosts: {hosts}}}\n")
        return VagrantMachines(inventory.read("vagrant", self.root).limit(limit), self.root)

    def calls(self, command: str) -> list[list[str]]:
        """Return the arguments of each call of a command of VBoxManage, without the machine's name."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        return [words[2:] for words in map(json.loads, lines) if words[0] == command]

    def settings(self) -> dict[str, str]:
        """Return the arguments of modifyvm by option; for a rule of port forwarding, the last one."""
        pairs: dict[str, str] = {}
        for words in self.calls("modifyvm"):
            pairs |= dict(zip(words[::2], words[1::2], strict=False))
        return pairs

    def state(self) -> dict[str, object]:
        """Return the state of the machine that there is said to be."""
        found: dict[str, object] = json.loads((self.folder / "state.json").read_text())
        return found


@pytest.fixture
def virtualbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VirtualBox:
    """Return what stands for VirtualBox, with a box that has nothing in it."""
    made = VirtualBox(tmp_path / "recorder", tmp_path / "my clone")
    (made.root / "inventory").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    made.folder.mkdir()
    shutil.copy(ROOT / "Vagrantfile", made.root)
    shutil.copy(CASES / "vboxmanage", tmp_path / "bin/VBoxManage")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("VBOXMANAGE_RECORDER", str(made.folder))
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant home"))
    files = {
        "metadata.json": '{"provider": "virtualbox"}',
        "box.ovf": "<Envelope/>",
        "Vagrantfile": 'Vagrant.configure("2") { |config| config.vm.base_mac = "080027AABBCC" }\n',
    }
    with tarfile.open(made.folder / "a box.box", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return made


@pytest.fixture
def guest(virtualbox: VirtualBox) -> Iterator[Guest]:
    """Yield what stands for the machine's sshd, while the machine runs."""
    with Guest(FORWARDED, after=virtualbox.folder / "started") as one:
        yield one


def test_virtualbox_gets_the_sizes_the_name_and_the_settings_of_the_plan(virtualbox: VirtualBox, guest: Guest) -> None:
    host = virtualbox.machines().up().hosts["vm1"]
    assert (host.address, host.port, host.user) == ("127.0.0.1", FORWARDED, "vagrant")
    settings = virtualbox.settings()
    assert (settings["--cpus"], settings["--memory"], settings["--ioapic"]) == ("4", "4096", "on")
    assert settings["--nictype1"] == "virtio"
    assert settings["--natpf1"] == f"ssh,tcp,127.0.0.1,{FORWARDED},,22"
    assert "--nic2" not in settings or settings["--nic2"] == "none"
    assert re.fullmatch(r"benchrig-[0-9a-f]{10}-vagrant\.vm1", settings["--name"])
    assert virtualbox.calls("startvm") == [["--type", "headless"]]
    # The shared key was replaced: the first that logged in is not the last.
    assert guest.keys[0] != guest.keys[-1]
    assert host.key_file == virtualbox.root / ".vagrant/machines/vagrant.vm1/virtualbox/private_key"


@pytest.mark.usefixtures("guest")
def test_several_machines_get_a_network_of_their_own(virtualbox: VirtualBox) -> None:
    hosts = virtualbox.machines("{vm1: , vm2: , vm3: }").up().hosts
    settings = virtualbox.settings()
    assert (settings["--nic2"], settings["--nictype2"]) == ("intnet", "virtio")
    assert re.fullmatch(r"benchrig-[0-9a-f]{10}", settings["--intnet2"])
    assert hosts["vm1"].variables["benchrig_address"] == "10.213.255.11"


def test_a_machine_is_stopped_saved_restored_and_removed(virtualbox: VirtualBox, guest: Guest) -> None:
    machines = virtualbox.machines()
    machines.up()
    machines.snapshot()
    assert virtualbox.state()["snapshots"] == {"benchrig": "running"}
    machines.snapshot()
    machines.down()
    assert [one.state for one in machines.status()] == ["stopped"]
    machines.restore()
    assert virtualbox.state()["state"] == "running"
    assert ["restore", "benchrig"] in virtualbox.calls("snapshot")
    assert any("date --utc --set=@" in command for command in guest.commands)
    machines.destroy()
    assert virtualbox.calls("unregistervm") == [["--delete"]]
    assert virtualbox.state() == {}
    assert not (virtualbox.root / ".vagrant").exists()


@pytest.mark.parametrize("state", ["saved", "paused", "poweroff", "aborted", "gurumeditation"])
@pytest.mark.usefixtures("guest")
def test_a_machine_in_any_state_comes_up(virtualbox: VirtualBox, state: str) -> None:
    machines = virtualbox.machines()
    machines.up()
    (virtualbox.folder / "state.json").write_text(json.dumps({**virtualbox.state(), "state": state}))
    (virtualbox.folder / "started").unlink()
    assert [one.state for one in machines.status()] == ["stopped"]
    machines.up()
    assert virtualbox.state()["state"] == "running"


@pytest.mark.usefixtures("guest")
def test_a_machine_in_virtualbox_that_vagrant_does_not_know_is_removed(virtualbox: VirtualBox) -> None:
    machines = virtualbox.machines()
    machines.up()
    shutil.rmtree(virtualbox.root / ".vagrant")
    machines.folder.write_known({})
    machines.up()
    assert virtualbox.calls("unregistervm") == [["--delete"]]


def test_the_vagrantfile_uses_settings_that_vagrant_documents() -> None:
    text = (ROOT / "Vagrantfile").read_text()
    assert set(re.findall(r"\bvb\.(\w+)", text)) <= PROVIDER_SETTINGS


def test_the_recorder_refuses_what_virtualbox_does_not_have(virtualbox: VirtualBox) -> None:
    import subprocess

    for words in (["modifyvm", "x", "--cpu", "4"], ["modifyvm", "x", "--ioapic", "yes"], ["modifyvm", "x", "--nic9", "nat"]):
        done = subprocess.run(["VBoxManage", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("VBoxManage: error: ")
    assert virtualbox.calls("modifyvm")
