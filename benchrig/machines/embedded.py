"""The inventory of who names none: the lab, or a virtual machine in plain QEMU where no lab can run."""

from __future__ import annotations

from functools import cache

from benchrig import console
from benchrig.machines.lab import requirements


@cache
def inventory() -> str:
    """Return the name of the inventory; where it is not the lab, the reason has been told (once)."""
    reason = requirements.obstacle()
    if not reason:
        return "lab"
    console.line(f"{reason}: taking the virtual machine of -i qemu in its place")
    return "qemu"
