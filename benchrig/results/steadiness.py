"""Steadiness of a load: ramp, drift, changes of level, stalls and growing memory, judged from the sampler's series.

The methods are those of `timeseries.py` and of `statistics/trend.py`. The kinds are those of E. Barrett, C. F. Bolz-Tereick,
R. Killick, S. Mount and L. Tratt, "Virtual machine warmup blows hot and cold", Proc. ACM Program. Lang. 1, OOPSLA (2017).
What the kernel counts is proportional to the replies, so shares and changes are known well, and absolute rates follow from
the load generator's count.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, pairwise

from benchrig.results import memory, timeseries
from benchrig.results.course import Interval, Observed, intervals, silent_seconds
from benchrig.results.memory import Growth
from benchrig.results.model import Cell
from benchrig.results.timeseries import BATCH, Level
from benchrig.statistics import trend

LEAST_SECONDS = 4.0
"""Of a shorter load, nothing is said."""

LEAST_INTERVALS = 6 * BATCH
"""Of a server so busy that the sampler seldom ran, nothing is said either."""

LEAST_BINS = 8
"""Values that a test for a trend needs."""

MOST_BINS = 40

BIN_SECONDS = 0.25

WAVES_PER_BIN = 4
"""Replies of an app that sleeps come in waves, one for each sleep, and so do those that all take as long: each value must be
of several waves."""

IN_STEP = 1.25
"""Replies come in waves if p90 is at most this many times the median."""

SIGNIFICANT = 0.001
"""Greatest p-value of a trend: one false alarm in a thousand rows."""

LEAST_TREND = 0.05
"""Share of the throughput that a drift must change it by, from the steady part's start to its end."""

BENT = 2
"""The degree of the curve that a drift may follow: a parabola."""

CLOSE = 0.02
"""Share of the variance that a course without noise leaves to such a curve at most."""

LEAST_STEP = 0.1
"""Share of the throughput that a change of level must be."""

LEAST_COST = 0.01
"""Share of the throughput that a ramp must cost, to be cut."""

SLOW_START = 0.9
"""A ramp is slower than this share of the steady rate."""

CONNECTING = 0.2
"""Connections are opened at the start of a load if it takes no more than this share of it."""

FULL_SPEED = 0.95
"""From this share of the steady rate on, a part of the start is none of the ramp."""

SURE = 5.0
"""Standard errors that a ramp is slower by, at least."""

LATE = 0.2
"""A change in this last share of the load leaves no steady state."""

STALLED = 0.05
"""Share of the mean rate below which an interval is a stall."""

STALL_SECONDS = 0.25

STALL_PERIODS = 2
"""A stall lasts for this many sleeps and median latencies: shorter pauses are in the nature of such replies."""

STALL_SEGMENTS = 30
"""Segments that the time of a stall has at the mean rate: fewer may be missing by chance."""


class Kind(StrEnum):
    """The course of a load after its ramp."""

    FLAT = "flat"
    WARM_UP = "warm-up"
    """The last level is the fastest one."""
    SLOWDOWN = "slowdown"
    """An earlier level was faster."""
    NO_STEADY_STATE = "no steady state"
    """The level changed shortly before the end."""


@dataclass(frozen=True)
class Ramp:
    """The start of a load, before its throughput was that of the rest."""

    seconds: float
    connecting_seconds: float
    """Until the last connection was opened; the load's whole duration where connections are opened all the time."""
    cost: float
    """Share of the steady throughput that the whole load's is lower by."""


@dataclass(frozen=True)
class Stalls:
    """Times in which the server sent almost nothing."""

    count: int
    longest_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class Steadiness:
    """A judgement on a load. Changes are shares: -0.2 is a fifth less."""

    kind: Kind
    ramp: Ramp | None = None
    steady_requests_per_second: float | None = None
    """Throughput of the part after the ramp, where one was cut and what follows is flat."""
    drift: float | None = None
    """Change by a trend, from the start of the steady part to its end."""
    steps: tuple[float, ...] = ()
    """The changes from each level to the next, in the order of time."""
    step_seconds: tuple[float, ...] = ()
    """When they happened, in seconds since the load began."""
    stalls: Stalls | None = None
    growth: Growth | None = None


def of_cell(cell: Cell) -> Steadiness | None:
    """Return the judgement on a measured cell; None where it has no series, or too short a one."""
    if not (cell.load and cell.server and cell.server.series.end_seconds):
        return None
    latency = cell.load.measured or cell.load.corrected
    median = latency.percentiles_us.get("50", latency.mean_us) if latency else 0.0
    return judge(
        Observed(
            series=cell.server.series,
            duration_seconds=cell.load.duration_us / 1e6 - silent_seconds(cell),
            requests=cell.load.requests,
            connections=cell.connections,
            both_ends=cell.load_on_server,
            sleep_seconds=cell.sleep_seconds,
            latency_seconds=median / 1e6,
            in_step=latency is not None and latency.percentiles_us.get("90", math.inf) <= IN_STEP * median,
        )
    )


@lru_cache(maxsize=256)
def judge(observed: Observed) -> Steadiness | None:
    """Return the judgement on a load; None where it is too short to say anything, or its series is empty or wrong."""
    if not observed.series.is_sound:
        return None
    course = intervals(observed)
    if len(course) < LEAST_INTERVALS or course[-1].end < LEAST_SECONDS or not any(one.segments for one in course):
        return None
    stalled = _stalled(course, observed)
    ramp = steady = None
    cut = _connecting(course, observed)
    shape = _shape(course, stalled, cut, observed)
    # MSER-5 leaves out a part of any course that is not steady. It is a ramp if it is slower and what follows is flat.
    left_out = _slow_start(course)
    if left_out and shape.drift is None and _shape(course, stalled, left_out, observed).kind is Kind.FLAT:
        ramp, steady = _ramp(course, left_out, observed)
    if ramp:
        cut, shape = left_out, _Shape(Kind.FLAT)
    return Steadiness(
        kind=shape.kind,
        ramp=ramp,
        steady_requests_per_second=steady,
        drift=shape.drift,
        steps=tuple(change for _, change in shape.steps),
        step_seconds=tuple(at for at, _ in shape.steps),
        stalls=_stalls(course, stalled),
        growth=_growth(course, cut, observed),
    )


def _period(observed: Observed) -> float:
    return max(observed.sleep_seconds, observed.latency_seconds)


def _stalled(course: Sequence[Interval], observed: Observed) -> list[bool]:
    """Say of each interval whether it is part of a stall. A server that has not sent anything yet does not stall."""
    mean = sum(one.segments for one in course) / course[-1].end
    shortest = max(STALL_SECONDS, STALL_PERIODS * _period(observed), STALL_SEGMENTS / mean)
    stalled: list[bool] = []
    for quiet, group in groupby(course, lambda one: one.rate < STALLED * mean):
        part = list(group)
        long = part[-1].end - part[0].start >= shortest
        stalled += [quiet and long and part[0] is not course[0]] * len(part)
    return stalled


def _stalls(course: Sequence[Interval], stalled: Sequence[bool]) -> Stalls | None:
    lengths = [
        sum(one.seconds for one, _ in group)
        for is_stall, group in groupby(zip(course, stalled, strict=True), lambda pair: pair[1])
        if is_stall
    ]
    return Stalls(len(lengths), max(lengths), sum(lengths)) if lengths else None


@dataclass(frozen=True)
class _Shape:
    """The kind of a course, with its drift, or with the times and sizes of its steps."""

    kind: Kind
    drift: float | None = None
    steps: tuple[tuple[float, float], ...] = ()


def _shape(course: Sequence[Interval], stalled: Sequence[bool], cut: int, observed: Observed) -> _Shape:
    """Return the shape of a course from interval `cut` on."""
    bins = _bins(course[cut:], stalled[cut:], observed)
    rates = [rate for _, rate in bins]
    if len(rates) < LEAST_BINS or statistics.median(rates) <= 0:
        return _Shape(Kind.FLAT)
    drift = trend.sen_slope(rates) * (len(rates) - 1) / statistics.median(rates)
    drifts = abs(drift) >= LEAST_TREND and _has_trend(rates)
    parts = timeseries.levels(rates, LEAST_STEP)
    if drifts and (len(parts) < 2 or _is_line(rates, parts)):
        return _Shape(Kind.NO_STEADY_STATE, drift)
    if len(parts) < 2:
        return _Shape(Kind.FLAT)
    least = STALLED * statistics.median(rates)
    steps = tuple((bins[after.start][0], after.mean / max(before.mean, least) - 1) for before, after in pairwise(parts))
    if steps[-1][0] > (1 - LATE) * observed.duration_seconds:
        kind = Kind.NO_STEADY_STATE
    else:
        fastest = max(part.mean for part in parts)
        kind = Kind.WARM_UP if parts[-1].mean >= (1 - LEAST_STEP) * fastest else Kind.SLOWDOWN
    return _Shape(kind, steps=steps)


def _has_trend(rates: Sequence[float]) -> bool:
    """Say whether rates have a trend that noise which lasts for several of them does not explain."""
    left = timeseries.residuals_of_curve(rates, BENT)
    # What a curve without noise leaves looks like noise that lasts.
    factor = 1.0 if _follows(rates, left) else timeseries.variance_factor(left)
    return trend.mann_kendall(rates, factor) < SIGNIFICANT


def _follows(rates: Sequence[float], left: Sequence[float]) -> bool:
    """Say whether rates follow a curve so closely that no noise which lasts would."""
    middle = statistics.fmean(rates)
    return sum(one * one for one in left) < CLOSE * sum((rate - middle) ** 2 for rate in rates)


def _bins(course: Sequence[Interval], stalled: Sequence[bool], observed: Observed) -> list[tuple[float, float]]:
    """Return start and rate of parts of equal length, each of whole intervals; those with a stall are left out."""
    if not course:
        return []
    interval = statistics.median(one.seconds for one in course)
    wave = _period(observed) if observed.in_step else observed.sleep_seconds
    seconds = max(BIN_SECONDS, WAVES_PER_BIN * wave, observed.duration_seconds / MOST_BINS)
    size = max(1, math.ceil(seconds / interval - 0.5))
    bins = []
    for i in range(0, len(course) - size + 1, size):
        part = course[i : i + size]
        # A stall begins and ends within an interval: its neighbours are left out, too.
        if not any(stalled[max(0, i - 1) : i + size + 1]):
            bins.append((part[0].start, sum(one.segments for one in part) / (part[-1].end - part[0].start)))
    return bins


def _is_line(rates: Sequence[float], parts: Sequence[Level]) -> bool:
    """Say whether a line, straight or bent, fits better than levels, by the Bayesian information criterion (Schwarz)."""

    def criterion(misfit: float, parameters: int) -> float:
        n = len(rates)
        return n * math.log(misfit / n or math.ulp(0.0)) + parameters * math.log(n)

    line = criterion(timeseries.misfit_of_line(rates), 2)
    left = timeseries.residuals_of_curve(rates, BENT)
    curve = [rate - rest for rate, rest in zip(rates, left, strict=True)]
    # Replies that slow down steadily bend the line of their rate, and never turn it.
    if (curve[-1] - curve[-2]) * (curve[-1] - curve[0]) > 0:
        line = min(line, criterion(sum(rest * rest for rest in left), 3))
    return line <= criterion(timeseries.misfit(rates, parts), 2 * len(parts) - 1)


def _ramp(course: Sequence[Interval], cut: int, observed: Observed) -> tuple[Ramp | None, float | None]:
    """Return the ramp that ends with interval `cut`, and the throughput after it; None where it costs nothing."""
    before, after = course[:cut], course[cut:]
    start = before[-1].end
    steady = sum(one.segments for one in after) / (after[-1].end - start)
    at_first = sum(one.segments for one in before) / start
    spread = max(_spread(after), _counting_noise(after, observed))
    slower = max((1 - SLOW_START) * steady, SURE * spread / math.sqrt(cut / BATCH))
    # A few batches show their spread badly: what is no slower than one of them may be no ramp.
    if at_first > steady - slower or at_first >= min(_batches(after)):
        return None, None
    # The last interval ends after the load: its segments are partly those that close the connections.
    seen = sum(one.segments for one in course) + steady * (observed.duration_seconds - course[-1].end)
    if observed.both_ends:
        # Each connection has sent a request at the end that was not answered.
        seen -= observed.connections
    if seen <= 0:
        return None, None
    rate = observed.requests * steady / seen
    cost = 1 - observed.requests / observed.duration_seconds / rate if rate else 0.0
    if cost < LEAST_COST:
        return None, None
    return Ramp(start, _connected_at(course, observed), cost), rate


def _slow_start(course: Sequence[Interval]) -> int:
    """Return how many intervals MSER-5 leaves out; the last of their batches are kept if they are as fast as the rest."""
    rates = [one.rate for one in course]
    cut = timeseries.mser5(rates)
    steady = statistics.fmean(rates[cut:])
    while cut and statistics.fmean(rates[cut - BATCH : cut]) >= FULL_SPEED * steady:
        cut -= BATCH
    return cut


def _spread(course: Sequence[Interval]) -> float:
    """Return the standard deviation of the rate over batches of intervals: waves of replies are within each of them."""
    return statistics.stdev(_batches(course))


def _batches(course: Sequence[Interval]) -> list[float]:
    rates = [one.rate for one in course]
    return [statistics.fmean(rates[i : i + BATCH]) for i in range(0, len(rates) - BATCH + 1, BATCH)]


def _counting_noise(course: Sequence[Interval], observed: Observed) -> float:
    """Return the standard deviation that the rate of a batch has where replies come by chance (Poisson).

    Of N replies it is the square root of N. Each has several segments: its own, and its request's where both ends are seen.
    """
    segments, seconds = sum(one.segments for one in course), sum(one.seconds for one in course)
    each = sum(observed.series.segments) / max(observed.requests, 1)
    return math.sqrt(each * segments / len(course) * BATCH) / (seconds / len(course) * BATCH)


def _connected_at(course: Sequence[Interval], observed: Observed) -> float:
    """Return after how many seconds as many connections were opened as the load has."""
    opened = 0
    for one in course:
        opened += one.opened
        if opened >= observed.connections:
            return one.end
    return course[-1].end


def _connecting(course: Sequence[Interval], observed: Observed) -> int:
    """Return how many intervals at the start of a load went to opening its connections; 0 if that took long."""
    at = _connected_at(course, observed)
    return sum(one.end <= at for one in course) if at <= CONNECTING * observed.duration_seconds else 0


def _growth(course: Sequence[Interval], cut: int, observed: Observed) -> Growth | None:
    """Return how fast memory grew, if it did so in each quarter of the steady part, and by Mann and Kendall's test."""
    held = memory.readings([(one.end, one.memory_bytes) for one in course], course[cut - 1].end if cut else 0.0)
    return memory.growth(held, observed.requests / observed.duration_seconds)
