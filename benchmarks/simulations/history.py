"""Simulation of the history: false alarms and power of its steps, and of the judgement of the newest run.

A run is the median of three repeats on a boot of its own, so that what differs between boots is in every value.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from benchmarks.simulations.cases import markdown, percent
from benchrig.statistics.steps import LEAST_RUNS, deviation, last_level, predicted, reference, steps
from tests.support.noise import Noise, repeats

REPEATS = 3
"""Of each run."""

NOISES = {
    "log-normal 3 %": Noise(0.03),
    "boots 2 %": Noise(0.03, boots=0.02),
    "boots 2 %, outliers 5 %": Noise(0.03, outliers=0.05, boots=0.02),
    "boots 2 %, outliers 5 %, AR(1) 0.5, drift 2 %": Noise(0.03, outliers=0.05, boots=0.02, lasting=0.5, drift=0.02),
}

USUAL = Noise(0.03, outliers=0.05, boots=0.02)
"""For power."""

SIGNIFICANT = 0.05

Chosen = Callable[[Sequence[float]], Sequence[float]]
"""Returns the runs that one more run is judged by."""


class Passed(NamedTuple):
    """What a gate passes after a slowdown that stays, as shares."""

    runs: float
    series: float
    """Of which it passes a run at least."""


IsOff = Callable[[Sequence[float], float], bool]


LIMIT = 0.05
"""Of the gate: a run passes if the interval of its ratio excludes that it is worse by more."""


def of_reference(before: Sequence[float]) -> Sequence[float]:
    """Return the runs that one more run is judged by: what `./inv history` and the gate do."""
    return [before[place] for place in reference(before, higher_is_better=True).places]


def by_prediction(before: Sequence[float], value: float) -> bool:
    """Judge by Student's prediction interval over the reference."""
    found = deviation(of_reference(before), value)
    return found is not None and found.p < SIGNIFICANT


def by_last_level(before: Sequence[float], value: float) -> bool:
    """Judge by the same over the runs since the last step, whichever way it went."""
    found = deviation(last_level(before), value)
    return found is not None and found.p < SIGNIFICANT


def by_window(before: Sequence[float], value: float) -> bool:
    """Judge by Student's prediction interval over all runs, as bencher's t-test does with a window."""
    found = deviation(before, value)
    return found is not None and found.p < SIGNIFICANT


def by_z(before: Sequence[float], value: float) -> bool:
    """Judge by the z-score over all runs, as Conbench's look-back does, at the 5 % that its quantile promises."""
    return abs(value - statistics.fmean(before)) > 1.96 * statistics.stdev(before)


def by_median(before: Sequence[float], value: float) -> bool:
    """Judge by median and median absolute deviation, which outliers do not move."""
    middle = statistics.median(before)
    return abs(value - middle) > 1.96 * 1.4826 * statistics.median(abs(one - middle) for one in before)


METHODS: dict[str, IsOff] = {
    "prediction over the reference": by_prediction,
    "prediction since the last step": by_last_level,
    "prediction over all": by_window,
    "z-score": by_z,
    "median and MAD": by_median,
}


def runs(rng: Random, count: int, noise: Noise, ratio: float = 1.0) -> list[float]:
    """Return the values of so many runs, each on a boot of its own."""
    return [statistics.median(repeats(rng, REPEATS, noise, ratio)) for _ in range(count)]


def off_share(is_off: IsOff, before: int, noise: Noise, ratio: float, times: int, seed: int = 1) -> float:
    """Return in what share of cases a run is called off, after so many runs; without a change these are false alarms."""
    rng = Random(seed)
    return sum(is_off(runs(rng, before, noise), runs(rng, 1, noise, ratio)[0]) for _ in range(times)) / times


def stepping_share(count: int, noise: Noise, times: int, seed: int = 2) -> float:
    """Return what share of series without a step have one marked."""
    rng = Random(seed)
    return sum(bool(steps(runs(rng, count, noise))) for _ in range(times)) / times


def in_states(rng: Random, count: int, often: float) -> list[float]:
    """Return the values of runs whose boots are in one of two states, 5 % apart; repeats vary by 0.2 %."""
    return [one * (0.95 if rng.random() < often else 1.0) for one in runs(rng, count, Noise(0.002))]


def alike(rng: Random, count: int, lasting: float) -> list[float]:
    """Return the values of runs that are like the run before them: boots by 2 %, with this autocorrelation."""
    values, level = [], rng.gauss(0, 0.02)
    for one in runs(rng, count, Noise(0.01)):
        values.append(one * math.exp(level))
        level = lasting * level + math.sqrt(1 - lasting**2) * rng.gauss(0, 0.02)
    return values


UNLIKE: dict[str, Callable[[Random, int], list[float]]] = {
    "boots in two states, as often in each": lambda rng, count: in_states(rng, count, 0.5),
    "boots in two states, one in five in the slower": lambda rng, count: in_states(rng, count, 0.2),
    "like the run before (0.3)": lambda rng, count: alike(rng, count, 0.3),
    "like the run before (0.6)": lambda rng, count: alike(rng, count, 0.6),
}


def alarms(drawn: Callable[[Random, int], list[float]], before: int, times: int, seed: int = 6) -> tuple[float, float]:
    """Return in what share of series one more run is called off, and a step is marked; each is a false alarm."""
    rng = Random(seed)
    every = [drawn(rng, before + 1) for _ in range(times)]
    off = sum(by_prediction(values[:-1], values[-1]) for values in every)
    return off / times, sum(bool(steps(values)) for values in every) / times


def found_share(before: int, after: int, ratio: float, noise: Noise, times: int, back: int = 0, seed: int = 3) -> float:
    """Return in what share of series a step is marked within one run of its place.

    `back` runs at the first level follow, as after a slowdown that was mended.
    """
    rng, found = Random(seed), 0
    for _ in range(times):
        values = [*runs(rng, before, noise), *runs(rng, after, noise, ratio), *runs(rng, back, noise)]
        found += any(abs(place - before) <= 1 for place in steps(values))
    return found / times


def passes(before: Sequence[float], value: float) -> bool:
    """Say whether a gate passes a run: it is not worse by more than LIMIT anywhere within its interval."""
    found = deviation(before, value)
    return found is not None and 1 - value / found.prediction.high <= LIMIT


def passing(chosen: Chosen, ratio: float, noise: Noise, times: int, good: int = 10, slow: int = 20, seed: int = 6) -> Passed:
    """Return how often a gate passes a run after a slowdown that stays; `chosen` are the runs that judge."""
    rng, runs_passed, series_passed = Random(seed), 0, 0
    for _ in range(times):
        values, before = runs(rng, good, noise), runs_passed
        for value in runs(rng, slow, noise, ratio):
            runs_passed += passes(chosen(values), value)
            values.append(value)
        series_passed += runs_passed > before
    return Passed(runs_passed / times / slow, series_passed / times)


def width(before: int, noise: Noise, times: int, seed: int = 5) -> float:
    """Return the median half width of the prediction interval, as a share."""
    rng, found = Random(seed), []
    for _ in range(times):
        prediction = predicted(runs(rng, before, noise))
        assert prediction
        found.append(prediction.high / prediction.expected - 1)
    return statistics.median(found)


def table(rounds: int = 2000) -> list[str]:
    """Return the results as lines of Markdown."""
    return [
        f"A run is the median of {REPEATS} repeats with a spread of 3 %. False alarms of one more run, in %, by the number "
        "of runs before it:",
        "",
        *markdown(
            ["method", "noise", *map(str, (LEAST_RUNS, 10, 20))],
            [
                [method, noise, *(percent(off_share(is_off, n, of, 1.0, rounds)) for n in (LEAST_RUNS, 10, 20))]
                for method, is_off in METHODS.items()
                for noise, of in NOISES.items()
            ],
        ),
        "",
        "Power: how often one more run that is slower is called off, in % (boots 2 %, outliers 5 %), with the median half "
        "width of the prediction interval:",
        "",
        *markdown(
            ["runs before it", "half width", "3 % slower", "5 % slower", "10 % slower"],
            [
                [
                    str(n),
                    f"{100 * width(n, USUAL, rounds // 4):.1f} %",
                    *(percent(off_share(by_prediction, n, USUAL, ratio, rounds)) for ratio in (0.97, 0.95, 0.9)),
                ]
                for n in (LEAST_RUNS, 10, 20)
            ],
        ),
        "",
        "Series without a step in which one is marked, in %, by the number of runs:",
        "",
        *markdown(
            ["noise", *map(str, (6, 10, 20, 50))],
            [[noise, *(percent(stepping_share(n, of, rounds)) for n in (6, 10, 20, 50))] for noise, of in NOISES.items()],
        ),
        "",
        "A slowdown that stays, 10 runs before it and 20 after it: how many of these a gate with a limit of "
        f"{100 * LIMIT:.0f} % passes, and of how many series one at least, in %:",
        "",
        *markdown(
            [
                "judged by",
                "noise",
                *(f"{slower}: {of}" for slower in ("15 % slower", "8 % slower") for of in ("runs", "series")),
            ],
            [
                [
                    said,
                    noise,
                    *(percent(share) for ratio in (0.85, 0.92) for share in passing(chosen, ratio, of, rounds // 10)),
                ]
                for said, chosen in (("the reference", of_reference), ("runs since the last step", last_level))
                for noise, of in {"log-normal 1 %": Noise(0.01), "boots 2 %, outliers 5 %": USUAL}.items()
            ],
        ),
        "",
        "Steps that are marked within one run of their place, in % (boots 2 %, outliers 5 %):",
        "",
        *markdown(
            ["series", "3 % slower", "5 % slower", "10 % slower"],
            [
                [said, *(percent(found_share(a, b, one, USUAL, rounds // 2, back)) for one in (0.97, 0.95, 0.9))]
                for said, a, b, back in (
                    ("5 runs, then 5", 5, 5, 0),
                    ("10 runs, then 10", 10, 10, 0),
                    ("20 runs, then 5", 20, 5, 0),
                    ("10 runs, 5 slower, 10 as before", 10, 5, 10),
                )
            ],
        ),
        "",
        "Where runs are not independent, or not normal. One more run that is called off, and series in which a step is "
        "marked, in %, by the number of runs before it; nothing is changed:",
        "",
        *markdown(
            ["runs", *(f"{n}: {what}" for n in (LEAST_RUNS, 10, 20) for what in ("off", "steps"))],
            [
                [name, *(percent(one) for n in (LEAST_RUNS, 10, 20) for one in alarms(drawn, n, rounds))]
                for name, drawn in UNLIKE.items()
            ],
        ),
    ]
