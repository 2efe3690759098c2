"""How fast a virtual machine can run here: with the processor's own virtualisation where it works, else emulated.

That /dev/kvm exists says little: in a container or a nested machine QEMU may abort or hang with it. So a guest is run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchrig.machines.command import complaint, search_path

QEMU = "qemu-system-x86_64"

Name = Literal["kvm", "hvf", "tcg"]

PROBE_SECONDS = 10.0
"""A probe that works takes a fifth of a second."""

# A boot sector: MOV AL,10h; OUT F4h,AL; HLT. QEMU's isa-debug-exit makes its exit code of what comes in at the port.
_SECTOR = bytes.fromhex("b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
_EXIT_CODE = 0x10 * 2 + 1
_DISK_BYTES = 1 << 20


@dataclass(frozen=True)
class Accelerator:
    """QEMU's name of what runs the guest's instructions; `reason` says why it is nothing faster, or is empty."""

    name: Name
    reason: str = ""

    @property
    def options(self) -> list[str]:
        """QEMU's options for it, the processor included."""
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
    """Return what this system has, or why it has nothing."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "tcg", f"this processor ({platform.machine()}) is another kind than the machine's (x86_64)"
    if sys.platform == "darwin":
        return "hvf", ""
    if not os.access("/dev/kvm", os.F_OK):
        return "kvm", "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "kvm", "this user may not open /dev/kvm (mostly: is not in the group kvm)"
    return "kvm", ""


def _failure(qemu: str, accelerator: Accelerator) -> str:
    """Run the guest that does nothing but end QEMU; return what went wrong, or nothing."""
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
            done = subprocess.run(
                argv,
                cwd=folder,
                env={**os.environ, "PATH": search_path()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_SECONDS,
                check=False,
            )
        except OSError as error:
            return f"{qemu}: {(error.strerror or str(error)).lower()}"
        except subprocess.TimeoutExpired:
            return f"QEMU hangs with it ({PROBE_SECONDS:.0f} s)"
    if done.returncode == _EXIT_CODE:
        return ""
    said = done.stderr.decode(errors="replace").splitlines()
    first = complaint(said[0] if said else "").removeprefix(f"{qemu}: ")
    return f"QEMU {'aborts' if done.returncode < 0 else 'fails'} with it{': ' * bool(first)}{first}"
