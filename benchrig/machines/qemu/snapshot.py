"""Snapshots of a virtual machine in QEMU, memory included. They are in the machine's disk.

The name of a snapshot says which hardware it needs, so the two can never be apart. A kill leaves the former snapshot, the
new one, or both; the newest counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import cast, get_args

from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines import accelerator
from benchrig.machines.command import run
from benchrig.machines.folder import MachineFolder
from benchrig.machines.qemu import machine as qemu_machine
from benchrig.machines.qemu.machine import DISK, Hardware
from benchrig.machines.qemu.qmp import Qmp

_NAME = re.compile(rf"kept-(\d+)-(\d+)-(\d+)-({'|'.join(get_args(accelerator.Name))})")


@dataclass(frozen=True)
class Snapshot:
    """A machine's snapshot, and the hardware that it can be loaded into."""

    number: int
    hardware: Hardware
    taken: float = field(default=0.0, compare=False)
    """When it was taken, in seconds since 1970."""

    @property
    def name(self) -> str:
        """The name of the snapshot in the disk."""
        return f"kept-{self.number}-{self.hardware.cpus}-{self.hardware.memory_mb}-{self.hardware.accelerator}"


def newest(machine: MachineFolder) -> Snapshot | None:
    """Return the snapshot of a machine, running or not, or None when it has none. Raises MachineError."""
    return max(_listed(machine), key=lambda one: one.number, default=None)


def take(machine: MachineFolder) -> None:
    """Take a snapshot of a running machine, memory included, in place of the former one. Raises MachineError."""
    hardware = qemu_machine.read_state(machine).hardware
    if hardware is None:
        raise MachineError(
            f"{machine.name}: its hardware is unknown (damaged machine.json)", Hint("Start it anew: ", Inv("down", "up"))
        )
    with Qmp(machine.name, machine.path) as qmp:
        qmp.finish_jobs()
        before = _listed(machine)
        new = Snapshot(max([old.number for old in before], default=0) + 1, hardware)
        qmp.run_job("snapshot-save", {"tag": new.name, "vmstate": DISK, "devices": [DISK]})
        for old in before:
            qmp.run_job("snapshot-delete", {"tag": old.name, "devices": [DISK]})


def restore(machine: MachineFolder, snapshot: Snapshot) -> None:
    """Load a snapshot into a running machine with the same hardware. Its clock is wrong then. Raises MachineError."""
    with Qmp(machine.name, machine.path) as qmp:
        qmp.finish_jobs()
        machine.ready.unlink(missing_ok=True)
        qmp.run_job("snapshot-load", {"tag": snapshot.name, "vmstate": DISK, "devices": [DISK]})
        qmp.execute("cont")


def _listed(machine: MachineFolder) -> list[Snapshot]:
    """Return benchrig's snapshots in a machine's disk, without one that QEMU was writing when it was killed."""
    disk = qemu_machine.disk(machine)
    if not disk.exists():
        return []
    output = run(["qemu-img", "info", "-U", "--output=json", disk], f"{machine.name}: its disk cannot be read")
    named = [(_NAME.fullmatch(one["name"]), one["date-sec"]) for one in json.loads(output).get("snapshots", [])]
    return [_snapshot(name, taken) for name, taken in named if name]


def _snapshot(name: re.Match[str], taken: float) -> Snapshot:
    number, cpus, memory_mb, accelerated = name.groups()
    return Snapshot(int(number), Hardware(int(cpus), int(memory_mb), cast(accelerator.Name, accelerated)), taken)
