"""Names of machines, and of the folders of an inventory's machines, for every kind that makes machines."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from benchrig.errors import InputError
from benchrig.inventory import Inventory

FIRST_NUMBER = 11
"""Lowest last octet of a machine's address. The controller and the gateway have lower ones."""

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def check(names: Iterable[str]) -> None:
    """Check that hosts' names can name machines. Raises InputError."""
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise InputError(f"'{name}' cannot name a machine: use a-z, 0-9 and -, at most 40 characters")


def folder_name(inventory: Inventory, root: Path, cache: Path) -> str:
    """Return the name of the folder of an inventory's machines, unique for each user, clone and inventory file."""
    # As bytes: the names of folders need not be UTF-8.
    paths = b"\0".join(map(os.fsencode, (cache, root.resolve(), inventory.path.resolve())))
    digest = hashlib.sha256(paths).hexdigest()[:10]
    name = re.sub(r"[^A-Za-z0-9._]", "_", inventory.name)
    return f"{name}-{digest}"
