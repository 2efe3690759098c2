"""How machines are named and numbered, alike in every kind that makes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from benchrig.errors import InputError
from benchrig.inventory import Inventory

FIRST_NUMBER = 11
"""Lowest last octet of a machine's address: those below are for the controller and the gateway."""

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def check(names: Iterable[str]) -> None:
    """Raise InputError for a host's name that cannot be a machine's."""
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise InputError(f"'{name}' cannot name a machine: use a-z, 0-9 and -, at most 40 characters")


def folder_name(inventory: Inventory, root: Path, cache: Path) -> str:
    """Return what to call the folder of an inventory's machines: one a user, clone and file, so that no two share any."""
    digest = hashlib.sha256(f"{cache}\0{root.resolve()}\0{inventory.path.resolve()}".encode()).hexdigest()[:10]
    name = re.sub(r"[^A-Za-z0-9._]", "_", inventory.name)
    return f"{name}-{digest}"
