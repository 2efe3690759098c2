"""Advice: a run of few repeats is made, more are advised, a run with that number is made: does it settle the question?"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from random import Random

from benchmarks.simulations.cases import SPREAD, markdown, percent, spread_out
from benchrig.statistics.advice import Advice, of_difference
from benchrig.statistics.difference import SIGNIFICANT, Difference, welch
from tests.support.noise import Noise, repeats

COUNTS = (3, 4, 6, 10, 20)
DIFFERENCES = (0.0, 0.01, 0.02, 0.03, 0.05)
NOISES = {"log-normal": Noise(SPREAD), "outliers 5 %": Noise(SPREAD, outliers=0.05)}

TWO_SIDED = 1.96 + 0.84
"""So many standard errors a difference must have to be shown in 80 % of cases."""

Job = tuple[str, int, float, int]


def table(rounds: int = 4000) -> list[str]:
    """Return how often repeats are advised, how many, and in which share of these cases they settle the question."""
    grid = list(itertools.product(NOISES, COUNTS, DIFFERENCES))
    found = spread_out(outcomes, [(*cell, rounds) for cell in grid])
    rows = []
    for (name, n, difference), counts in zip(grid, found, strict=True):
        asked = counts["asked"] or 1
        shares = [percent(counts[what] / asked, 0) for what in ("settled", "added", "different", "again", "naive")]
        row = [name, str(n), percent(difference, 0), percent(counts["asked"] / rounds, 0), str(counts["median"] or "–")]
        rows.append([*row, *(shares if counts["asked"] else ["–"] * len(shares)), percent(counts["right"] / rounds)])
    headings = ["noise", "repeats", "true difference", "more advised", "in all", "settled", "settled if added"]
    return markdown([*headings, "different", "asks again", "if the seen one were true", "exclusion right"], rows)


def outcomes(job: Job) -> Counter[str]:
    """Return what came of each pilot run; `median` is of the advised repeats."""
    name, n, difference, rounds = job
    rng, noise, counts, advised = Random(n), NOISES[name], Counter[str](), []
    for _ in range(rounds):
        a, b = _pair(rng, n, noise, difference)
        seen = _welch(a, b)
        advice = of_difference(seen)
        counts["right"] += difference <= seen.detectable
        if advice is None or advice.repeats is None:
            continue
        counts["asked"] += 1
        advised.append(advice.repeats)
        counts.update(_settled(_welch(*_pair(rng, advice.repeats, noise, difference)), advice))
        more = _pair(rng, advice.repeats - n, noise, difference)
        counts["added"] += "settled" in _settled(_welch([*a, *more[0]], [*b, *more[1]]), advice)
        naive = max(n, math.ceil(n * (TWO_SIDED * seen.error / math.log(seen.ratio)) ** 2))
        counts["naive"] += _welch(*_pair(rng, naive, noise, difference)).p < SIGNIFICANT
    counts["median"] = sorted(advised)[len(advised) // 2] if advised else 0
    return counts


def _settled(found: Difference, advice: Advice) -> list[str]:
    """Return what holds of a run with the advised repeats."""
    different = found.p < SIGNIFICANT
    then = of_difference(found)
    true = {
        "settled": different or found.detectable <= advice.within,
        "different": different,
        "again": then is not None and then.repeats is not None,
    }
    return [name for name, holds in true.items() if holds]


def _pair(rng: Random, n: int, noise: Noise, difference: float) -> tuple[list[float], list[float]]:
    return repeats(rng, n, noise), repeats(rng, n, noise, 1 + difference)


def _welch(a: Sequence[float], b: Sequence[float]) -> Difference:
    found = welch(a, b)
    assert found
    return found
