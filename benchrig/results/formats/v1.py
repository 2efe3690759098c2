"""Format 1 of stored runs, the one without a number.

Settings are text such as `"5 s"`, without chosen connections. What a machine shares with others follows from its kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]


def next_run(run: Fields, cells: Sequence[Fields]) -> Fields:
    """Return a run of format 1 in format 2. Raises ValueError, TypeError or LookupError for data that is not of format 1."""
    settings = run["settings"]
    typed = {
        "duration_seconds": _seconds(settings["duration"]),
        "warm_up_seconds": _seconds(settings.get("warm_up", "0 s")),
        "timeout_seconds": _seconds(settings["timeout"]),
        "threads": int(settings["threads"]),
        "repeats": int(settings["repeats"]),
        "connections": _connections(run, cells),
    }
    return {**run, "settings": typed, "machines": [_machine(machine) for machine in run.get("machines", ())]}


def next_cell(cell: Fields) -> Fields:
    """Return a cell of format 1 in format 2: its fields are the same."""
    return cell


def _machine(machine: Fields) -> Fields:
    return {**machine, "made_here": machine["kind"] != "existing", "shares_kernel": machine["kind"] == "lab"}


def _seconds(text: str) -> float:
    number, _, unit = text.partition(" ")
    if unit != "s":
        raise ValueError(f"'{text}' is not a number of seconds")
    return float(number)


def _connections(run: Fields, cells: Sequence[Fields]) -> int | None:
    """Return the number of connections that all rows had, whether the user chose it or the suite has no other."""
    numbers = {cell.get("connections") for cell in cells}
    is_complete = {cell.get("name") for cell in cells} >= set(run["rows"])
    return numbers.pop() if is_complete and len(numbers) == 1 else None
