"""Repeats with realistic noise, for simulations: log-normal, outliers, drift, noise that lasts, boots, two states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

TRUE = 1000.0


@dataclass(frozen=True)
class Noise:
    """The noise of repeats; all sizes are shares of the true value."""

    spread: float = 0.03
    """Standard deviation of the logarithms."""
    outliers: float = 0.0
    """Share of repeats that are slow by 5 to 30 %."""
    drift: float = 0.0
    """Change from the first repeat to the last."""
    lasting: float = 0.0
    """Autocorrelation of neighbours: AR(1)."""
    boots: float = 0.0
    """Standard deviation between two boots of the machine; all repeats of one call are of one boot."""
    states: float = 0.0
    """Distance of two states; each repeat is in one of them by chance."""


def repeats(rng: Random, count: int, noise: Noise, ratio: float = 1.0) -> list[float]:
    """Return the values of `count` repeats of a system whose true value is `ratio` times TRUE."""
    middle = math.log(TRUE * ratio) + rng.gauss(0, noise.boots)
    values, last = [], rng.gauss(0, 1)
    for i in range(count):
        fresh = rng.gauss(0, 1)
        last = fresh if i == 0 else noise.lasting * last + math.sqrt(1 - noise.lasting**2) * fresh
        at = middle + noise.spread * last + noise.drift * (i / max(1, count - 1) - 0.5)
        if rng.random() < noise.outliers:
            at += math.log1p(-rng.uniform(0.05, 0.3))
        if noise.states and rng.random() < 0.5:
            at -= noise.states
        values.append(math.exp(at))
    return values
