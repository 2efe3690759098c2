"""Leftovers of a killed Vagrant in VirtualBox, which Vagrant would fail on later: removed with VBoxManage.

A machine's name in VirtualBox contains a hash of its clone. So a machine of that name that Vagrant does not know is ours.
"""

from __future__ import annotations

import shutil
from contextlib import suppress

from benchrig import console
from benchrig.errors import MachineError
from benchrig.machines.command import run, search_path

VBOXMANAGE = "VBoxManage"


def is_there() -> bool:
    """Return whether this computer has VirtualBox. Whether it works, only Vagrant can tell."""
    return shutil.which(VBOXMANAGE, path=search_path()) is not None


def remove_orphan(unique_name: str) -> bool:
    """Remove a machine that Vagrant does not know of, and its disk; return whether there was one. Raises MachineError."""
    if not is_there() or f'"{unique_name}" ' not in _vboxmanage("list", "vms"):
        return False
    with suppress(MachineError):
        # It need not be running.
        _vboxmanage("controlvm", unique_name, "poweroff")
    _vboxmanage("unregistervm", unique_name, "--delete")
    console.line(f"vagrant: removed {unique_name} from VirtualBox, a leftover of an interrupted run")
    return True


def _vboxmanage(*arguments: str) -> str:
    return run([VBOXMANAGE, *arguments], f"VirtualBox: {VBOXMANAGE} {arguments[0]}", timeout=120)
