"""The embedded lab: Debian 12 machines in systemd-nspawn on this very machine, as many as the inventory names.

All of a lab lies in one folder of the cache and hangs on one interface. What is running is seen in the process list, so a
lab that was killed half-way can always be brought up again, or removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.errors import Hint, Inv, MachineError
from benchrig.files import write
from benchrig.inventory import Inventory
from benchrig.machines import keys
from benchrig.machines.base import MachineStatus, told_running, with_snapshot
from benchrig.machines.controller import settings as outer
from benchrig.machines.controller.settings import Outer
from benchrig.machines.folder import remove
from benchrig.machines.lab import image, process, requirements
from benchrig.machines.lab import machine as lab_machine
from benchrig.machines.lab import network as lab_network
from benchrig.machines.lab import snapshot as lab_snapshot
from benchrig.machines.lab.folder import LabMachine, lab_of
from benchrig.machines.lab.machine import Plan
from benchrig.machines.parallel import each


class LabMachines:
    """The machines of an inventory of kind `lab`. `root` is the clone they belong to."""

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.lab = lab_of(inventory, root)

    def up(self, *, tell: bool = False) -> Inventory:
        """Start what is not running and wait until each machine's sshd answers. Raises MachineError."""
        if self._complete():
            return told_running(self.reach(), tell)
        requirements.check()
        with self.lab.locked():
            # Another process may have done it while we waited.
            if not self._complete():
                self._start()
        return self.reach()

    def down(self) -> None:
        """Power off every machine of the lab and take its network down. Raises MachineError."""
        if self._is_absent():
            return
        requirements.check()
        with self.lab.locked():
            self._stop()

    def destroy(self) -> None:
        """Stop the lab and remove all of it but the root image. Raises MachineError when something stays."""
        if self._is_absent():
            return
        requirements.check()
        with self.lab.locked():
            self._stop()
            console.status("removing what was on them")
            remove(self.lab.path)
            console.status("")
        with suppress(OSError):
            self.lab.path.parent.rmdir()
        console.line("lab: destroyed")

    def snapshot(self) -> None:
        """Keep every machine's state; when any runs, all are started again. Raises MachineError."""
        machines = self._made("made", Hint("Make it first: ", Inv("up")), lambda machine: machine.exists)
        with self.lab.locked():
            words = process.words()
            running = any(lab_machine.mark(machine) in words for machine in machines)
            each(machines, lab_snapshot.take)
            if running:
                self._start()
        console.line(f"lab: kept {', '.join(machine.name for machine in machines)} as now; back to it: ./inv restore")

    def restore(self) -> Inventory:
        """Bring every machine back to its snapshot and start it. Raises MachineError, before anything, when one has none."""
        machines = self._made(
            "kept", Hint("Keep them as they are: ", Inv("snapshot")), lambda machine: bool(machine.layers())
        )
        with self.lab.locked():
            each(machines, lab_snapshot.restore)
            self._start()
            each(machines, lab_snapshot.clean)
        return self.reach()

    def status(self) -> tuple[MachineStatus, ...]:
        """Return how each machine is; also one that the inventory no longer names."""
        names = dict.fromkeys([*self.inventory.hosts, *(machine.name for machine in self.lab.machines())])
        words = process.words()
        return tuple(self._status(self.lab.machine(name), words) for name in names)

    def reach(self) -> Inventory:
        """Return the inventory with how to reach each machine. Raises MachineError when one is not running."""
        if stopped := self._stopped():
            names = ", ".join(machine.name for machine in stopped)
            raise MachineError(f"not running: {names}", Hint("Bring it up: ", Inv("up")))
        inventory, record = self.inventory, self.lab.record()
        for name in self.inventory.hosts:
            inventory = inventory.with_variables(
                name,
                {
                    "ansible_host": record.address(name),
                    "ansible_port": 22,
                    "ansible_user": "root",
                    "ansible_ssh_private_key_file": str(self.lab.key),
                    "benchrig_known_hosts": str(self.lab.known_hosts),
                },
            )
        return inventory

    def _stopped(self) -> list[LabMachine]:
        words = process.words()
        machines = map(self.lab.machine, self.inventory.hosts)
        return [machine for machine in machines if not lab_machine.is_up(machine, words)]

    def _made(self, what: str, hint: Hint, test: Callable[[LabMachine], bool]) -> list[LabMachine]:
        """Return all machines of the inventory. Raises MachineError for those that do not pass the test."""
        machines = [self.lab.machine(name) for name in self.inventory.hosts]
        if lacking := [machine.name for machine in machines if not test(machine)]:
            raise MachineError(f"never {what}: {', '.join(lacking)}", hint)
        requirements.check()
        return machines

    def _is_absent(self) -> bool:
        if absent := not self.lab.path.is_dir():
            console.line("lab: there is none")
        return absent

    def _complete(self) -> bool:
        return not self._stopped() and lab_network.has_gateway(self.lab)

    def _start(self) -> None:
        settings = outer.read()
        self._prepare(self._stopped(), settings)
        if lab_network.network_of(self.lab) is None:
            # Machines that run without the lab's network can be reached by nobody: they start with the others.
            each(self.lab.machines(), lab_machine.stop)
        stopped = self._stopped()
        requirements.check_capacity(len(stopped))
        record = self.lab.record().with_machines(self.inventory.hosts)
        network = lab_network.open_lab(self.lab, record.subnet, settings.uses_loopback)
        self.lab.note(replace(record, subnet=str(network.subnet)))
        plan = Plan(self.lab, network, record.numbers, settings)
        self._pin(plan)
        for machine in self.lab.machines():
            if machine not in stopped:
                lab_machine.write_hosts(machine, plan)
        each(stopped, lambda machine: _boot(machine, plan))

    def _prepare(self, machines: Iterable[LabMachine], settings: Outer) -> None:
        """Make what machines keep for life: their folder, their image, their keys."""
        keys.make_key(self.lab.key, "benchrig")
        for machine in machines:
            machine.path.mkdir(parents=True, exist_ok=True)
            if not machine.image.exists():
                write(machine.image, image.make(settings).name.encode())
            keys.make_key(machine.host_key, machine.name)

    def _pin(self, plan: Plan) -> None:
        # One that the inventory no longer names may have been left half made.
        made = [machine for machine in self.lab.machines() if machine.host_key.exists() and machine.name in plan.numbers]
        lines = [keys.known_host(machine, plan.address(machine.name)) for machine in made]
        write(self.lab.known_hosts, "".join(lines).encode())

    def _stop(self) -> None:
        words = process.words()
        running = [machine.name for machine in self.lab.machines() if lab_machine.mark(machine) in words]
        if running:
            console.status(f"stopping {', '.join(running)}")
        try:
            each(self.lab.machines(), lab_machine.stop)
            lab_network.close_lab(self.lab)
        finally:
            console.status("")
        if running:
            console.line(f"lab: stopped {', '.join(running)}")

    def _status(self, machine: LabMachine, words: set[str]) -> MachineStatus:
        address = self.lab.record().address(machine.name)
        if lab_machine.is_up(machine, words):
            detail = with_snapshot("systemd-nspawn on this machine", lab_snapshot.taken(machine))
            return MachineStatus(machine.name, "running", address, detail)
        if machine.exists:
            detail = with_snapshot(f"its files are in {machine.path}", lab_snapshot.taken(machine))
            return MachineStatus(machine.name, "stopped", "", detail)
        return MachineStatus(machine.name, "absent", "", "made by ./inv up")


def _boot(machine: LabMachine, plan: Plan) -> None:
    console.status(f"{machine.name}: booting")
    started = time.monotonic()
    lab_machine.start(machine, plan)
    console.line(f"{machine.name}: up at {plan.address(machine.name)}, {time.monotonic() - started:.1f} s")
