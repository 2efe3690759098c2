"""Series made up as a sampler would read them, and cells that have one."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable
from dataclasses import replace

from benchrig.results.course import Observed
from benchrig.results.model import Cell, Series
from tests.support.reports import SERVER, a_cell, a_load

RATE = 10_000.0
CONNECTIONS = 200

Course = Callable[[float], float]
"""The share of RATE at a time."""


def flat(_: float) -> float:
    return 1.0


def ramped(at: float) -> float:
    return 0.2 if at < 0.5 else 1.0


def observed(course: Course, seconds: float = 6.0, noise: float = 0.03, seed: int = 1, **changes: object) -> Observed:
    """Return what a sampler sees of a load with this course: two segments a request, and 200 connections at the start."""
    chance = random.Random(seed)
    memory = changes.pop("memory", lambda _: 5e7)
    interval = changes.pop("interval", 0.1)
    assert callable(memory)
    assert isinstance(interval, float)
    rows, at, requests = [], 0.0, 0.0
    while at < seconds + interval:
        width = interval * chance.uniform(0.97, 1.05)
        # What is counted in an interval is the whole of it, not the rate at one moment.
        mean = statistics.fmean(course(at + width * (i + 0.5) / 50) for i in range(50))
        served = RATE * mean * chance.gauss(1, noise) * max(0.0, min(width, seconds - at))
        requests += served
        first = not rows
        at += width
        rows.append((round(at, 4), int(2 * served), CONNECTIONS if first else 0, 0.05, int(memory(at))))
    values: dict[str, object] = {
        "series": Series(*zip(*rows, strict=True)),
        "duration_seconds": seconds,
        "requests": round(requests),
        "connections": CONNECTIONS,
        "both_ends": False,
        "latency_seconds": 0.01,
    }
    return Observed(**{**values, **changes})  # type: ignore[arg-type]


def a_cell_of(course: Course, **changes: object) -> Cell:
    """Return the cell of a load of 6 s with this course."""
    seen = observed(course, **changes)  # type: ignore[arg-type]
    load = replace(a_load(seen.requests), duration_us=round(1e6 * seen.duration_seconds))
    mean_us = 1e6 * CONNECTIONS * seen.duration_seconds / seen.requests
    latency = replace(load.latency, mean_us=mean_us, percentiles_us={"50": mean_us})
    load = replace(load, latency=latency, measured=latency)
    server = replace(SERVER, series=seen.series)
    return a_cell(load=load, server=server, connections=CONNECTIONS, sleep_seconds=0.0, load_on_server=False)


def by_chance(seconds: float, rate: float, seed: int, lasting: float = 0.0, share: float = 0.0) -> Observed:
    """Return what a sampler sees of a steady server whose replies come by chance (Poisson), 20 connections, both ends.

    Beside that, its rate has noise of this share; at each reading it keeps the share `lasting` of what it had before.
    """
    chance, rows, at, replies, noise = random.Random(seed), [], 0.0, 0, 0.0
    while at <= seconds + 0.1:
        width = 0.1 * chance.uniform(0.98, 1.04)
        noise = lasting * noise + chance.gauss(0, share) * (1 - lasting**2) ** 0.5
        expected = rate * max(0.0, min(width, seconds - at)) * (1 + noise)
        got = max(0, round(chance.gauss(expected, math.sqrt(max(expected, 0.0)))))
        first = not rows
        at += width
        replies += got
        rows.append((round(at, 4), 2 * got, 20 if first else 0, 0.05, 50_000_000))
    return Observed(Series(*zip(*rows, strict=True)), seconds, replies, 20, True, 0.0, 20 / rate)
