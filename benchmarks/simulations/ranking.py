"""Ranks: whether equal systems share rank 1, and how often a slower one is found behind them."""

from __future__ import annotations

import itertools
from random import Random

from benchmarks.simulations.cases import SPREAD, kinds, markdown, percent, spread_out
from benchmarks.simulations.errors import STATES
from benchrig.statistics.ties import ranks
from tests.support.noise import Noise, repeats

SYSTEMS = (2, 6, 16)
COUNTS = (3, 6, 10, 20)
BEHIND = 0.1
"""By this share, the slow one of the systems is slower in the last columns."""


def table(rounds: int = 1000) -> list[str]:
    """Return for each number of systems and repeats how often equal ones share rank 1, and how often a slow one is last."""
    noises = {name: noise for name, noise in {**kinds(), **STATES}.items() if name != "boots"}
    grid = list(itertools.product(SYSTEMS, COUNTS))
    equal = spread_out(shared, [(k, n, noise, rounds) for k, n in grid for noise in noises.values()])
    last = spread_out(found, [(k, n, Noise(SPREAD), rounds) for k, n in grid])
    rows = []
    for i, (k, n) in enumerate(grid):
        shares = equal[i * len(noises) : (i + 1) * len(noises)]
        rows.append([str(k), str(n), *(percent(share) for share in shares), percent(last[i], 0)])
    return markdown(["systems", "repeats", *noises, f"one {BEHIND:.0%} slower, found"], rows)


def shared(job: tuple[int, int, Noise, int]) -> float:
    """Return the share of cases in which all of k equal systems have rank 1."""
    k, n, noise, rounds = job
    rng, good = Random(k * n), 0
    for _ in range(rounds):
        good += all(rank and rank.first == 1 for rank in ranks([repeats(rng, n, noise) for _ in range(k)]))
    return good / rounds


def found(job: tuple[int, int, Noise, int]) -> float:
    """Return the share of cases in which one slower system of k is behind all others, and they share rank 1."""
    k, n, noise, rounds = job
    rng, good = Random(k * n), 0
    for _ in range(rounds):
        samples = [repeats(rng, n, noise) for _ in range(k - 1)] + [repeats(rng, n, noise, 1 - BEHIND)]
        good += [rank and rank.first for rank in ranks(samples)] == [1] * (k - 1) + [k]
    return good / rounds
