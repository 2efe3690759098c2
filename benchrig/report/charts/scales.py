"""Scales of charts: from values to places, with round values for the lines of the grid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

_FAR = 3.0
"""Times the largest value, or of the least one."""

_MANY = 25.0
"""From this ratio of the largest value to the least on, the least ones would lie on each other at 0."""


class Scale(Protocol):
    """Places for values."""

    def place(self, value: float) -> float:
        """Return the place of a value in pixels; one outside of the scale is at its end."""

    def ticks(self) -> Sequence[float]:
        """Return the round values that the grid has lines at."""

    def choices(self) -> Iterator[Sequence[float]]:
        """Yield the same, and then fewer and fewer, for where their texts do not fit."""

    def holds(self, value: float) -> bool:
        """Say whether a value is within the scale."""

    @property
    def is_log(self) -> bool:
        """Equal distances stand for equal ratios."""


@dataclass(frozen=True)
class Linear:
    """Equal distances for equal differences."""

    low: float
    high: float
    start: float
    end: float
    count: int = 5
    """About how many ticks there are."""

    @property
    def is_log(self) -> bool:
        """Equal distances stand for equal differences."""
        return False

    def place(self, value: float) -> float:
        """Return the place of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Say whether a value is within the scale."""
        return self.low <= value <= self.high

    def ticks(self) -> Sequence[float]:
        """Return multiples of 1, 2 or 5 times a power of ten."""
        return next(self.choices())

    def choices(self) -> Iterator[Sequence[float]]:
        """Yield multiples of larger and larger steps."""
        for count in range(self.count, 0, -1):
            step = nice_step((self.high - self.low) / count)
            first = math.ceil(self.low / step - 1e-9)
            yield [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Log:
    """Equal distances for equal ratios; values above 0."""

    low: float
    high: float
    start: float
    end: float

    @property
    def is_log(self) -> bool:
        """Equal distances stand for equal ratios."""
        return True

    def place(self, value: float) -> float:
        """Return the place of a value; that of 0 is the scale's start."""
        low, high = math.log(self.low), math.log(self.high)
        share = (math.log(max(value, self.low)) - low) / ((high - low) or 1.0)
        return self.start + min(share, 1.0) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Say whether a value is within the scale."""
        return self.low <= value <= self.high

    def ticks(self) -> Sequence[float]:
        """Return 1, 2 and 5 times powers of ten over a small range, powers of ten alone over a large one."""
        return next(self.choices())

    def choices(self) -> Iterator[Sequence[float]]:
        """Yield these, then 1 and 3 times powers of ten, then powers alone, then every second one, every third one."""
        low, high = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        inside = [
            [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]
            for values in (
                *([step * 10.0**power for power in range(low, high + 1) for step in steps] for steps in ((1, 2, 5), (1, 3))),
                *([10.0**power for power in range(low, high + 1, every)] for every in range(1, high - low + 2)),
            )
        ]
        if len(inside[0]) < 3:
            # Within less than a decade, powers of ten say too little.
            yield from Linear(self.low, self.high, self.start, self.end).choices()
            return
        yield from (values for number, values in enumerate(inside) if number > 1 or self.high / self.low <= 2000)


def spanning(
    values: Iterable[float], start: float, end: float, *, log: bool | None = None, from_zero: bool = True, count: int = 5
) -> Scale:
    """Return a scale over all of these values, with round ends.

    Without `log`, it has equal ratios where the values span more than `suits_log` says. One of equal differences starts at
    0, unless `from_zero` is false.
    """
    finite = [value for value in values if math.isfinite(value)]
    if log or (log is None and suits_log(finite)):
        positive = [value for value in finite if value > 0] or [1.0]
        low, high = _round_down(min(positive)), _round_up(max(positive))
        return Log(low, high if high > low else 10 * low, start, end)
    high = max(finite, default=1.0)
    low = min(finite, default=0.0)
    low = min(low, 0.0) if from_zero else low
    if low >= high:
        low, high = (0.0, high) if high > 0 else (low, low + 1.0)
    step = nice_step((high - low) / count)
    return Linear(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end, count)


def with_ends(values: Sequence[float], ends: Iterable[float]) -> list[float]:
    """Return values and the ends of their intervals, for a scale: an end that is far from all values is left out of it.

    The interval of a few very different repeats may be millions of times as wide as they are.
    """
    low, high = min(values, default=0.0) / _FAR, max(values, default=0.0) * _FAR
    return [*values, *(end for end in ends if low <= end <= high)]


def suits_log(values: Iterable[float]) -> bool:
    """Say whether values are so different that equal distances for equal differences would hide the small ones."""
    positive = [value for value in values if value > 0]
    return bool(positive) and max(positive) > _MANY * min(positive)


def nice_step(about: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that is not below a positive number; 1 for others."""
    if not (about > 1e-300 and math.isfinite(about)):
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= about * (1 - 1e-9))


def _round_up(value: float) -> float:
    return nice_step(value)


def _round_down(value: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))
