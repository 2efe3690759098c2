"""The value of an expression over samples, with its standard error by the delta method.

A value carries, for each sample, by how much each repeat moves it. So a sample that stands in an expression twice
counts once, and values that were measured in the same repeats may be correlated: throughput and latency of one row
are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from benchrig.statistics import bounded, estimate, student
from benchrig.statistics.estimate import NEGLIGIBLE, Estimate
from benchrig.statistics.interval import CONFIDENCE

Moves = Mapping[Hashable, tuple[float, ...]]
"""By a sample's name, how far each of its repeats moves its typical value, times their number and the slope of the value."""


@dataclass(frozen=True)
class Uncertain:
    """A value and what moves it. Without moves, it is known exactly."""

    value: float
    moves: Moves = field(default_factory=dict)

    @property
    def estimate(self) -> Estimate:
        """The value with its standard error, and the degrees of freedom by Welch and Satterthwaite."""
        parts = [(_variance(moves), len(moves) - 1) for moves in self.moves.values()]
        total = math.fsum(part for part, _ in parts)
        if not total:
            return Estimate(self.value, 0.0, 1.0)
        df = 1 / math.fsum((part / total) ** 2 / df for part, df in parts)
        return Estimate(self.value, math.sqrt(total), df)

    def ends(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the ends of its interval: of a difference of two samples, Welch's."""
        return self.estimate.interval(confidence) if self.moves else (self.value, self.value)

    def p_below(self, strictly: bool = True) -> float:
        """Return the p-value of a one-sided test: small where the true value is shown to be below 0.

        A value without an error is below 0 or not; `strictly` says whether 0 itself is not.
        """
        found = self.estimate
        if found.error > NEGLIGIBLE:
            return student.cdf(found.value / found.error, found.df)
        return 0.0 if self.value < 0 or (self.value == 0 and not strictly) else 1.0

    def __add__(self, other: Uncertain) -> Uncertain:
        return _combined(self.value + other.value, (self, 1.0), (other, 1.0))

    def __sub__(self, other: Uncertain) -> Uncertain:
        return _combined(self.value - other.value, (self, 1.0), (other, -1.0))

    def __mul__(self, other: Uncertain) -> Uncertain:
        # 0 times an infinite bound is 0, as an infinite bound is never reached.
        value = 0.0 if 0.0 in (self.value, other.value) else self.value * other.value
        return _combined(value, (self, other.value), (other, self.value))

    def inverse(self) -> Uncertain:
        """Return 1 over it. Raises ZeroDivisionError where it is 0."""
        inverse = 1 / self.value
        return _combined(inverse, (self, -inverse * inverse))

    def log(self) -> Uncertain:
        """Return its logarithm. Raises ValueError where it is not above 0."""
        return _combined(math.log(self.value), (self, 1 / self.value))


def of_sample(values: Sequence[float], name: Hashable) -> Uncertain:
    """Return the typical value of at least two repeats that are above 0, as `difference.welch` compares them."""
    if min(values) == max(values):
        # Without the rounding of logarithms.
        return Uncertain(values[0], {name: (0.0,) * len(values)})
    middle, moves = estimate.moves([math.log(value) for value in values])
    typical = bounded.exp(middle)
    return Uncertain(typical, {name: tuple(typical * move for move in moves)})


def of_interval(value: float, low: float, high: float, repeats: int, name: Hashable) -> Uncertain:
    """Return a value above 0 with the error that the wider side of its 95 % interval tells: that of a median.

    Its moves are no repeats: nothing that was measured in the same ones is correlated with it.
    """
    reach = max(math.log(high / value), math.log(value / low))
    error = reach / student.quantile((1 + CONFIDENCE) / 2, repeats - 1)
    # One up, one down, of this size, and the rest as they are, have that error.
    move = value * error * math.sqrt(repeats * (repeats - 1) / 2)
    return Uncertain(value, {name: (move, -move, *(0.0,) * (repeats - 2))})


def _variance(moves: Sequence[float]) -> float:
    """Return the variance of the typical value of a sample by its moves, whose mean is 0."""
    return math.fsum(move * move for move in moves) / (len(moves) * (len(moves) - 1))


def _combined(value: float, *terms: tuple[Uncertain, float]) -> Uncertain:
    """Return a value by its slopes; an infinite slope is that of a bound which is never reached."""
    moves: dict[Hashable, tuple[float, ...]] = {}
    for term, slope in terms:
        if not math.isfinite(slope):
            continue
        for name, of in term.moves.items():
            before = moves.get(name, (0.0,) * len(of))
            moves[name] = tuple(_sum(one, slope * move) for one, move in zip(before, of, strict=True))
    return Uncertain(value, moves)


def _sum(one: float, other: float) -> float:
    """Add two moves; what cancels out but for rounding is 0: `a / a` has no error."""
    total = one + other
    return 0.0 if abs(total) <= 1e-12 * (abs(one) + abs(other)) else total
