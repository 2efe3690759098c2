"""Repeats: how often the checks of `statistics/repeats.py` are wrong, what they find, and what `bench --until` ends with."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from benchmarks.simulations.cases import markdown, percent, spread_out
from benchrig.bench.goal import within_percent
from benchrig.statistics import interval
from benchrig.statistics import repeats as checks
from tests.support.noise import TRUE, Noise, repeats

SIZES = (6, 8, 10, 15, 20, 30, 50)
CALM, ROUGH = Noise(0.03), Noise(0.03, outliers=0.05)

CHECKS: dict[str, Callable[[Sequence[float]], bool]] = {
    "drift": lambda values: checks.drift(values) is not None,
    "autocorrelation": lambda values: checks.correlation(values) is not None,
    "two states": lambda values: checks.two_states(values) is not None,
    "outliers": lambda values: bool(checks.outliers(values)),
}

GOALS = ((0.05, 0.03, 6), (0.03, 0.03, 6), (0.02, 0.03, 6), (0.02, 0.03, 3), (0.02, 0.01, 6), (0.01, 0.03, 6))
"""Goal and spread as shares, and the least number of rounds."""

MOST_ROUNDS = 100
"""As many fit into the time."""

Source = Callable[[Random, int], list[float]]
"""Makes the values of so many repeats."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with simulated repeats, and the check that is to find it."""

    text: str
    check: str
    source: Source


def of_noise(noise: Noise) -> Source:
    """Return the source of repeats with some noise."""
    return partial(repeats, noise=noise)


def in_two_states(rng: Random, n: int, distance: float) -> list[float]:
    """Return repeats of which about half are slower by a share; the spread within each state is 1 %."""
    return [value * (1 - distance) if rng.random() < 0.5 else value for value in repeats(rng, n, Noise(0.01))]


def with_outlier(rng: Random, n: int, size: float) -> list[float]:
    """Return repeats of which one, at any place, is slower by a share."""
    values = repeats(rng, n, CALM)
    values[rng.randrange(n)] = TRUE * (1 - size)
    return values


FAULTS = (
    Fault("drift of 5 %", "drift", of_noise(Noise(0.03, drift=0.05))),
    Fault("drift of 10 %", "drift", of_noise(Noise(0.03, drift=0.1))),
    Fault("AR(1), 0.5", "autocorrelation", of_noise(Noise(0.03, lasting=0.5))),
    Fault("AR(1), 0.8", "autocorrelation", of_noise(Noise(0.03, lasting=0.8))),
    Fault("half are 6 % slower, spread 1 %", "two states", partial(in_two_states, distance=0.06)),
    Fault("half are 10 % slower, spread 1 %", "two states", partial(in_two_states, distance=0.1)),
    Fault("one 15 % slower", "outliers", partial(with_outlier, size=0.15)),
    Fault("one 30 % slower", "outliers", partial(with_outlier, size=0.3)),
)


def share(check: str, source: Source, n: int, cases: int, seed: int = 1) -> float:
    """Return in which share of cases a check finds something in `n` repeats."""
    rng = Random(f"{seed} {check} {n}")
    return sum(CHECKS[check](source(rng, n)) for _ in range(cases)) / cases


def limit(n: int, cases: int, seed: int = 1) -> float:
    """Return what the best split of normal repeats explains of their squares in one of a hundred cases, or more."""
    rng = Random(f"{seed} {n}")
    found = sorted(checks.best_split([rng.gauss(0, 1) for _ in range(n)])[0] for _ in range(cases))
    return found[math.ceil(0.99 * cases) - 1]


@dataclass(frozen=True)
class Stopped:
    """What a run with `--until` ended with, over many cases."""

    covered: float
    """Share of intervals that have the true median in them."""
    rounds: float
    """Mean number of rounds."""
    reached: float
    """Share of cases that reached their goal."""


def stopped(goal: float, spread: float, least: int, cases: int, most: int = MOST_ROUNDS, seed: int = 1) -> Stopped:
    """Return what rows end with that are measured until their interval is within a share; `most` rounds fit in the time."""
    rng = Random(f"{seed} {goal} {spread} {least}")
    covered = reached = 0
    rounds: list[int] = []
    for _ in range(cases):
        values = repeats(rng, most, Noise(spread))
        n = next((n for n in range(least, most + 1) if _is_within(values[:n], goal)), most)
        found = interval.of_median(values[:n])
        assert found
        covered += found.low <= TRUE <= found.high
        reached += _is_within(values[:n], goal)
        rounds.append(n)
    return Stopped(covered / cases, statistics.fmean(rounds), reached / cases)


def _is_within(values: Sequence[float], goal: float) -> bool:
    half = within_percent(values)
    return half is not None and half <= 100 * goal


def table(cases: int = 4000) -> list[str]:
    """Return what the checks find by chance, what they find of faults, and what runs with `--until` end with."""
    sizes = [f"n = {n}" for n in SIZES]
    power = max(100, cases // 4)
    return [
        *markdown(["found by chance, %", *sizes], _alarms(cases)),
        "",
        *markdown(["found of faults, %", *sizes], _power(power)),
        "",
        *markdown(["goal, %", "spread, %", "least rounds", "mean rounds", "reached, %", "covered, %"], _stopping(power)),
    ]


def _alarms(cases: int) -> list[list[str]]:
    grid = [(name, CALM, "") for name in CHECKS]
    grid += [(name, ROUGH, ", and 5 % are outliers") for name in ("drift", "autocorrelation", "two states")]
    found = iter(spread_out(_share, [(name, of_noise(noise), n, cases) for name, noise, _ in grid for n in SIZES]))
    return [[f"{name}{and_}", *(percent(next(found)) for _ in SIZES)] for name, _, and_ in grid]


def _power(cases: int) -> list[list[str]]:
    jobs = [(fault.check, fault.source, n, cases) for fault in FAULTS for n in SIZES]
    found = iter(spread_out(_share, jobs))
    return [[f"{fault.check}: {fault.text}", *(percent(next(found), 0) for _ in SIZES)] for fault in FAULTS]


def _stopping(cases: int) -> list[list[str]]:
    jobs = [(goal, spread, least, cases) for goal, spread, least in GOALS]
    return [
        [
            f"±{100 * goal:g}",
            f"{100 * spread:g}",
            str(least),
            f"{one.rounds:.1f}",
            percent(one.reached),
            percent(one.covered),
        ]
        for (goal, spread, least, _), one in zip(jobs, spread_out(_stopped, jobs), strict=True)
    ]


def _share(job: tuple[str, Source, int, int]) -> float:
    return share(*job)


def _stopped(job: tuple[float, float, int, int]) -> Stopped:
    return stopped(*job)
