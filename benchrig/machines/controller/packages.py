"""Programs and files that benchrig needs on the controller: missing ones are installed from Debian packages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchrig import console
from benchrig.errors import Hint, MachineError
from benchrig.machines.command import run, search_path


def ensure(programs: Mapping[str, str], wanted_by: str, instead: str | Hint) -> None:
    """Check that programs are installed, and install those that are missing.

    `programs` names the Debian package of each, by the program's name or a file's whole path; `wanted_by` says in
    messages what needs them, and `instead` what to do without. Raises MachineError when one is missing and cannot be
    installed: no apt-get, not root, or apt-get fails.
    """
    missing = {package for program, package in programs.items() if not _is_there(program)}
    if missing:
        _install(sorted(missing), wanted_by, instead)


def _is_there(program: str) -> bool:
    return Path(program).is_file() if program.startswith("/") else shutil.which(program, path=search_path()) is not None


def _install(packages: list[str], wanted_by: str, instead: str | Hint) -> None:
    names = " ".join(packages)
    if not shutil.which("apt-get", path=search_path()):
        raise MachineError(f"{wanted_by} needs these packages, and there is no apt-get to install them: {names}", instead)
    if os.geteuid() != 0:
        raise MachineError(f"{wanted_by} needs these packages: {names}", f"sudo apt-get install {names}")
    console.line(f"installing {names} on this machine: {wanted_by} needs them")
    command = ["apt-get", "-qy", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends", "install", *packages]
    environ = {"DEBIAN_FRONTEND": "noninteractive"}
    purpose = f"the packages that {wanted_by} needs cannot be installed"
    try:
        run(command, purpose, environ=environ, timeout=600)
    except MachineError:
        # No package index yet, or one too old.
        run(["apt-get", "-q", "update"], "apt's index cannot be fetched", timeout=300)
        run(command, purpose, environ=environ, timeout=600, hint=instead)
