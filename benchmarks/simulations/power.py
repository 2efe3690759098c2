"""True differences found: by our test, by Welch's with plain means, and by that of Mann and Whitney."""

from __future__ import annotations

import itertools
from random import Random
from statistics import fmean

from benchmarks.simulations.cases import kinds, markdown, percent, spread_out
from benchmarks.simulations.errors import ROWS, TESTS
from benchrig.statistics.difference import SIGNIFICANT
from tests.support.noise import repeats

COUNTS = (3, 4, 5, 6, 8, 10, 15, 20)
DIFFERENCES = (0.02, 0.03, 0.04, 0.05, 0.07, 0.1)
SPREADS = (0.01, 0.02, 0.03, 0.05)
LEVELS = {"one row": SIGNIFICANT, "16 rows": SIGNIFICANT / ROWS}
"""p-values that show a difference. Of 16 rows of which one differs, Holm's correction asks that one for a 16th."""

Job = tuple[str, int, float, float, int]
Found = dict[tuple[str, str], float]
"""The share of differences found by level and test."""


def table(rounds: int = 400) -> list[str]:
    """Return the power of each test over all differences and spreads, and by how much the default is worst behind."""
    names = [name for name in kinds() if name != "boots"]
    grid = list(itertools.product(names, COUNTS, DIFFERENCES, SPREADS))
    found = dict(zip(grid, spread_out(power, [(*cell, rounds) for cell in grid]), strict=True))
    rows = []
    for name, n in itertools.product(names, COUNTS):
        cells = [found[name, n, difference, spread] for difference, spread in itertools.product(DIFFERENCES, SPREADS)]
        row = [name, str(n)]
        for level in LEVELS:
            row += [percent(fmean(cell[level, test] for cell in cells), 0) for test in TESTS]
            row.append(percent(max(behind(cell, level) for cell in cells), 0))
        rows.append(row)
    headings = [f"{level}: {text}" for level in LEVELS for text in (*TESTS, "most behind")]
    return markdown(["noise", "repeats", *headings], rows)


def behind(found: Found, level: str) -> float:
    """Return by how much the default is behind the best test."""
    default, *others = TESTS
    return max(0.0, *(found[level, other] - found[level, default] for other in others))


def power(job: Job) -> Found:
    """Return the share of true differences that each test finds at each level."""
    name, n, difference, spread, rounds = job
    rng, noise, counts = Random(n), kinds(spread)[name], dict.fromkeys(itertools.product(LEVELS, TESTS), 0)
    for _ in range(rounds):
        a, b = repeats(rng, n, noise), repeats(rng, n, noise, 1 + difference)
        for test, p_value in TESTS.items():
            p = p_value(a, b)
            for level, most in LEVELS.items():
                counts[level, test] += p < most
    return {key: count / rounds for key, count in counts.items()}
