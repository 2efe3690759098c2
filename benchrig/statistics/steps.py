"""Steps in a series with one value a run, and whether the newest run is off.

A run counts as one value, the median of its repeats. So what differs from run to run (the boot, the day, the machine's other
work) is part of the noise that a step must exceed, whatever the repeats of one run say.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchrig.statistics import bounded, student
from benchrig.statistics.difference import SIGNIFICANT
from benchrig.statistics.interval import CONFIDENCE

LEAST_RUNS = 5
"""So many runs before it are needed to judge a run."""

MOST_RUNS = 20
"""A run is judged by so many before it at most: older ones say little of today's machine."""

SHORTEST_LEVEL = 3
"""Runs that a level has at least: fewer may be outliers, and are told as single runs that are off."""


LEAST_CHANGE = 0.005
"""A smaller share is no step, and no run is off by it, however certain it is: some values repeat exactly, such as memory in
pages, and one page more would be no chance."""

CERTAIN = 0.01
"""A single run is left out of a reference if it is off by this p-value: to leave out more would make what is expected too
narrow, and false alarms frequent."""


@dataclass(frozen=True)
class Prediction:
    """What one more run is expected to be, from those before it."""

    runs: int
    """How many those are."""
    expected: float
    """Their typical value: the geometric mean, or the mean where a value is not above 0."""
    low: float
    """Lower end of the 95 % prediction interval of one more run; LEAST_CHANGE from what is expected, at least."""
    high: float


@dataclass(frozen=True)
class Deviation:
    """How far a run is from those before it."""

    prediction: Prediction
    ratio: float | None
    """Its value over the expected one; None of a value that was expected to be 0 and is not."""
    p: float
    """How likely a run without a change is to be as far off."""


@dataclass(frozen=True)
class Reference:
    """The runs of a series that one more run is judged by, as places in the series."""

    places: tuple[int, ...]
    worse_since: int | None = None
    """The place from which on all runs are worse and left out; None where the newest are not."""


def predicted(values: Sequence[float]) -> Prediction | None:
    """Return what one more run is expected to be, by Student's prediction interval on logarithms; None of too few runs.

    G. J. Hahn, "Factors for calculating two-sided prediction intervals for samples from a normal distribution", JASA 64
    (1969). The newest MOST_RUNS values are taken; where one is not above 0, the values themselves and not their logarithms.
    """
    taken = values[-MOST_RUNS:]
    return _prediction(taken, min(taken) > 0) if len(taken) >= LEAST_RUNS else None


def deviation(values: Sequence[float], value: float) -> Deviation | None:
    """Return how far a run is from those before it, whose values are `values`; None of too few."""
    taken = values[-MOST_RUNS:]
    if len(taken) < LEAST_RUNS:
        return None
    logs = min(*taken, value) > 0
    prediction, before = _prediction(taken, logs), _scaled(taken, logs)
    error, far = _error(before), _scaled([value], logs)[0] - statistics.fmean(before)
    p = 1.0 if abs(far) <= _least(before, logs) else student.two_sided(far / error, len(before) - 1) if error else 0.0
    expected = prediction.expected
    ratio = 1.0 if value == expected else value / expected if expected else None
    return Deviation(prediction, ratio, p)


def steps(values: Sequence[float]) -> tuple[int, ...]:
    """Return the places where a series steps, each as that of the first value of a new level; none of too short a series.

    Circular binary segmentation: of all stretches of a series, the one whose mean differs most from that of the rest is cut
    out if it differs more than chance makes it in 5 % of series; then its parts are searched likewise. A. B. Olshen,
    E. S. Venkatraman, R. Lucito, M. Wigler, "Circular binary segmentation for the analysis of array-based DNA copy number
    data", Biostatistics 5 (2004). Unlike a single cut, a stretch finds a slowdown that was mended again. Their permutations
    are replaced by Student's distribution and Bonferroni's bound over all stretches, which simulation finds to be near: for
    10 runs, the 8 stretches count as 7.9 independent ones, for 20 runs 93 as 49. A cut is kept if the levels beside it
    differ by themselves, and by LEAST_CHANGE.
    """
    if len(values) < 2 * SHORTEST_LEVEL:
        return ()
    logs = min(values) > 0
    scaled = _scaled(values, logs)
    cuts, least = sorted(_cuts(scaled, 0, len(scaled))), _least(scaled, logs)
    while weak := [(p, cut) for cut, p in _beside(scaled, cuts, least) if p >= SIGNIFICANT]:
        cuts.remove(max(weak)[1])
    return tuple(cuts)


def last_level(values: Sequence[float]) -> Sequence[float]:
    """Return the values since the last step."""
    found = steps(values)
    return values[found[-1] :] if found else values


def reference(values: Sequence[float], higher_is_better: bool | None) -> Reference:
    """Return the runs that one more run is judged by: those of the best level, without what was worse when it was made.

    A level that is worse never takes the place of a better one, so a slowdown stays one for as long as it lasts. A better
    level does, once it has LEAST_RUNS runs; one that is neither joins. Of the runs that are left, each one that those
    before it show to be worse is left out: a slow run would widen what is expected of the next. `higher_is_better` is None
    of a metric without a direction: then it is the last level.
    """
    if higher_is_better is None:
        return Reference(tuple(range(len(values) - len(last_level(values)), len(values))))
    kept: list[int] = []
    for start, end in itertools.pairwise([0, *steps(values), len(values)]):
        level = list(range(start, end))
        direction = _direction([values[i] for i in kept], [values[i] for i in level], higher_is_better) if kept else 0
        if direction > 0 and len(level) >= LEAST_RUNS:
            kept = level
        elif not direction:
            kept += level
        elif direction < 0:
            kept += _misplaced(values, kept, level)
    taken = _without_worse(values, kept, higher_is_better)
    since = taken[-1] + 1 if taken else 0
    rest = values[since:]
    middle = statistics.median(values[i] for i in taken) if taken else 0.0
    is_worse = bool(rest) and (statistics.median(rest) < middle) is higher_is_better
    return Reference(tuple(taken), since if is_worse else None)


def _misplaced(values: Sequence[float], kept: Sequence[int], level: Sequence[int]) -> list[int]:
    """Return the first runs of a worse level that are nearer to those before it: a cut leaves three runs behind it."""
    before, behind = (statistics.median(values[i] for i in places) for places in (kept, level))
    return list(itertools.takewhile(lambda i: abs(values[i] - before) < abs(values[i] - behind), level[:SHORTEST_LEVEL]))


def _direction(before: Sequence[float], level: Sequence[float], higher_is_better: bool) -> int:
    """Return whether a level is better than the runs before it (1), worse (-1), or neither by Student's test (0)."""
    logs = min(*before, *level) > 0
    a, b = _scaled(before, logs), _scaled(level, logs)
    if _student(a, b, _least(a, logs)) >= SIGNIFICANT:
        return 0
    return 1 if (statistics.fmean(b) > statistics.fmean(a)) is higher_is_better else -1


def _without_worse(values: Sequence[float], places: Sequence[int], higher_is_better: bool) -> list[int]:
    """Return the places without those of runs that are shown to be worse than the ones before them."""
    taken: list[int] = []
    for place in places:
        value = values[place]
        found = deviation([values[i] for i in taken[-MOST_RUNS:]], value)
        is_off = found is not None and found.p < CERTAIN
        if not (found and is_off and (value < found.prediction.expected) is higher_is_better):
            taken.append(place)
    return taken


def _cuts(scaled: Sequence[float], start: int, whole: int) -> list[int]:
    """Return the places of cuts in a part of a series of `whole` runs that begins at `start`."""
    # A part has its share of the false alarms of the whole.
    found = _stretch(scaled, SIGNIFICANT * len(scaled) / whole)
    if found is None:
        return []
    ends = [0, *(end for end in found if 0 < end < len(scaled)), len(scaled)]
    cuts = [start + end for end in ends[1:-1]]
    for one, other in itertools.pairwise(ends):
        cuts += _cuts(scaled[one:other], start + one, whole)
    return cuts


def _stretch(scaled: Sequence[float], significant: float) -> tuple[int, int] | None:
    """Return the ends of the stretch that differs most from the rest; None where it differs no more than by chance."""
    n = len(scaled)
    if n < 2 * SHORTEST_LEVEL:
        return None
    middle = statistics.fmean(scaled)
    sums, total = [0.0], 0.0
    for value in scaled:
        sums.append(sums[-1] + value - middle)
        total += (value - middle) ** 2
    most, best, looks = 0.0, (0, 0), 0
    for i in range(n - SHORTEST_LEVEL + 1):
        # What is left before it and behind it is a level as well, or nothing.
        if 0 < i < SHORTEST_LEVEL:
            continue
        for j in range(i + SHORTEST_LEVEL, n + 1):
            length = j - i
            if length == n or 0 < n - j < SHORTEST_LEVEL:
                continue
            # A stretch at the end is the rest of one at the start.
            looks += i == 0 or j < n
            between = (sums[j] - sums[i]) ** 2 * n / (length * (n - length))
            if between > most:
                most, best = between, (i, j)
    # What is less is the rounding of sums.
    if most <= 1e-12 * middle**2 or not most:
        return None
    within = total - most
    if within <= 1e-12 * total:
        return best
    p = looks * student.two_sided(math.sqrt(most * (n - 2) / within), n - 2)
    return best if p < significant else None


def _beside(scaled: Sequence[float], cuts: Sequence[int], least: float) -> list[tuple[int, float]]:
    """Return each cut with the p-value of Student's test between the levels beside it; 1 where these differ by less."""
    ends = [0, *cuts, len(scaled)]
    places = zip(ends, cuts, ends[2:], strict=False)
    return [(cut, _student(scaled[before:cut], scaled[cut:after], least)) for before, cut, after in places]


def _student(a: Sequence[float], b: Sequence[float], least: float) -> float:
    """Return the p-value of Student's test with a common variance, which short levels know better than one each."""
    df = len(a) + len(b) - 2
    squares = statistics.variance(a) * (len(a) - 1) + statistics.variance(b) * (len(b) - 1)
    far = statistics.fmean(b) - statistics.fmean(a)
    if abs(far) <= least:
        return 1.0
    error = math.sqrt(squares / df * (1 / len(a) + 1 / len(b)))
    return student.two_sided(far / error, df) if error else 0.0


def _prediction(values: Sequence[float], logs: bool) -> Prediction:
    scaled = _scaled(values, logs)
    half = max(student.quantile((1 + CONFIDENCE) / 2, len(values) - 1) * _error(scaled), _least(scaled, logs))
    middle = statistics.fmean(scaled)
    if logs:
        return Prediction(len(values), bounded.exp(middle), bounded.exp(middle - half), bounded.exp(middle + half))
    # What no run was below 0 in, the next one is not either.
    low = middle - half if min(values) < 0 else max(0.0, middle - half)
    return Prediction(len(values), middle, low, middle + half)


def _scaled(values: Sequence[float], logs: bool) -> list[float]:
    return [math.log(value) for value in values] if logs else list(values)


def _least(scaled: Sequence[float], logs: bool) -> float:
    """Return LEAST_CHANGE on the scale of a series; of values around 0, which has no share, nearly nothing."""
    return math.log1p(LEAST_CHANGE) if logs else LEAST_CHANGE * abs(statistics.fmean(scaled))


def _error(scaled: Sequence[float]) -> float:
    """Return the standard error of the difference between one more value and the mean of these."""
    return statistics.stdev(scaled) * math.sqrt(1 + 1 / len(scaled))
