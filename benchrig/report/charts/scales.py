"""Scales of charts: from values to places, with round values for the lines of the grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Scale(Protocol):
    """Places for values."""

    def place(self, value: float) -> float:
        """Return the place of a value in pixels; one outside of the scale is at its end."""

    def ticks(self) -> Sequence[float]:
        """Return the round values that the grid has lines at."""


@dataclass(frozen=True)
class Linear:
    """Equal distances for equal differences."""

    low: float
    high: float
    start: float
    end: float
    count: int = 5
    """About how many ticks there are."""

    def place(self, value: float) -> float:
        """Return the place of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> Sequence[float]:
        """Return multiples of 1, 2 or 5 times a power of ten."""
        step = nice_step((self.high - self.low) / self.count)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Log:
    """Equal distances for equal ratios; values above 0."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return the place of a value."""
        low, high = math.log(self.low), math.log(self.high)
        share = (math.log(max(value, self.low)) - low) / ((high - low) or 1.0)
        return self.start + min(share, 1.0) * (self.end - self.start)

    def ticks(self) -> Sequence[float]:
        """Return 1, 2 and 5 times powers of ten over a small range, powers of ten alone over a large one."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1,) if self.high / self.low > 2000 else (1, 2, 5)
        values = [step * 10.0**power for power in powers for step in steps]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


def nice_step(about: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that is not below a positive number; 1 for others."""
    if not (about > 0 and math.isfinite(about)):
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= about * (1 - 1e-9))
