"""What the simulations share: kinds of noise, both cores, a table in Markdown."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import NormalDist
from typing import TypeVar

from tests.support.noise import TRUE, Noise

Job = TypeVar("Job")
Result = TypeVar("Result")

SPREAD = 0.03

LASTING = 0.5
"""Autocorrelation of neighbouring repeats."""


def kinds(spread: float = SPREAD) -> Mapping[str, Noise]:
    """Return the kinds of noise: each is the plain one, and one trouble."""
    return {
        "log-normal": Noise(spread),
        "outliers 5 %": Noise(spread, outliers=0.05),
        "drift": Noise(spread, drift=spread),
        "AR(1) 0.5": Noise(spread, lasting=LASTING),
        "boots": Noise(spread, boots=spread),
    }


def spread_out(work: Callable[[Job], Result], jobs: Sequence[Job], processes: int | None = None) -> list[Result]:
    """Return the results of the jobs in their order, from all cores."""
    cores = processes or os.cpu_count() or 1
    if cores == 1:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(cores) as pool:
        return list(pool.map(work, jobs, chunksize=max(1, len(jobs) // (8 * cores))))


def true_median(noise: Noise) -> float:
    """Return the median of the distribution that single repeats have: outliers shift it, all else is even around it."""
    if not noise.outliers:
        return TRUE
    normal, slow = NormalDist(0, noise.spread), [0.05 + 0.25 * (i + 0.5) / 100 for i in range(100)]

    def below(at: float) -> float:
        outlying = sum(normal.cdf(at - math.log1p(-share)) for share in slow) / len(slow)
        return (1 - noise.outliers) * normal.cdf(at) + noise.outliers * outlying

    low, high = -noise.spread, noise.spread
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.5 else (low, middle)
    return TRUE * math.exp(low)


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; all columns but the first are figures."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def percent(share: float, digits: int = 1) -> str:
    """Return a share as `95.2`, without its sign: the heading of the table has it."""
    return f"{100 * share:.{digits}f}"
