"""The state of a virtual machine of QEMU, memory included, kept in its disk and brought back.

What hardware a snapshot is of stands in its name. So there is no moment at which one is without the other, and a kill leaves
the former snapshot, the new one, or both, of which the newest counts.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
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
    """What was kept of a machine, and the hardware that it can be loaded into."""

    number: int
    hardware: Hardware
    taken: float = field(default=0.0, compare=False)
    """When, in seconds since 1970; 0 before it is."""

    @property
    def name(self) -> str:
        """Its name in the disk."""
        return f"kept-{self.number}-{self.hardware.cpus}-{self.hardware.memory_mb}-{self.hardware.accelerator}"


def newest(machine: MachineFolder) -> Snapshot | None:
    """Return what was kept of a machine, running or not; None when there is nothing. Raises MachineError."""
    return max(_listed(machine), key=lambda one: one.number, default=None)


def taken(machine: MachineFolder) -> float:
    """Return when the snapshot that counts was taken, in seconds since 1970; 0 when there is none, or it cannot be told."""
    with suppress(MachineError):
        if found := newest(machine):
            return found.taken
    return 0.0


def keep(machine: MachineFolder) -> None:
    """Keep the state of a running machine, memory included, in place of what was kept before. Raises MachineError."""
    hardware = qemu_machine.record(machine).hardware
    if hardware is None:
        raise MachineError(
            f"{machine.name}: what it was started with is not noted", Hint("Start it anew: ", Inv("down", "up"))
        )
    with Qmp(machine.name, machine.path) as qmp:
        qmp.finish_jobs()
        before = _listed(machine)
        new = Snapshot(max([old.number for old in before], default=0) + 1, hardware)
        qmp.run_job("snapshot-save", {"tag": new.name, "vmstate": DISK, "devices": [DISK]})
        for old in before:
            qmp.run_job("snapshot-delete", {"tag": old.name, "devices": [DISK]})


def bring_back(machine: MachineFolder, snapshot: Snapshot) -> None:
    """Bring a running machine of the same hardware back to a snapshot; it is not ready then. Raises MachineError."""
    with Qmp(machine.name, machine.path) as qmp:
        qmp.finish_jobs()
        machine.ready.unlink(missing_ok=True)
        qmp.run_job("snapshot-load", {"tag": snapshot.name, "vmstate": DISK, "devices": [DISK]})
        qmp.execute("cont")


def _listed(machine: MachineFolder) -> list[Snapshot]:
    """Return our snapshots in a machine's disk. One that was being written when QEMU was killed is not among them."""
    disk = qemu_machine.disk(machine)
    if not disk.exists():
        return []
    said = run(["qemu-img", "info", "-U", "--output=json", disk], f"{machine.name}: its disk cannot be read")
    found = [(_NAME.fullmatch(one["name"]), one["date-sec"]) for one in json.loads(said).get("snapshots", [])]
    return [_snapshot(name, when) for name, when in found if name]


def _snapshot(name: re.Match[str], when: float) -> Snapshot:
    number, cpus, memory_mb, accelerated = name.groups()
    return Snapshot(int(number), Hardware(int(cpus), int(memory_mb), cast(accelerator.Name, accelerated)), when)
