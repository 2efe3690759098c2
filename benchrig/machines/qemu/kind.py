"""Virtual machines in plain QEMU: no root, no Vagrant, nothing changed on the outer machine but one loopback port each.

A machine is reached through that port (QEMU's user networking); machines do not reach each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.errors import Hint, InputError, Inv, MachineError
from benchrig.files import write
from benchrig.inventory import Host, Inventory
from benchrig.machines import accelerator, clock, keys, naming, sizes
from benchrig.machines.accelerator import Name
from benchrig.machines.base import MachineStatus, told_running, with_snapshot
from benchrig.machines.box import build
from benchrig.machines.box.files import USER
from benchrig.machines.controller import packages
from benchrig.machines.controller import settings as outer
from benchrig.machines.folder import MachineFolder, MachinesFolder, cache
from benchrig.machines.parallel import each
from benchrig.machines.qemu import machine as qemu_machine
from benchrig.machines.qemu import process
from benchrig.machines.qemu import snapshot as qemu_snapshot
from benchrig.machines.qemu.machine import Hardware

PROGRAMS = {accelerator.QEMU: "qemu-system-x86", "qemu-img": "qemu-utils", "ssh-keygen": "openssh-client"}
"""Programs the kind runs, and the Debian packages they come from."""

INSTEAD = "Install QEMU with this system's own means, such as `brew install qemu`."

EMULATED = "machines run emulated, many times slower, and figures measured there mean nothing"


class QemuMachines:
    """The machines of an inventory of kind `qemu`. `root` is the clone they belong to."""

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.root = root
        naming.check(inventory.hosts)
        self.folder = MachinesFolder(cache() / "qemu" / naming.folder_name(inventory, root, cache()))

    def up(self, *, tell: bool = False) -> Inventory:
        """Start what is not running and wait until each machine lets us in. Raises MachineError, HostError, InputError."""
        if not self._not_up():
            return told_running(self.reach(), tell)
        with self._working():
            self._start(self._not_up())
        return self.reach()

    def down(self) -> None:
        """Power off every machine. Raises MachineError."""
        if self._is_absent():
            return
        with self._working():
            self._stop()

    def destroy(self) -> None:
        """Stop every machine and remove all of them but their box. Raises MachineError when something stays."""
        if self._is_absent():
            return
        with self._working():
            self._stop()
            console.status("removing their disks")
            self.folder.remove()
        with suppress(OSError):
            self.folder.path.parent.rmdir()
        console.line("qemu: destroyed")

    def snapshot(self) -> None:
        """Keep the state of every machine, memory included; they go on running. Raises MachineError, HostError."""
        hosts = self.reach().hosts
        with self._working():
            for machine in self._machines():
                began = time.monotonic()
                console.status(f"{machine.name}: writing its memory")
                qemu_snapshot.keep(machine)
                # It stood still while its memory was written.
                clock.set_to_ours(hosts[machine.name])
                console.line(f"{machine.name}: kept, {time.monotonic() - began:.1f} s")

    def restore(self) -> Inventory:
        """Bring every machine back to the state that was kept, and have it run. Raises MachineError, HostError."""
        if not self.folder.path.is_dir():
            raise _never_kept(self.inventory.hosts)
        with self._working():
            self._restore(self._machines())
        return self.reach()

    def status(self) -> tuple[MachineStatus, ...]:
        """Return how each machine is; also one that the inventory no longer names."""
        names = dict.fromkeys([*self.inventory.hosts, *(machine.name for machine in self.folder.machines())])
        return tuple(_status(self.folder.machine(name)) for name in names)

    def reach(self) -> Inventory:
        """Return the inventory with how to reach each machine. Raises MachineError when one is not up."""
        if missing := self._not_up():
            names = ", ".join(machine.name for machine in missing)
            raise MachineError(f"not running: {names}", Hint("Bring it up: ", Inv("up")))
        inventory = self.inventory
        for name in inventory.hosts:
            inventory = inventory.with_variables(name, self._reached(name).variables)
        return inventory

    def _reached(self, name: str) -> Host:
        host = self.inventory.hosts[name]
        noted = qemu_machine.record(self.folder.machine(name))
        variables = {
            "ansible_host": "127.0.0.1",
            "ansible_port": noted.port,
            "ansible_user": USER,
            "ansible_become": True,
            "ansible_ssh_private_key_file": str(self.folder.key),
            "benchrig_known_hosts": str(self.folder.known_hosts),
            "benchrig_emulated": noted.hardware is not None and noted.hardware.accelerator == "tcg",
        }
        return replace(host, variables={**host.variables, **variables})

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Hold the folder for ourselves, with all the programs there."""
        packages.ensure(PROGRAMS, "a virtual machine", INSTEAD)
        try:
            with self.folder.locked():
                yield
        finally:
            console.status("")

    def _machines(self) -> list[MachineFolder]:
        return [self.folder.machine(name) for name in self.inventory.hosts]

    def _not_up(self) -> list[MachineFolder]:
        return [machine for machine in self._machines() if not qemu_machine.is_up(machine)]

    def _is_absent(self) -> bool:
        if absent := not self.folder.path.is_dir():
            console.line("qemu: there is none")
        return absent

    def _start(self, machines: list[MachineFolder]) -> None:
        """Start machines, making them first where they do not exist; those that are still starting are waited for."""
        began = time.monotonic()
        stopped = [machine for machine in machines if process.find(machine.path) is None]
        if stopped:
            found = accelerator.probe()
            if found.name == "tcg":
                console.warn(f"{EMULATED}: {found.reason}")
            settings = outer.read()
            for machine in stopped:
                hardware = self._hardware(machine.name, found.name)
                self._make(machine)
                qemu_machine.start(machine, hardware, settings, self.folder.key)
        for machine in machines:
            qemu_machine.resume(machine)
        # Those that ran may have been suspended, or been brought back by a run that was killed before it set their clocks.
        self._await(machines, began, [machine for machine in machines if machine not in stopped])

    def _restore(self, machines: list[MachineFolder]) -> None:
        began = time.monotonic()
        kept = {machine: snapshot for machine in machines if (snapshot := qemu_snapshot.newest(machine))}
        if missing := [machine.name for machine in machines if machine not in kept]:
            raise _never_kept(missing)
        settings = outer.read()
        for machine, snapshot in kept.items():
            console.status(f"{machine.name}: reading its memory")
            hardware = snapshot.hardware
            if process.find(machine.path) is not None and qemu_machine.record(machine).hardware == hardware:
                qemu_snapshot.bring_back(machine, snapshot)
            else:
                qemu_machine.stop(machine)
                qemu_machine.start(machine, hardware, settings, self.folder.key, snapshot.name)
                if hardware.accelerator == "tcg":
                    console.warn(EMULATED)
        self._await(machines, began, machines)

    def _await(self, machines: list[MachineFolder], began: float, held: list[MachineFolder]) -> None:
        """Wait until machines let us in, with their host keys pinned; set the clocks of those that stood still."""
        # One that the inventory no longer names may have been left half made.
        keyed = [one for one in self.folder.machines() if one.host_key.exists()]
        lines = [keys.known_host(one, f"[127.0.0.1]:{qemu_machine.record(one).port}") for one in keyed]
        write(self.folder.known_hosts, "".join(lines).encode())
        console.status(f"waiting for {', '.join(machine.name for machine in machines)}")

        def wait(machine: MachineFolder) -> None:
            host = self._reached(machine.name)
            qemu_machine.await_login(machine, host)
            if machine in held:
                clock.set_to_ours(host)
            machine.ready.touch()
            port = qemu_machine.record(machine).port
            console.line(f"{machine.name}: up at 127.0.0.1:{port}, {time.monotonic() - began:.1f} s")

        each(machines, wait)

    def _make(self, machine: MachineFolder) -> None:
        keys.make_key(self.folder.key, "benchrig")
        if not qemu_machine.disk(machine).exists():
            qemu_machine.make(machine, self._box(machine.name))

    def _box(self, name: str) -> Path:
        """Return the disk that a machine's own is made above. Raises InputError when there is no such file."""
        named = str(self.inventory.hosts[name].variables.get("benchrig_box") or "")
        if not named:
            return build.build(cache()).disk
        path = (self.root / Path(named).expanduser()).resolve()
        if not path.is_file():
            raise InputError(
                f"benchrig_box of '{name}': there is no file {path}", "For the kind qemu it is a box's box.qcow2."
            )
        return path

    def _hardware(self, name: str, found: Name) -> Hardware:
        host = self.inventory.hosts[name]
        return Hardware(sizes.cpus(host), sizes.memory_mb(host), found)

    def _stop(self) -> None:
        running = [machine for machine in self.folder.machines() if process.find(machine.path) is not None]
        names = ", ".join(machine.name for machine in running)
        if running:
            console.status(f"stopping {names}")
            each(running, qemu_machine.stop)
            console.line(f"qemu: stopped {names}")


def _never_kept(names: Iterable[str]) -> MachineError:
    return MachineError(
        f"there is no snapshot of {', '.join(names)}", Hint("Make one: ", Inv("up", "provision", "snapshot"))
    )


def _status(machine: MachineFolder) -> MachineStatus:
    noted = qemu_machine.record(machine)
    taken = qemu_snapshot.taken(machine)
    if process.find(machine.path) is not None:
        how = "" if qemu_machine.is_up(machine) else "; does not let us in yet, or is suspended: ./inv up"
        detail = with_snapshot(f"QEMU: {noted.hardware}{how}", taken)
        return MachineStatus(machine.name, "running", f"127.0.0.1:{noted.port}", detail)
    if qemu_machine.disk(machine).exists():
        return MachineStatus(machine.name, "stopped", "", with_snapshot(f"its files are in {machine.path}", taken))
    return MachineStatus(machine.name, "absent", "", "made by ./inv up")
