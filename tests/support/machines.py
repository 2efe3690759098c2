"""Helpers for tests of machines: the machines of an inventory given as text, and empty settings of the controller."""

from __future__ import annotations

from pathlib import Path

from benchrig import inventory
from benchrig.machines import machines_of
from benchrig.machines.base import Machines
from benchrig.machines.controller.apt import Apt
from benchrig.machines.controller.pip import Pip
from benchrig.machines.controller.settings import Settings

SETTINGS = Settings((), (), {}, Apt(), Pip())


def machines(folder: Path, text: str) -> Machines:
    """Return the machines of an inventory written into `folder`."""
    path = folder / "hosts.yml"
    path.write_text(text)
    return machines_of(inventory.read(str(path), folder), folder)
