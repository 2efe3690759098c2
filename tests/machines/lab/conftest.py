"""The labs of a test: each in a clone of its own, destroyed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.machines.lab.kind import LabMachines
from tests.support.lab import MakeLab, write_inventory


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[MakeLab]:
    """Yield a function that returns the lab of a clone of its own with the named machines; all are destroyed in the end."""
    made: list[LabMachines] = []

    def make(*names: str, clone: str = "clone") -> LabMachines:
        root = tmp_path / clone
        write_inventory(root, names)
        made.append(LabMachines(inventory.read("lab", root), root))
        return made[-1]

    yield make
    for lab in made:
        lab.destroy()
