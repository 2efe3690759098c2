"""Which run is the newest of a suite."""

from __future__ import annotations

import json
from pathlib import Path

from benchrig.agent.nearest import nearest
from benchrig.errors import Hint, InputError, Inv
from benchrig.results.store import CELLS, RUN


def newest(reports: Path, suite: str) -> Path:
    """Return the folder of the newest run of a suite that has a cell.

    Raises InputError when there is none, with the suites that have one.
    """
    found: dict[str, Path] = {}
    for folder in sorted(path.parent for path in reports.glob(f"*/{CELLS}") if not path.parent.is_symlink()):
        try:
            found[str(json.loads((folder / RUN).read_text(encoding="utf-8"))["suite"])] = folder
        except (OSError, ValueError, KeyError):
            continue
    if suite not in found:
        raise InputError(
            f"there is no run of suite '{suite}'; {nearest(suite, found)}",
            Hint(Inv("bench", "--suite", suite), " makes one."),
        )
    return found[suite]
