"""The exponential function, bounded: a stored value of 1e-300 among normal ones makes logarithms that no power answers."""

from __future__ import annotations

import math

LARGEST = 700.0
"""The greatest logarithm that is not cut: e to this power is 1e304, near the greatest number."""


def exp(logarithm: float) -> float:
    """Return e to the power of a logarithm, 1e304 at most."""
    return math.exp(min(logarithm, LARGEST))


def expm1(logarithm: float) -> float:
    """Return e to the power of a logarithm, minus 1: a share, exact for small ones."""
    return math.expm1(min(logarithm, LARGEST))
