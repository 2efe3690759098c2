"""Snapshots of a lab machine: its changes become a read-only layer, and new changes are written above it.

Nothing is copied. Taking a snapshot and restoring it are one rename each, so a kill leaves it done or not done. Older
snapshots stay as layers below; when there are too many, the machine is copied into a single one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchrig.machines.command import run
from benchrig.machines.folder import remove
from benchrig.machines.lab import machine as lab_machine
from benchrig.machines.lab.folder import WHOLE, LabMachine

MOST_LAYERS = 20
"""How many layers a machine may have: each makes file lookups slower, and the options of mount are limited in length."""

COPY_SECONDS = 600.0

DROPPED = "dropped"
"""The folder for changes that are to be removed."""


@dataclass(frozen=True)
class Snapshot:
    """A machine's snapshot."""

    taken: float
    """When it was taken, in seconds since 1970."""


def take(machine: LabMachine) -> None:
    """Stop a machine and take a snapshot. Raises MachineError."""
    lab_machine.stop(machine)
    machine.snapshots.mkdir(exist_ok=True)
    layers = machine.layers()
    name = f"{_number(layers[0]) + 1 if layers else 1:06}"
    if len(layers) >= MOST_LAYERS:
        _copy(machine, machine.snapshots / f"{name}{WHOLE}")
    elif machine.changes.is_dir():
        machine.changes.rename(machine.snapshots / name)


def of(machine: LabMachine) -> Snapshot | None:
    """Return a machine's snapshot, or None when it has none."""
    # A layer's own time is when its topmost folder last changed; that of the folder of layers, when one was added.
    return Snapshot(machine.snapshots.stat().st_mtime) if machine.layers() else None


def restore(machine: LabMachine) -> None:
    """Stop a machine and drop what changed since its snapshot; `clean` removes it later. Raises MachineError."""
    lab_machine.stop(machine)
    _drop_changes(machine)


def clean(machine: LabMachine) -> None:
    """Remove dropped changes. Raises MachineError."""
    remove(machine.path / DROPPED)


def _copy(machine: LabMachine, layer: Path) -> None:
    """Copy a stopped machine's whole file system into one layer, and remove the layers that it replaces."""
    new = machine.snapshots / ".new"
    remove(new)
    lab_machine.mount(machine)
    try:
        # Hard links, holes, owners and attributes as they are; shared with the original where the file system can.
        argv = ["cp", "--archive", "--reflink=auto", str(machine.root), str(new)]
        run(argv, f"{machine.name}: its state cannot be copied", timeout=COPY_SECONDS)
    finally:
        lab_machine.unmount(machine.root)
    new.rename(layer)
    # A kill here does no harm: the layer below has these changes already.
    _drop_changes(machine)
    clean(machine)
    for older in machine.snapshots.glob("[0-9]*"):
        if older != layer:
            remove(older)


def _drop_changes(machine: LabMachine) -> None:
    """Move a machine's changes away, in one step: half-removed changes would hide what is below them."""
    clean(machine)
    with suppress(FileNotFoundError):
        machine.changes.rename(machine.path / DROPPED)


def _number(layer: Path) -> int:
    return int(layer.name.removesuffix(WHOLE))
