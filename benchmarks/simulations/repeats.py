"""Repeats: how often the checks of `statistics/repeats.py` are wrong, what they find, and what `bench --until` ends with."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from benchrig.bench.goal import is_within
from benchrig.statistics import interval
from benchrig.statistics import repeats as checks
from tests.support.noise import Noise, repeats

TRUE = 1000.0
"""The true value of the simulated rows."""

SIZES = (6, 8, 10, 15, 20, 30, 50)
CALM, ROUGH = Noise(0.03), Noise(0.03, outliers=0.05)

CHECKS: dict[str, Callable[[Sequence[float]], bool]] = {
    "drift": lambda values: checks.drift(values) is not None,
    "autocorrelation": lambda values: checks.correlation(values) is not None,
    "two states": lambda values: checks.two_states(values) is not None,
    "outliers": lambda values: bool(checks.outliers(values)),
}

Source = Callable[[Random, int], list[float]]
"""Makes the values of so many repeats."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with simulated repeats, and the check that is to find it."""

    text: str
    check: str
    source: Source


def of(noise: Noise) -> Source:
    """Return the source of repeats with some noise."""
    return lambda rng, n: repeats(rng, n, noise)


def in_two_states(distance: float, share: float = 0.5) -> Source:
    """Return the source of repeats of which a share is slower by a share; the spread within each state is 1 %."""

    def make(rng: Random, n: int) -> list[float]:
        values = repeats(rng, n, Noise(0.01))
        return [value * (1 - distance) if rng.random() < share else value for value in values]

    return make


def with_outlier(size: float) -> Source:
    """Return the source of repeats of which one, at any place, is slower by a share."""

    def make(rng: Random, n: int) -> list[float]:
        values = repeats(rng, n, CALM)
        values[rng.randrange(n)] = TRUE * (1 - size)
        return values

    return make


FAULTS = (
    Fault("drift of 5 %", "drift", of(Noise(0.03, drift=0.05))),
    Fault("drift of 10 %", "drift", of(Noise(0.03, drift=0.1))),
    Fault("AR(1), 0.5", "autocorrelation", of(Noise(0.03, lasting=0.5))),
    Fault("AR(1), 0.8", "autocorrelation", of(Noise(0.03, lasting=0.8))),
    Fault("half of them 6 % slower, spread 1 %", "two states", in_two_states(0.06)),
    Fault("half of them 10 % slower, spread 1 %", "two states", in_two_states(0.1)),
    Fault("one 15 % slower", "outliers", with_outlier(0.15)),
    Fault("one 30 % slower", "outliers", with_outlier(0.3)),
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


def stopped(goal: float, spread: float, least: int, cases: int, most: int = 100, seed: int = 1) -> Stopped:
    """Return what rows end with that are measured until their interval is within a share; `most` rounds fit in the time."""
    rng = Random(f"{seed} {goal} {spread} {least}")
    covered = reached = 0
    rounds: list[int] = []
    for _ in range(cases):
        values = repeats(rng, most, Noise(spread))
        n = next((n for n in range(least, most + 1) if is_within(values[:n], 100 * goal)), most)
        found = interval.of_median(values[:n])
        assert found
        covered += found.low <= TRUE <= found.high
        reached += is_within(values[:n], 100 * goal)
        rounds.append(n)
    return Stopped(covered / cases, statistics.fmean(rounds), reached / cases)


def table(cases: int = 4000) -> list[str]:
    """Return the lines of the section in docs/statistics.md."""
    return [*_alarms(cases), "", *_power(max(200, cases // 4)), "", *_stopping(max(200, cases // 4))]


def _alarms(cases: int) -> list[str]:
    lines = [f"| found in sound repeats ({cases:,} cases each) | {' | '.join(f'n = {n}' for n in SIZES)} |"]
    lines.append("|---|" + "---|" * len(SIZES))
    for name in CHECKS:
        lines.append(f"| {name}, spread 3 % | {' | '.join(_percent(share(name, of(CALM), n, cases)) for n in SIZES)} |")
    for name in ("drift", "autocorrelation", "two states"):
        found = (_percent(share(name, of(ROUGH), n, cases)) for n in SIZES)
        lines.append(f"| {name}, and outliers in 5 % | {' | '.join(found)} |")
    return lines


def _power(cases: int) -> list[str]:
    lines = [f"| found of what is there ({cases:,} cases each) | {' | '.join(f'n = {n}' for n in SIZES)} |"]
    lines.append("|---|" + "---|" * len(SIZES))
    for fault in FAULTS:
        found = (f"{100 * share(fault.check, fault.source, n, cases):.0f} %" for n in SIZES)
        lines.append(f"| {fault.check}: {fault.text} | {' | '.join(found)} |")
    return lines


def _stopping(cases: int) -> list[str]:
    lines = [
        f"| `--until` ({cases:,} cases each, 100 rounds at most) | spread | least | rounds | reached | covered |",
        "|---|---|---|---|---|---|",
    ]
    for goal, spread, least in ((0.05, 0.03, 6), (0.02, 0.03, 6), (0.02, 0.01, 6), (0.02, 0.03, 3), (0.01, 0.03, 6)):
        found = stopped(goal, spread, least, cases)
        shares = f"{_percent(found.reached)} | {_percent(found.covered)}"
        lines.append(f"| ±{100 * goal:g} % | {100 * spread:g} % | {least} | {found.rounds:.1f} | {shares} |")
    return lines


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


if __name__ == "__main__":
    print("\n".join(table()))
