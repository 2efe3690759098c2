"""Simulates sessions of `./inv ab` on machines whose boots differ, beside the analysis that does not know of boots.

    python -m benchmarks.simulations.boots

Each boot has a level of its own, which A and B share. Where a variant also has one of its own in each boot, such as its
layout in memory, pairs of a boot agree more than those of several boots do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from benchmarks.simulations.cases import markdown, percent, spread_out
from benchrig.ab.design import order
from benchrig.statistics.boots import LEAST_KNOWN, Paired, Spread, compare, spread, welch_between_boots
from benchrig.statistics.difference import SIGNIFICANT, welch
from benchrig.statistics.means import geometric
from tests.support.noise import Noise, repeats

BOOTS = 8
PAIRS = 2
REPEATS = 6
"""Of a single run."""
SEED = 12
DIFFERENCE = 0.97
"""B over A, where they differ: slower by 3 %."""


@dataclass(frozen=True)
class Case:
    """A machine: the noise of repeats in a boot, and how far boots differ."""

    name: str
    noise: Noise
    shared: float
    """Standard deviation of the level of a boot, which A and B share."""
    own: float
    """That of each variant's own level in a boot."""


CASES = (
    Case("repeats vary by 2 %, boots do not", Noise(spread=0.02), 0.0, 0.0),
    Case("boots by 2 %, too", Noise(spread=0.02), 0.02, 0.0),
    Case("boots by 5 %", Noise(spread=0.02), 0.05, 0.0),
    Case("and each variant by 1 % in each boot", Noise(spread=0.02), 0.02, 0.01),
    Case("and each variant by 2 %", Noise(spread=0.02), 0.02, 0.02),
    Case("a drift of 2 % in each boot", Noise(spread=0.02, drift=-0.02), 0.02, 0.01),
    Case("noise that lasts (AR 0.5)", Noise(spread=0.02, lasting=0.5), 0.02, 0.01),
    Case("5 % outliers", Noise(spread=0.02, outliers=0.05), 0.02, 0.01),
)


def session(
    rng: Random, case: Case, ratio: float, boots: int = BOOTS, pairs: int = PAIRS
) -> list[list[tuple[float, float]]]:
    """Return the pairs of each boot of a session; `ratio` is the true one of B to A."""
    found = []
    for turns in order(boots, pairs, rng.randrange(2**32)):
        levels = {side: math.exp(rng.gauss(0, case.own)) for side in "AB"}
        shared = math.exp(rng.gauss(0, case.shared))
        values = repeats(rng, 2 * pairs, case.noise)
        for at, side in enumerate(turns):
            values[at] *= shared * levels[side] * (ratio if side == "B" else 1.0)
        two = [dict(zip(turns[at : at + 2], values[at : at + 2], strict=True)) for at in range(0, 2 * pairs, 2)]
        found.append([(one["A"], one["B"]) for one in two])
    return found


def single_runs(rng: Random, case: Case, ratio: float, count: int = BOOTS * PAIRS) -> tuple[list[float], list[float]]:
    """Return the repeats of two runs, each in a boot of its own, with as many measurements as a session has."""
    boots = math.hypot(case.shared, case.own)
    both = [repeats(rng, count, case.noise) for _ in range(2)]
    levels = [math.exp(rng.gauss(0, boots)) for _ in range(2)]
    return [value * levels[0] for value in both[0]], [value * levels[1] * ratio for value in both[1]]


def share(rounds: int, found: Callable[[], bool]) -> float:
    """Return in what share of rounds something is found."""
    return sum(found() for _ in range(rounds)) / rounds


def is_found(paired: Paired | None) -> bool:
    """Return whether a session shows a difference."""
    return paired is not None and paired.p is not None and paired.p < SIGNIFICANT


def covers(paired: Paired | None, ratio: float) -> bool:
    """Return whether a session's interval has the true ratio in it."""
    return paired is not None and paired.low is not None and paired.high is not None and paired.low <= ratio <= paired.high


def naive(runs: tuple[Sequence[float], Sequence[float]]) -> bool:
    """Return whether a test that does not know of boots shows a difference of two runs."""
    found = welch(*runs)
    return found is not None and found.p < SIGNIFICANT


def pooled(pairs: Sequence[Sequence[tuple[float, float]]]) -> bool:
    """Return whether a paired test that takes all pairs for independent shows a difference."""
    return is_found(compare([[pair] for boot in pairs for pair in boot]))


def known(rng: Random, case: Case, boots: int = BOOTS) -> Spread | None:
    """Return the spread that an A/A session finds."""
    found = session(rng, case, 1.0, boots)
    return spread([[a for a, _ in pairs] for pairs in found], [[b for _, b in pairs] for pairs in found])


def informed(rng: Random, case: Case) -> bool:
    """Return whether two equal single runs are called different, when an A/A session has told how far boots differ."""
    found, difference = known(rng, case), None
    if found:
        difference = welch_between_boots(*single_runs(rng, case, 1.0), found)
    return difference is not None and difference.p < SIGNIFICANT


def rows_of_runs(rng: Random, case: Case, rows: int) -> list[tuple[list[float], list[float]]]:
    """Return the repeats of equal rows in two single runs: all rows of a run share what its boot does to them."""
    levels = [math.exp(rng.gauss(0, math.hypot(case.shared, case.own))) for _ in range(2)]
    both = [[[level * value for value in repeats(rng, REPEATS, case.noise)] for level in levels] for _ in range(rows)]
    return [(a, b) for a, b in both]


def mean_misses(rng: Random, case: Case, rows: int, *, is_known: bool) -> bool:
    """Return whether the interval of the geometric mean over equal rows of two single runs leaves out 1.

    If the spread between boots is known, an A/A session has told it, of one row as of all.
    """
    found = known(rng, case) if is_known else None
    differences = [one for pair in rows_of_runs(rng, case, rows) if (one := welch(*pair))]
    mean = geometric(differences, [found] * rows if found else [])
    return mean is not None and not mean.low <= 1 <= mean.high


def called(rng: Random, case: Case, boots: int) -> tuple[bool, bool]:
    """Return whether equal runs of REPEATS are called different after an A/A session of so many boots, and others found.

    The others differ by 10 %.
    """
    found, ((a, b),) = known(rng, case, boots), rows_of_runs(rng, case, 1)
    assert found
    equal, other = (welch_between_boots(a, [value * by for value in b], found) for by in (1.0, 0.9))
    return equal is not None and equal.p < SIGNIFICANT, other is not None and other.p < SIGNIFICANT


HEADINGS = (
    "noise",
    "single runs: false",
    "with the spread of an A/A: false",
    "pairs as independent: false",
    "`ab`: false",
    "`ab`: covers",
    "`ab`: finds 3 %",
)


def line(job: tuple[Case, int]) -> list[str]:
    """Return a row of the table, of a case and a number of sessions."""
    case, rounds = job
    rng = Random(SEED)
    columns = [
        share(rounds, lambda: naive(single_runs(rng, case, 1.0))),
        share(rounds, lambda: informed(rng, case)),
        share(rounds, lambda: pooled(session(rng, case, 1.0))),
        share(rounds, lambda: is_found(compare(session(rng, case, 1.0)))),
        share(rounds, lambda: covers(compare(session(rng, case, DIFFERENCE)), DIFFERENCE)),
        share(rounds, lambda: is_found(compare(session(rng, case, DIFFERENCE)))),
    ]
    return [case.name, *map(percent, columns)]


COUNTS = (LEAST_KNOWN, 8, 16)
"""Boots of an A/A session."""

ROWS = (1, 3, 5, 16)


def few(job: tuple[int, int]) -> list[str]:
    """Return a row of the table of A/A sessions: so many boots, and a number of sessions."""
    boots, rounds = job
    rng, columns = Random(SEED), []
    for case in CASES[:3]:
        found = [called(rng, case, boots) for _ in range(rounds)]
        columns += [sum(one[at] for one in found) / rounds for at in range(2)]
    return [str(boots), *map(percent, columns)]


def means(job: tuple[int, int]) -> list[str]:
    """Return a row of the table of geometric means over so many rows."""
    rows, rounds = job
    rng = Random(SEED)
    columns = [
        share(rounds, partial(mean_misses, rng, case, rows, is_known=is_known))
        for case in CASES[:3]
        for is_known in (False, True)
    ]
    return [str(rows), *map(percent, columns)]


_MACHINES = ("boots equal", "boots 2 %", "boots 5 %")


def table(rounds: int = 10_000) -> list[str]:
    """Return false differences, coverage and power of sessions of BOOTS boots with PAIRS pairs each, and of single runs."""
    return [
        *markdown(HEADINGS, spread_out(line, [(case, rounds) for case in CASES])),
        "",
        f"Two single runs of {REPEATS} repeats after an A/A session, in %, by its boots: equal ones that are called "
        "different, and ones that differ by 10 % and are found, where repeats vary by 2 %:",
        "",
        *markdown(
            ["boots", *(f"{name}: {what}" for name in _MACHINES for what in ("false", "found"))],
            spread_out(few, [(boots, rounds // 5) for boots in COUNTS]),
        ),
        "",
        "Geometric means over rows that share their run's boot: how often (%) the interval leaves out 1, where nothing "
        f"differs, without and with the spread of an A/A session of {BOOTS} boots:",
        "",
        *markdown(
            ["rows", *(f"{name}: {what}" for name in _MACHINES for what in ("without", "with"))],
            spread_out(means, [(rows, rounds // 20) for rows in ROWS]),
        ),
    ]


if __name__ == "__main__":
    print("\n".join(table()))
