"""Ranks of a table's rows: the places that each can have among the valid rows under the same conditions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from benchrig.statistics import ties
from benchrig.statistics.ties import Rank
from benchrig.units import NOTHING


@dataclass(frozen=True)
class Contender:
    """What a row is ranked by."""

    values: tuple[float, ...]
    """Throughput of each repeat, in requests/s."""
    conditions: Hashable
    """What rows must share to be ranked together."""
    ceiling: float | None = None
    """Requests/s that its load allows; None where nothing bounds them."""


def ranks(contenders: Sequence[Contender | None]) -> list[Rank | None]:
    """Return the rank of each contender, by what the repeats show (`ties.ranks`).

    There is none in the place of a row that must not be ranked, of one of too few repeats, and of one that has no rival.
    """
    rivals: dict[Hashable, list[int]] = {}
    for i, contender in enumerate(contenders):
        if contender:
            rivals.setdefault(contender.conditions, []).append(i)
    found: list[Rank | None] = [None] * len(contenders)
    for group in rivals.values():
        of_group = [contender for i in group if (contender := contenders[i])]
        places = ties.ranks([one.values for one in of_group], [one.ceiling for one in of_group])
        if sum(place is not None for place in places) > 1:
            for i, place in zip(group, places, strict=True):
                found[i] = place
    return found


def places(rank: Rank | None) -> str:
    """Write a rank: `2`, or `1-3` where the repeats do not tell which of these places is the row's; a dash for None."""
    if rank is None:
        return NOTHING
    return str(rank.first) if rank.first == rank.last else f"{rank.first}-{rank.last}"
