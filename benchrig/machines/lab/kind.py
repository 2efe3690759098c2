"""The lab: Debian 12 machines in systemd-nspawn on this computer, as many as the inventory names.

All of a lab is in one folder of the cache and behind one network interface. The process list shows what runs, so a lab that
was killed at any moment can be brought up again, or removed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.files import write
from benchrig.inventory import Inventory
from benchrig.machines import keys
from benchrig.machines.controller import settings as controller
from benchrig.machines.controller.settings import Settings
from benchrig.machines.lab import image, process, requirements
from benchrig.machines.lab import machine as lab_machine
from benchrig.machines.lab import network as lab_network
from benchrig.machines.lab import snapshot as lab_snapshot
from benchrig.machines.lab.folder import LabFolder, LabMachine, lab_of
from benchrig.machines.lab.machine import Setup
from benchrig.machines.lab.snapshot import Snapshot
from benchrig.machines.lifecycle import FolderLifecycle, Power, not_made
from benchrig.machines.parallel import each


class LabMachines(FolderLifecycle[LabMachine, Snapshot]):
    """The machines of an inventory of kind `lab`. `root` is the clone that they belong to."""

    kind = "lab"

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.folder: LabFolder = lab_of(inventory, root)

    def _check(self) -> None:
        requirements.check()

    def _powers(self, machines: Sequence[LabMachine]) -> Mapping[str, Power]:
        words = process.words()
        return {machine.name: _power(machine, words) for machine in machines}

    def _all_up(self) -> bool:
        return not self._not_up() and lab_network.has_gateway(self.folder)

    def _exists(self, machine: LabMachine) -> bool:
        return machine.exists

    def _running_at(self, machine: LabMachine) -> tuple[str, str]:
        return self.folder.state().address(machine.name), "systemd-nspawn on this computer"

    def _reached(self) -> Inventory:
        inventory, state = self.inventory, self.folder.state()
        for name in self.inventory.hosts:
            inventory = inventory.with_variables(
                name,
                {
                    "ansible_host": state.address(name),
                    "ansible_port": 22,
                    "ansible_user": "root",
                    "ansible_ssh_private_key_file": str(self.folder.key),
                    "benchrig_known_hosts": str(self.folder.known_hosts),
                },
            )
        return inventory

    def _start(self) -> None:
        settings = controller.read()
        self._prepare(map(self.folder.machine, self._not_up()), settings)
        if lab_network.network_of(self.folder) is None:
            # Nobody can reach machines that run without the lab's network: they start with the others.
            each(self.folder.machines(), lab_machine.stop)
        stopped = [self.folder.machine(name) for name in self._not_up()]
        requirements.check_capacity(len(stopped))
        state = self.folder.state().with_machines(self.inventory.hosts)
        network = lab_network.open_lab(self.folder, state.subnet, settings.uses_loopback)
        self.folder.write_state(replace(state, subnet=str(network.subnet)))
        setup = Setup(self.folder, network, state.numbers, settings)
        self._pin(setup)
        for machine in self.folder.machines():
            if machine not in stopped:
                lab_machine.write_hosts(machine, setup)
        each(stopped, lambda machine: _boot(machine, setup))

    def _prepare(self, machines: Iterable[LabMachine], settings: Settings) -> None:
        """Make what machines keep until they are destroyed: folder, image, keys."""
        keys.make_key(self.folder.key, "benchrig")
        for machine in machines:
            machine.path.mkdir(parents=True, exist_ok=True)
            if not machine.image.exists():
                write(machine.image, image.make(settings).name.encode())
            keys.make_key(machine.host_key, machine.name)

    def _pin(self, setup: Setup) -> None:
        # A machine that the inventory no longer names may be half made.
        made = [one for one in self.folder.machines() if one.host_key.exists() and one.name in setup.numbers]
        lines = [keys.known_host(machine, setup.address(machine.name)) for machine in made]
        write(self.folder.known_hosts, "".join(lines).encode())

    def _stop(self) -> list[str]:
        stopped = super()._stop()
        lab_network.close_lab(self.folder)
        return stopped

    def _stop_machine(self, machine: LabMachine) -> None:
        lab_machine.stop(machine)

    def _snapshot_of(self, machine: LabMachine) -> Snapshot | None:
        return lab_snapshot.of(machine)

    def _take_snapshots(self) -> None:
        machines = self._machines()
        if missing := [machine.name for machine in machines if not machine.exists]:
            raise not_made(missing)
        running = any(power != "off" for power in self._powers(machines).values())
        each(machines, lab_snapshot.take)
        if running:
            self._start()

    def _restore_machines(self, snapshots: Mapping[LabMachine, Snapshot]) -> None:
        each(snapshots, lab_snapshot.restore)
        self._start()
        each(snapshots, lab_snapshot.clean)


def _power(machine: LabMachine, words: set[str]) -> Power:
    if lab_machine.mark(machine) not in words:
        return "off"
    return "up" if machine.ready.exists() else "starting"


def _boot(machine: LabMachine, setup: Setup) -> None:
    console.status(f"{machine.name}: booting")
    started = time.monotonic()
    lab_machine.start(machine, setup)
    console.line(f"{machine.name}: up at {setup.address(machine.name)}, {time.monotonic() - started:.1f} s")
