"""The preview of a bench: its cells in their order, and the time they take. It is made from files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.bench.progress import OVERHEAD_SECONDS, about


@dataclass(frozen=True)
class PlannedCell:
    """One cell that a bench would measure."""

    repeat: int
    row: str
    host: str
    """The server; of a service that runs already, its address."""
    connections: int
    duration_seconds: float


@dataclass(frozen=True)
class Preview:
    """What a bench would do."""

    cells: tuple[PlannedCell, ...]
    """In the order in which they would be measured."""
    warm_up_seconds: float
    """Of each cell."""
    timeout_seconds: float
    """From when on a reply counts as late."""
    resumes: str = ""
    """The run that it resumes, with what that has; empty of a new run."""

    @property
    def seconds(self) -> float:
        """The estimated time of all cells: warm-up, load, and `OVERHEAD_SECONDS` each."""
        return sum(self.warm_up_seconds + cell.duration_seconds + OVERHEAD_SECONDS for cell in self.cells)


def render(preview: Preview) -> str:
    """Return a preview as text: a table of the cells, the estimated time, and how it is estimated."""
    table: list[tuple[str, ...]] = [("#", "repeat", "row", "host", "connections", "duration")]
    for number, cell in enumerate(preview.cells, 1):
        words = (number, cell.repeat, cell.row, cell.host, cell.connections, f"{cell.duration_seconds:g} s")
        table.append(tuple(map(str, words)))
    count = len(preview.cells)
    return "\n".join(
        [
            *([f"left of {preview.resumes}:", ""] if preview.resumes else []),
            *_aligned(table),
            "",
            f"{count} {'cell' if count == 1 else 'cells'}, about {about(preview.seconds)}",
            f"Estimate for each cell: {preview.warm_up_seconds:g} s warm-up, the duration, "
            f"and {OVERHEAD_SECONDS:g} s to start, verify and stop the app.",
            "Not included: the start of machines, provisioning, and resets of a database.",
            *_never_late(preview),
        ]
    )


def _never_late(preview: Preview) -> list[str]:
    """Return a line where the load is over before a reply can be late."""
    timeout, durations = preview.timeout_seconds, [cell.duration_seconds for cell in preview.cells]
    if not durations or timeout < max(durations):
        return []
    return [
        f"No reply can be counted as late: the timeout of {timeout:g} s is not below the duration of {max(durations):g} s."
    ]


def _aligned(table: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table; names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    names = (2, 3)
    return [
        "  ".join(
            word.ljust(width) if at in names else word.rjust(width)
            for at, (word, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    ]
