"""Which inventory is used when the user names none: that of the first kind of machine that can run on this computer."""

from __future__ import annotations

from functools import cache

from benchrig import console
from benchrig.errors import MachineError
from benchrig.machines.registry import KINDS, kind


@cache
def default_inventory() -> str:
    """Return the name of the default inventory. Prints once why a preferred kind of machine is not used.

    Raises MachineError when no kind with a default inventory can run here.
    """
    reasons: list[str] = []
    for candidate in map(kind, KINDS):
        if not candidate.default_inventory:
            continue
        reason = candidate.obstacle()
        if not reason:
            if reasons:
                console.line(f"{'; '.join(reasons)}: using -i {candidate.default_inventory} instead")
            return candidate.default_inventory
        reasons.append(reason)
    raise MachineError(
        "; ".join(reasons) or "no kind of machine has a default inventory", "Name an inventory: -i NAME (see inventory/)."
    )
