"""Virtual machines in plain QEMU: no root, no Vagrant, and nothing changed on the controller but one loopback port each.

A machine is reached through that port (QEMU's user networking). Machines do not reach each other.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.errors import InputError
from benchrig.files import write
from benchrig.inventory import Host, Inventory
from benchrig.machines import accelerator, clock, keys, naming, sizes
from benchrig.machines.accelerator import Name
from benchrig.machines.box import build
from benchrig.machines.box.files import USER
from benchrig.machines.controller import packages
from benchrig.machines.controller import settings as controller
from benchrig.machines.folder import MachineFolder, MachinesFolder, cache
from benchrig.machines.lifecycle import FolderLifecycle, Power
from benchrig.machines.parallel import each
from benchrig.machines.qemu import machine as qemu_machine
from benchrig.machines.qemu import process
from benchrig.machines.qemu import snapshot as qemu_snapshot
from benchrig.machines.qemu.machine import Hardware
from benchrig.machines.qemu.snapshot import Snapshot

PROGRAMS = {accelerator.QEMU: "qemu-system-x86", "qemu-img": "qemu-utils", "ssh-keygen": "openssh-client"}
"""Programs that the kind runs, and their Debian packages."""

INSTEAD = "Install QEMU with this system's package manager, such as `brew install qemu`."

EMULATED = "the machines are emulated and many times slower: measurements on them mean nothing"


class QemuFolder(MachinesFolder[MachineFolder]):
    """The folder of one inventory's machines."""

    def machine(self, name: str) -> MachineFolder:
        """Return the folder of a machine. It need not exist."""
        return MachineFolder(name, self.place(name))


class QemuMachines(FolderLifecycle[MachineFolder, Snapshot]):
    """The machines of an inventory of kind `qemu`. `root` is the clone that they belong to."""

    kind = "qemu"

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.root = root
        naming.check(inventory.hosts)
        self.folder = QemuFolder(cache() / "qemu" / naming.folder_name(inventory, root, cache()))

    def _check(self) -> None:
        packages.ensure(PROGRAMS, "a virtual machine", INSTEAD)

    def _powers(self, machines: Sequence[MachineFolder]) -> Mapping[str, Power]:
        return {machine.name: _power(machine) for machine in machines}

    def _exists(self, machine: MachineFolder) -> bool:
        return qemu_machine.disk(machine).exists()

    def _running_at(self, machine: MachineFolder) -> tuple[str, str]:
        state = qemu_machine.read_state(machine)
        return f"127.0.0.1:{state.port}", f"QEMU: {state.hardware}"

    def _reached(self) -> Inventory:
        inventory = self.inventory
        for name in inventory.hosts:
            inventory = inventory.with_variables(name, self._reached_host(name).variables)
        return inventory

    def _reached_host(self, name: str) -> Host:
        host = self.inventory.hosts[name]
        state = qemu_machine.read_state(self.folder.machine(name))
        variables = {
            "ansible_host": "127.0.0.1",
            "ansible_port": state.port,
            "ansible_user": USER,
            "ansible_become": True,
            "ansible_ssh_private_key_file": str(self.folder.key),
            "benchrig_known_hosts": str(self.folder.known_hosts),
            "benchrig_emulated": state.hardware is not None and state.hardware.accelerator == "tcg",
        }
        return replace(host, variables={**host.variables, **variables})

    def _start(self) -> None:
        began = time.monotonic()
        machines = [self.folder.machine(name) for name in self._not_up()]
        stopped = [machine for machine in machines if process.find(machine.path) is None]
        if stopped:
            fastest = accelerator.probe()
            if fastest.name == "tcg":
                console.warn(f"{EMULATED}: {fastest.reason}")
            settings = controller.read()
            for machine in stopped:
                hardware = self._hardware(machine.name, fastest.name)
                self._make(machine)
                qemu_machine.start(machine, hardware, settings, self.folder.key)
        for machine in machines:
            qemu_machine.resume(machine)
        # The others may have been suspended, or restored by a process that was killed before it set their clocks.
        self._wait(machines, began, set_clock=[machine for machine in machines if machine not in stopped])

    def _wait(self, machines: Collection[MachineFolder], began: float, set_clock: Collection[MachineFolder]) -> None:
        """Wait until machines accept our login, with their host keys pinned, and set the clocks of some."""
        # A machine that the inventory no longer names may be half made.
        made = [machine for machine in self.folder.machines() if machine.host_key.exists()]
        lines = [keys.known_host(one, f"[127.0.0.1]:{qemu_machine.read_state(one).port}") for one in made]
        write(self.folder.known_hosts, "".join(lines).encode())
        console.status(f"waiting for {', '.join(machine.name for machine in machines)}")

        def wait(machine: MachineFolder) -> None:
            host = self._reached_host(machine.name)
            qemu_machine.wait_for_login(machine, host)
            if machine in set_clock:
                clock.set_to_ours(host)
            machine.ready.touch()
            port = qemu_machine.read_state(machine).port
            console.line(f"{machine.name}: up at 127.0.0.1:{port}, {time.monotonic() - began:.1f} s")

        each(machines, wait)

    def _make(self, machine: MachineFolder) -> None:
        keys.make_key(self.folder.key, "benchrig")
        if not qemu_machine.disk(machine).exists():
            qemu_machine.make(machine, self._box(machine.name))

    def _box(self, name: str) -> Path:
        """Return the disk of the box that a machine is made from. Raises InputError when there is no such file."""
        named = str(self.inventory.hosts[name].variables.get("benchrig_box") or "")
        if not named:
            return build.build(cache()).disk
        path = (self.root / Path(named).expanduser()).resolve()
        if not path.is_file():
            raise InputError(
                f"benchrig_box of '{name}': there is no file {path}", "For the kind qemu, name the file box.qcow2 of a box."
            )
        return path

    def _hardware(self, name: str, accelerated: Name) -> Hardware:
        host = self.inventory.hosts[name]
        return Hardware(sizes.cpus(host), sizes.memory_mb(host), accelerated)

    def _stop_machine(self, machine: MachineFolder) -> None:
        qemu_machine.stop(machine)

    def _snapshot_of(self, machine: MachineFolder) -> Snapshot | None:
        return qemu_snapshot.newest(machine)

    def _take_snapshots(self) -> None:
        self._require_up()
        for machine in self._machines():
            began = time.monotonic()
            console.status(f"{machine.name}: writing its memory")
            qemu_snapshot.take(machine)
            # The machine stood still meanwhile.
            clock.set_to_ours(self._reached_host(machine.name))
            console.line(f"{machine.name}: snapshot taken, {time.monotonic() - began:.1f} s")

    def _restore_machines(self, snapshots: Mapping[MachineFolder, Snapshot]) -> None:
        began = time.monotonic()
        settings = controller.read()
        for machine, snapshot in snapshots.items():
            console.status(f"{machine.name}: reading its memory")
            hardware = snapshot.hardware
            if process.find(machine.path) is not None and qemu_machine.read_state(machine).hardware == hardware:
                qemu_snapshot.restore(machine, snapshot)
            else:
                qemu_machine.stop(machine)
                qemu_machine.start(machine, hardware, settings, self.folder.key, snapshot.name)
                if hardware.accelerator == "tcg":
                    console.warn(EMULATED)
        self._wait(snapshots, began, set_clock=snapshots)


def _power(machine: MachineFolder) -> Power:
    if process.find(machine.path) is None:
        return "off"
    return "up" if qemu_machine.is_up(machine) else "starting"
