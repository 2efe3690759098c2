"""False differences: how often a family of 16 rows, in which nothing differs, has one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import fmean, stdev

from benchmarks.simulations.cases import SPREAD, kinds, markdown, percent, spread_out
from benchrig.statistics.difference import SIGNIFICANT, holm
from benchrig.statistics.estimate import Estimate, combined, of_logs
from benchrig.statistics.ranks import mann_whitney
from tests.support.noise import Noise, repeats

Test = Callable[[Sequence[float], Sequence[float]], float]
"""Returns the p-value of two samples."""

ROWS = 16
COUNTS = (3, 4, 5, 6, 8, 10, 15, 20)

STATES = {f"two states, {100 * spread:g} %": Noise(spread, states=0.05) for spread in (0.001, 0.003, 0.01)}
"""Each repeat is in one of two states, which are 5 % apart, and has so much noise of its own."""

UNEQUAL = "1 % against 5 %"
"""The spreads of A and B."""


def p_value(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the p-value of `difference.welch`, without the interval, which takes longer."""
    one, other = of_logs(a), of_logs(b)
    assert one
    assert other
    return combined([(1, other), (-1, one)]).p()


def plain_welch(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the p-value of Welch's test on logarithms with plain means, in which no outlier is held."""
    parts = []
    for values in (a, b):
        logs = [math.log(value) for value in values]
        parts.append(Estimate(fmean(logs), stdev(logs) / math.sqrt(len(logs)), len(logs) - 1))
    return combined([(1, parts[1]), (-1, parts[0])]).p()


TESTS: Mapping[str, Test] = {
    "ours": p_value,
    "plain Welch": plain_welch,
    "Mann–Whitney": mann_whitney,
}


def table(rounds: int = 1500) -> list[str]:
    """Return the share of families with a false difference for each number of repeats, test and kind of noise."""
    pairs = {name: (noise, noise) for name, noise in {**kinds(), **STATES}.items()}
    pairs[UNEQUAL] = Noise(0.01), Noise(0.05)
    jobs = [(n, one, other, rounds) for n in COUNTS for one, other in pairs.values()]
    found = dict(zip([(n, name) for n in COUNTS for name in pairs], spread_out(false, jobs), strict=True))
    rows = [[str(n), test, *(percent(found[n, name][test]) for name in pairs)] for n in COUNTS for test in TESTS]
    return markdown(["repeats", "test", *pairs], rows)


def false(job: tuple[int, Noise, Noise, int], tests: Mapping[str, Test] = TESTS) -> dict[str, float]:
    """Return for each test the share of families with a false difference, after Holm's correction."""
    n, one, other, rounds = job
    rng, counts = Random(n), dict.fromkeys(tests, 0)
    for _ in range(rounds):
        samples = [(repeats(rng, n, one), repeats(rng, n, other)) for _ in range(ROWS)]
        for name, test in tests.items():
            counts[name] += min(holm([test(a, b) for a, b in samples])) < SIGNIFICANT
    return {name: count / rounds for name, count in counts.items()}


def boots(job: tuple[int, float, int]) -> float:
    """Return the share of equal pairs of single runs called different, where boots differ by so many times the spread."""
    n, times, rounds = job
    rng, noise, found = Random(n), Noise(SPREAD, boots=SPREAD * times), 0
    for _ in range(rounds):
        found += p_value(repeats(rng, n, noise), repeats(rng, n, noise)) < SIGNIFICANT
    return found / rounds
