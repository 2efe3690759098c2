"""Units: how a value is written for people. Tables, comparisons, claims and warnings write values through this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NOTHING = "–"
"""Means no value."""


@dataclass(frozen=True)
class Unit:
    """A unit of a metric."""

    name: str
    """Stands behind a number in a sentence: `ms`, `requests/s`; empty for a plain number."""
    ending: str
    """What the name of a metric in this unit ends with: `_ms`; empty where the name does not say the unit."""
    write: Callable[[float], str]
    """Returns a value as a table shows it."""

    def text(self, value: float | None) -> str:
        """Return a value as a table shows it, or a dash where there is none."""
        return NOTHING if value is None else self.write(value)


def milliseconds(value: float) -> str:
    """Write a latency, given in milliseconds, in the unit that suits it: `560µs`, `65.47ms`, `1.99s`."""
    if value > 0 and round(value * 1000) < 1000:
        return f"{value * 1000:.0f}µs"
    return f"{value:.2f}ms" if round(value, 2) < 1000 else f"{value / 1000:.2f}s"


def microseconds(value: float) -> str:
    """Write a round-trip time, given in microseconds: `85 µs`, `1.24 ms`."""
    return f"{value:.0f} µs" if value < 1000 else f"{value / 1000:.3g} ms"


def bits_per_second(value: float) -> str:
    """Write a bandwidth with three digits: `9.41 Gbit/s`, `87.3 Mbit/s`."""
    unit, name = (1e9, "Gbit/s") if value >= 1e9 else (1e6, "Mbit/s")
    return f"{value / unit:.3g} {name}"


def size(value: float) -> str:
    """Write an amount of data, given in bytes, with three digits: `512 B`, `38.1 MiB`."""
    power = next((power for power in range(4) if abs(value) < 1000 * 1024**power), 4)
    return f"{value / 1024**power:.{3 if power else 6}g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def ratio(value: float | None) -> str:
    """Write a quotient with two decimals, and one of 100 or more without; a dash for None."""
    return NOTHING if value is None else f"{value:,.{2 if value < 100 else 0}f}"


def around(median: float, low: float, high: float) -> str:
    """Write two values by how far they are from their median: `-3%/+5%`; a dash where the median is 0."""
    return f"{low / median - 1:+.0%}/{high / median - 1:+.0%}" if median else NOTHING


def number(value: float) -> str:
    """Write a number for a sentence: with four digits, or with all digits before its point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


MILLISECONDS = Unit("ms", "_ms", milliseconds)
REQUESTS_PER_SECOND = Unit("requests/s", "_per_second", lambda value: f"{value:,.2f}")
PERCENT_OF_A_CORE = Unit("% of a core", "_percent", lambda value: f"{value:.0f}%")
BYTES = Unit("bytes", "_bytes", size)
COUNT = Unit("", "", lambda value: f"{value:,.0f}")
NUMBER = Unit("", "", lambda value: f"{value:,.2f}")
