"""Warnings about latencies that no replies can have: bounds that hold for any distribution, and need no tolerance.

Mean, standard deviation, percentiles and maximum must be of one histogram, and a percentile p the value at rank p·n + 1/2,
rounded, of n values: then both bounds of the mean follow exactly. `generators/` says for which versions of a load generator
that is so. Printed digits are rounded: each figure is a range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from benchrig.language import later
from benchrig.results.codes import Code
from benchrig.results.warnings import Unit, Value, Warning, number

_DEEPEST = 64
"""Pipelining that is not known: one latency is kept for so many requests at most."""


_MINIMUM, _MEAN, _MAXIMUM = later("minimum"), later("mean"), later("maximum")


@dataclass(frozen=True)
class Latencies:
    """The latencies of one histogram in milliseconds; None where one is not known."""

    mean: float | None
    stdev: float | None
    max: float | None
    percentiles: Mapping[str, float]
    min: float | None = None
    count: int = 0
    """How many requests there were."""
    rounded: bool = False
    """They have the digits that a load generator prints."""
    resolution: float = 0.0
    """Of the histogram: the share of a value by which it may be wrong."""


@dataclass(frozen=True)
class _Range:
    low: float
    high: float


def half_digit(milliseconds: float) -> float:
    """Return half of the last digit of a printed time: two digits behind the point of us, ms, s or m."""
    unit = next((unit for least, unit in ((51_000, 60_000), (1000, 1000), (0.85, 1)) if milliseconds >= least), 0.001)
    # A value at the edge of two units may have been rounded across it.
    return 0.00501 * unit


def impossible(latencies: Latencies) -> Iterator[Warning]:
    """Yield a warning for each bound that the latencies break; where they are out of order, for that alone."""
    out_of_order = [*_order(latencies)]
    yield from out_of_order or (*_mean(latencies), *_stdev(latencies))


def _range(value: float, latencies: Latencies) -> _Range:
    half = (half_digit(value) if latencies.rounded else 0.001) + latencies.resolution * value
    return _Range(max(0.0, value - half), value + half)


def _order(latencies: Latencies) -> Iterator[Warning]:
    percentiles = [(f"p{name}", value) for name, value in _sorted(latencies)]
    lines: list[list[tuple[str, float | None]]] = [
        [*percentiles, (_MAXIMUM, latencies.max)],
        [(_MINIMUM, latencies.min), (_MEAN, latencies.mean), (_MAXIMUM, latencies.max)],
    ]
    for line in lines:
        known = [(name, value) for name, value in line if value is not None]
        for (lower, low), (upper, high) in pairwise(known):
            if _range(low, latencies).low > _range(high, latencies).high:
                values: dict[str, Value] = {
                    "case": "order",
                    "lower": lower,
                    "low": number(low, Unit.MILLISECONDS),
                    "upper": upper,
                    "high": number(high, Unit.MILLISECONDS),
                }
                yield _warning(values)


def _mean(latencies: Latencies) -> Iterator[Warning]:
    """Hold the mean against the least and the most that the percentiles and the maximum allow."""
    known = [(float(name) / 100, _range(value, latencies)) for name, value in _sorted(latencies)]
    if latencies.mean is None or not known:
        return
    mean, shares = _range(latencies.mean, latencies), [share for share, _ in known]
    least = sum((after - share) * value.low for (share, value), after in zip(known, [*shares[1:], 1.0], strict=True))
    values: dict[str, Value] = {"mean": number(latencies.mean, Unit.MILLISECONDS)}
    if mean.high < least:
        yield _warning({"case": "below", "least": number(least, Unit.MILLISECONDS), **values})
    if latencies.max is None:
        return
    most = sum((share - before) * value.high for (share, value), before in zip(known, [0.0, *shares[:-1]], strict=True))
    most += (1.0 - shares[-1]) * _range(latencies.max, latencies).high
    if mean.low > most:
        yield _warning({"case": "above", "most": number(most, Unit.MILLISECONDS), **values})


def _stdev(latencies: Latencies) -> Iterator[Warning]:
    """Hold the standard deviation against the most that values from 0 to the maximum can have around this mean.

    Source: R. Bhatia and C. Davis, A Better Bound on the Variance, American Mathematical Monthly 107 (2000).
    """
    if latencies.mean is None or latencies.stdev is None or latencies.max is None:
        return
    mean, highest = _range(latencies.mean, latencies), _range(latencies.max, latencies).high
    centre = min(max(highest / 2, mean.low), mean.high)
    # Of a sample of n values, the variance is divided by n - 1.
    n = max(2, latencies.count // _DEEPEST)
    most = math.sqrt(max(0.0, centre * (highest - centre)) * n / (n - 1))
    if _range(latencies.stdev, latencies).low > most:
        values: dict[str, Value] = {
            "case": "stdev",
            "most": number(most, Unit.MILLISECONDS),
            "stdev": number(latencies.stdev, Unit.MILLISECONDS),
        }
        yield _warning(values)


def _sorted(latencies: Latencies) -> list[tuple[str, float]]:
    return sorted(latencies.percentiles.items(), key=lambda item: float(item[0]))


def _warning(values: dict[str, Value]) -> Warning:
    return Warning(Code.LATENCY_IMPOSSIBLE, values=values, invalid=True)
