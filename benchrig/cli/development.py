"""The tools that benchrig is tested and linted with: Python's in `.venv-dev`, programs from Debian's packages."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from benchrig import console
from benchrig.cli.bootstrap import BootstrapError, make_environment
from benchrig.errors import BenchrigError, MachineError
from benchrig.machines.controller import packages

PROGRAMS = {
    "git": "git",
    "ssh": "openssh-client",
    "wrk": "wrk",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "grub-mkimage": "grub-common",
    "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
    "chromium": "chromium",
    "pdftotext": "poppler-utils",
    "zsh": "zsh",
    "fish": "fish",
}
"""Programs that the tests run, and their Debian packages; the lab installs its own."""

MACHINE_PROGRAMS = {
    "vagrant": "vagrant",
    "/usr/share/doc/vagrant-libvirt/copyright": "vagrant-libvirt",
    "libvirtd": "libvirt-daemon-system",
}
"""What the tests of virtual machines need beside these."""

DURATIONS = {"plain": 15, "lab": 50, "vm": 90, "faults": 30, "long": 60}
"""About how many minutes the tests take on 2 cores."""


def run_tests(root: Path, select: str, *, lab: bool, vm: bool, faults: bool, long: bool) -> None:
    """Run the tests, after installing what they need; `select` is pytest's -k expression, or empty.

    With `faults`, run those that cause faults alone. Without it, those of them that need no machine run among the others.

    Raises BenchrigError when a test fails.
    """
    _install(PROGRAMS | (MACHINE_PROGRAMS if vm else {}))
    left_out = " and ".join(f"not {mark}" for mark, included in (("lab", lab), ("vm", vm), ("long", long)) if not included)
    left_out += " and faults" if faults else " and not (faults and lab)" if lab else ""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not select:
        minutes = DURATIONS["long" if long else "faults" if faults else "vm" if vm else "lab" if lab else "plain"]
        console.line(f"running the tests with {workers} workers: about {minutes} minutes on 2 cores")
    started = time.monotonic()
    try:
        chosen = ["-k", select] if select else []
        run_tool(root, "pytest", "-n", str(workers), "--dist", "loadgroup", *chosen, "-m", left_out)
    finally:
        console.line(f"the tests took {(time.monotonic() - started) / 60:.1f} minutes")


def run_tool(root: Path, tool: str, *arguments: str) -> None:
    """Run a tool of the development environment in the project's folder. Raises BenchrigError when it finds something."""
    try:
        programs = make_environment(root, ".venv-dev", "requirements-dev.lock") / "bin"
    except BootstrapError as error:
        raise BenchrigError(str(error)) from None
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    code = subprocess.run([programs / tool, *arguments], cwd=root, env=environ, check=False).returncode
    if code:
        raise BenchrigError(f"{tool} ended with exit code {code}")


def _install(programs: dict[str, str]) -> None:
    """Install the programs that are missing; where we may not, say which, and leave their tests to be skipped."""
    try:
        packages.ensure(programs, "the test suite", "")
    except MachineError as error:
        console.warn(f"{error}. Tests that need them are skipped. {error.hint}".rstrip())
