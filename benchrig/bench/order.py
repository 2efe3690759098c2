"""The cells of a bench in their order: rounds over all rows, each in an order of its own; servers take turns in a row."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from benchrig.bench.rows import Row
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Topology
from benchrig.results.model import Cell

Key = tuple[str, str, int]
"""What tells the cells of a run apart: row, host, repeat."""

DRAWN = 1_000_000
"""Seeds that are drawn are smaller: short enough to be typed."""


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


def seeded(plan: Plan) -> Plan:
    """Return a plan of several rounds with a seed, drawn where the user chose none.

    A single round stays in the order of the suite: no other round evens an order out, and two such runs are alike.
    """
    if plan.seed is not None or (plan.repeats == 1 and plan.until is None):
        return plan
    return replace(plan, seed=random.SystemRandom().randrange(1, DRAWN))


def turns(plan: Plan, topologies: Sequence[Topology]) -> tuple[Turn, ...]:
    """Return the cells of a run with a fixed number of rounds, in their order."""
    return tuple(turn for repeat in range(1, plan.repeats + 1) for turn in round_of(plan, topologies, repeat))


def round_of(plan: Plan, topologies: Sequence[Topology], repeat: int) -> tuple[Turn, ...]:
    """Return the cells of one round in their order. A service that runs already is loaded from the first load host alone."""
    alone = replace(topologies[0], one_of_many=False)
    return tuple(
        Turn(row, alone if not row.app.is_ours else topologies[server], repeat)
        for row, server in order(plan, len(topologies), repeat)
    )


def order(plan: Plan, servers: int, repeat: int) -> Iterator[tuple[Row, int]]:
    """Yield the order of the cells of a round: the row, and the index of its server.

    A drift over time affects all rows and servers alike: rows have another order in each round, drawn from the plan's seed,
    and each row begins with another server than in the round before.
    """
    rows = list(enumerate(plan.rows))
    if plan.seed is not None:
        rows.sort(key=lambda one: _drawn(plan.seed, repeat, one[1].name))
    for at, row in rows:
        count = servers if row.app.is_ours else 1
        for turn in range(count):
            yield row, (repeat + at - 1 + turn) % count


def _drawn(seed: int | None, repeat: int, name: str) -> bytes:
    """Return what a row is sorted by in a round: a hash, so that any version of Python makes the same order of a seed."""
    return hashlib.sha256(f"{seed} {repeat} {name}".encode(errors="surrogatepass")).digest()
