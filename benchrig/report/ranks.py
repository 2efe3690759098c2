"""Ranks: the places by throughput that a row can have. Only what the repeats show puts one row below another.

The places of all rows together are right in 95 % of cases (M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, "Inference
for ranks with applications to mobility across neighbourhoods and academic achievement across countries", Review of Economic
Studies 91, 2024). Rows that the data do not tell apart have places in common; no letters are needed to say which.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics.difference import LEAST_REPEATS, welch
from benchrig.statistics.ties import pairwise_differs

NEAR_CEILING = 0.1
"""From 90 % of the ceiling on, it takes a part in how much two rows differ."""


@dataclass(frozen=True)
class Rank:
    """The places that a row can have among rows under the same conditions."""

    first: int
    """1, and one more for each row that is shown to be faster."""
    last: int
    """The number of rows, less those that are shown to be slower."""

    @property
    def text(self) -> str:
        """The place, or the first and the last of several: `2`, `1-3`."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Contender:
    """What a row is ranked by."""

    values: tuple[float, ...]
    """Throughput of each repeat, in requests/s."""
    ceiling: float | None = None
    """Requests/s that its connections allow where each request waits on purpose; None where none does."""

    @property
    def enough(self) -> bool:
        """It has repeats enough to be told from another."""
        return len(self.values) >= LEAST_REPEATS

    @property
    def median(self) -> float:
        """The throughput that the row shows."""
        return statistics.median(self.values)


def ranks(contenders: Sequence[Contender]) -> tuple[Rank, ...]:
    """Return the rank of each contender, in their order; each has enough repeats."""
    faster = [0] * len(contenders)
    slower = [0] * len(contenders)
    for pair in pairwise_differs([one.values for one in contenders]):
        low, high = sorted(pair, key=lambda i: statistics.geometric_mean(contenders[i].values))
        if not alike_by_ceiling(contenders[low], contenders[high]):
            faster[low] += 1
            slower[high] += 1
    return tuple(Rank(1 + above, len(contenders) - below) for above, below in zip(faster, slower, strict=True))


def alike_by_ceiling(one: Contender, other: Contender) -> bool:
    """Say whether the ceiling that two rows share may be all that their difference shows; both were measured.

    Near the ceiling, nearly all of a request's time is the wait, whatever the system is. So a difference counts only if it
    is shown to be more than half of what the faster one is above 90 % of the ceiling: 5 % at the ceiling, 2.5 % at 95 % of
    it, and any from 90 % down. There is no edge at which rows that are alike fall apart. Above the ceiling, where the wait
    cannot be what it is said to be, the share falls again, to none from 110 % up.
    """
    if one.ceiling is None or one.ceiling != other.ceiling:
        return False
    low, high = sorted((one, other), key=lambda contender: contender.median)
    explained = (NEAR_CEILING - abs(1 - high.median / one.ceiling)) / 2
    if explained <= 0:
        return False
    difference = welch(low.values, high.values)
    least = difference.low * low.median if difference else high.median
    return least * (1 - explained) <= low.median
