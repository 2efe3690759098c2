"""The accelerator of virtual machines: the processor's own virtualisation where it works, else emulation.

That /dev/kvm exists says little: in a container or a nested machine QEMU may abort or hang with it. So a tiny guest is run.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchrig.errors import MachineError
from benchrig.machines.command import complete

QEMU = "qemu-system-x86_64"

Name = Literal["kvm", "hvf", "tcg"]

PROBE_SECONDS = 10.0
"""A probe that works takes a fifth of a second."""

# A boot sector: MOV AL,10h; OUT F4h,AL; HLT. QEMU's isa-debug-exit turns what is written to the port into its exit code.
_SECTOR = bytes.fromhex("b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
_EXIT_CODE = 0x10 * 2 + 1
_DISK_BYTES = 1 << 20


@dataclass(frozen=True)
class Accelerator:
    """QEMU's name of an accelerator; `reason` says why nothing faster works, or is empty."""

    name: Name
    reason: str = ""

    @property
    def options(self) -> list[str]:
        """QEMU's options for the accelerator and its processor."""
        if self.name == "tcg":
            # Five levels of page tables, of which `max` has one too many, cost time at every miss.
            return ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]
        return ["-accel", self.name, "-cpu", "host"]


def probe(qemu: str = QEMU) -> Accelerator:
    """Return the fastest accelerator that runs a guest of two processors here. Takes at most PROBE_SECONDS."""
    name, missing = _candidate()
    if missing:
        return Accelerator("tcg", missing)
    if reason := _failure(qemu, Accelerator(name)):
        return Accelerator("tcg", f"{name.upper()}: {reason}")
    return Accelerator(name)


def _candidate() -> tuple[Name, str]:
    """Return the accelerator that this system may have, or why it has none."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "tcg", f"this processor ({platform.machine()}) is another kind than the machine's (x86_64)"
    if sys.platform == "darwin":
        return "hvf", ""
    if not os.access("/dev/kvm", os.F_OK):
        return "kvm", "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "kvm", "this user may not open /dev/kvm (usually: not a member of the group kvm)"
    return "kvm", ""


def _failure(qemu: str, accelerator: Accelerator) -> str:
    """Run a guest that does nothing but end QEMU. Return what went wrong, or an empty text."""
    with tempfile.TemporaryDirectory(prefix="benchrig-") as folder:
        disk = Path(folder) / "disk"
        disk.write_bytes(_SECTOR.ljust(_DISK_BYTES, b"\0"))
        argv = [
            *(qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-machine", "q35", "-smp", "2", "-m", "128", *accelerator.options),
            *("-blockdev", "driver=file,filename=disk,node-name=disk,read-only=on"),
            *("-device", "virtio-blk-pci,drive=disk", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        ]
        try:
            done = complete(argv, cwd=Path(folder), timeout=PROBE_SECONDS)
        except MachineError as error:
            return str(error)
    if done.returncode == _EXIT_CODE:
        return ""
    reason = done.stderr.strip().partition("\n")[0].removeprefix(f"{qemu}: ")
    return f"QEMU {'aborts' if done.returncode < 0 else 'fails'} with it{': ' * bool(reason)}{reason}"
