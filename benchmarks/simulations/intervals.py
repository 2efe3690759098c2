"""Intervals of a median: how often they hold the true one, and how wide they are."""

from __future__ import annotations

import math
import statistics
from random import Random

from benchmarks.simulations.cases import kinds, markdown, percent, spread_out, true_median
from benchrig.statistics import interval
from tests.support.noise import TRUE, Noise, repeats

COUNTS = range(3, 21)

Job = tuple[int, Noise, float, int]


def table(rounds: int = 4000) -> list[str]:
    """Return the coverage for each number of repeats and kind of noise, and the widths beside the plain interval's."""
    jobs = [(n, noise, true_median(noise), rounds) for n in COUNTS for noise in kinds().values()]
    found = dict(zip([(n, name) for n in COUNTS for name in kinds()], spread_out(coverage, jobs), strict=True))
    widths = dict(zip(COUNTS, spread_out(width, [(n, rounds) for n in COUNTS]), strict=True))
    rows = []
    for n in COUNTS:
        ours, plain = widths[n]
        rows.append(
            [str(n), *(percent(found[n, name]) for name in kinds()), percent(ours), percent(plain) if plain else "–"]
        )
    return markdown(["repeats", *kinds(), "width", "plain width"], rows)


def coverage(job: Job) -> float:
    """Return in which share of samples of so many repeats the interval holds the true median."""
    n, noise, true, rounds = job
    rng, inside = Random(n), 0
    for _ in range(rounds):
        found = interval.of_median(repeats(rng, n, noise))
        inside += found is not None and found.low <= true <= found.high
    return inside / rounds


def width(job: tuple[int, int]) -> tuple[float, float | None]:
    """Return the mean widths of the interval and of that between two whole order statistics, as shares of the true value."""
    n, rounds = job
    rng, widths, plains = Random(n), [], []
    for _ in range(rounds):
        values = sorted(repeats(rng, n, Noise()))
        found, k = interval.of_median(values), plain_rank(n)
        if found:
            widths.append(found.high - found.low)
        if k:
            plains.append(values[-k] - values[k - 1])
    return statistics.fmean(widths) / TRUE, statistics.fmean(plains) / TRUE if plains else None


def plain_rank(n: int) -> int:
    """Return k of the interval from the k-th lowest to the k-th highest value with at least 95 %; 0 where there is none."""
    k = 0
    while 1 - 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n >= interval.CONFIDENCE:
        k += 1
    return k
