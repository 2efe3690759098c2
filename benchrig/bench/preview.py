"""The preview of a bench: its cells in their order, and the time they take. It is made from files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.bench.suite import OVERHEAD_SECONDS
from benchrig.bench.until import Until
from benchrig.units import about


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
    """In the order in which they would be measured; of a run to which rounds are added, those of its next round."""
    warm_up_seconds: float
    """Of each cell."""
    timeout_seconds: float
    """From when on a reply counts as late."""
    resumes: str = ""
    """The run that it resumes, with what that has; empty of a new run."""
    seed: int | None = None
    """The order of the rows in each round is drawn from it; None: each round is in the order of the suite."""
    until: Until | None = None
    """Rounds are added until it is reached."""
    least_rounds: int = 0
    """With `until`: how many rounds are left at least."""
    left_seconds: float = 0.0
    """With `until`: how long measuring may still take."""

    @property
    def seconds(self) -> float:
        """The estimated time of all cells: warm-up, load, and `OVERHEAD_SECONDS` each."""
        return sum(self.warm_up_seconds + cell.duration_seconds + OVERHEAD_SECONDS for cell in self.cells)

    @property
    def summary(self) -> str:
        """How much it is, and how long that takes: `2 cells, about 15 s`."""
        cells = f"{len(self.cells)} {'cell' if len(self.cells) == 1 else 'cells'}"
        if self.until is None:
            return f"{cells}, about {about(self.seconds)}"
        rounds = "1 round" if self.least_rounds == 1 else f"{self.least_rounds} rounds"
        least = f"at least {rounds} of {cells}, about {about(self.least_rounds * self.seconds)}; then " if rounds else ""
        goal = f"until each row is within ±{self.until.percent:g} %, for {about(self.left_seconds)} at most"
        return f"{least}{goal}"


def render(preview: Preview) -> str:
    """Return a preview as text: a table of the cells, the estimated time, and how it is estimated."""
    table: list[tuple[str, ...]] = [("#", "repeat", "row", "host", "connections", "duration")]
    for number, cell in enumerate(preview.cells, 1):
        words = (number, cell.repeat, cell.row, cell.host, cell.connections, f"{cell.duration_seconds:g} s")
        table.append(tuple(map(str, words)))
    return "\n".join(
        [
            *([f"left of {preview.resumes}:", ""] if preview.resumes else []),
            *_aligned(table),
            "",
            preview.summary,
            f"Estimate for each cell: {preview.warm_up_seconds:g} s warm-up, the duration, "
            f"and {OVERHEAD_SECONDS:g} s to start, verify and stop the app.",
            "Not included: the start of machines, provisioning, and resets of a database.",
            *_order(preview),
            *_never_late(preview),
        ]
    )


def _order(preview: Preview) -> list[str]:
    """Return a line about the order of the rows, where each round has its own."""
    if preview.seed is None:
        return []
    shown = "The first round is shown; each" if preview.until and not preview.resumes else "Each"
    return [f"{shown} round has an order of its own, drawn from a seed; to repeat it: --seed {preview.seed}"]


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
