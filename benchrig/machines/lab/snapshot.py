"""Snapshots of a lab machine: its changes become a read-only layer, and the next ones are written above it.

Nothing is copied. Taking one and going back to it are one rename each, so that a kill leaves it done or not done. Older
snapshots stay as layers below; when there are many, the machine is copied into a single one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from benchrig.machines.command import run
from benchrig.machines.folder import remove
from benchrig.machines.lab import machine as lab_machine
from benchrig.machines.lab.folder import WHOLE, LabMachine

MOST_LAYERS = 20
"""How many layers a machine may stand on: each one more to search for every file, and mount takes only so much text."""

COPY_SECONDS = 600.0

DROPPED = "dropped"
"""The folder in which changes are set aside that are to be removed."""


def take(machine: LabMachine) -> None:
    """Stop a machine and keep its state as what `restore` goes back to. Raises MachineError."""
    lab_machine.stop(machine)
    machine.kept.mkdir(exist_ok=True)
    layers = machine.layers()
    name = f"{_number(layers[0]) + 1 if layers else 1:06}"
    if len(layers) >= MOST_LAYERS:
        _copy(machine, machine.kept / f"{name}{WHOLE}")
    elif machine.changes.is_dir():
        machine.changes.rename(machine.kept / name)


def taken(machine: LabMachine) -> float:
    """Return when the machine's snapshot was taken, in seconds since 1970; 0 when it has none."""
    # A layer itself tells when its topmost folder was last changed; the folder of layers, when one was added.
    return machine.kept.stat().st_mtime if machine.layers() else 0.0


def restore(machine: LabMachine) -> None:
    """Stop a machine and set aside what changed since its snapshot. Raises MachineError."""
    lab_machine.stop(machine)
    _drop_changes(machine)


def clean(machine: LabMachine) -> None:
    """Remove what was set aside. Raises MachineError."""
    remove(machine.path / DROPPED)


def _copy(machine: LabMachine, layer: Path) -> None:
    """Keep a stopped machine's state as one layer that holds all of it, and remove those that it stands for."""
    new = machine.kept / ".new"
    remove(new)
    lab_machine.mount(machine)
    try:
        # Hard links, holes, owners and attributes as they are; shared with the original where the file system can.
        argv = ["cp", "--archive", "--reflink=auto", str(machine.root), str(new)]
        run(argv, f"{machine.name}: its state cannot be copied", timeout=COPY_SECONDS)
    finally:
        lab_machine.unmount(machine.root)
    new.rename(layer)
    # Should we be killed here: these changes above a layer that has them already are no change.
    _drop_changes(machine)
    clean(machine)
    for older in machine.kept.glob("[0-9]*"):
        if older != layer:
            remove(older)


def _drop_changes(machine: LabMachine) -> None:
    """Set aside what a machine has changed, in one step: half removed, it would hide what lies below."""
    clean(machine)
    with suppress(FileNotFoundError):
        machine.changes.rename(machine.path / DROPPED)


def _number(layer: Path) -> int:
    return int(layer.name.removesuffix(WHOLE))
