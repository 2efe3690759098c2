"""The cells of a bench in their order: row by row on every server in turn, and every row again for each repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from benchrig.bench.rows import Row
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Topology
from benchrig.results.model import Cell

Key = tuple[str, str, int]
"""What tells the cells of a run apart: row, host, repeat."""


@dataclass(frozen=True)
class Turn:
    """A cell to measure: its row, the machines it is measured on, and the number of the repeat."""

    row: Row
    topology: Topology
    repeat: int

    @property
    def title(self) -> str:
        """The row's name, with its server where there are several."""
        return self.topology.title(self.row.name)

    @property
    def key(self) -> Key:
        """What tells it apart from the run's other cells."""
        return self.row.name, host_of(self.row, self.topology.server_name), self.repeat


def key_of(cell: Cell) -> Key:
    """Return what tells a stored cell apart from the run's others."""
    return cell.name, cell.host, cell.repeat


def host_of(row: Row, server: str) -> str:
    """Return the host of a row's cells, as they are stored: the server, or the address of a service that runs already."""
    return urlsplit(row.app.file.address).netloc or server


def turns(plan: Plan, topologies: Sequence[Topology]) -> tuple[Turn, ...]:
    """Return the cells of a run in their order.

    A drift over time affects all rows and servers alike; a different server is first each time. A service that runs
    already is loaded from the first load host alone.
    """
    alone = replace(topologies[0], one_of_many=False)
    return tuple(
        Turn(row, alone if not row.app.is_ours else topologies[server], repeat)
        for repeat, row, server in order(plan, len(topologies))
    )


def order(plan: Plan, servers: int) -> Iterator[tuple[int, Row, int]]:
    """Yield the order of the cells: the repeat, the row, and the index of its server."""
    for repeat in range(1, plan.repeats + 1):
        for at, row in enumerate(plan.rows):
            count = servers if row.app.is_ours else 1
            for turn in range(count):
                yield repeat, row, (repeat + at - 1 + turn) % count
