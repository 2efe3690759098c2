"""The cases of the self-test: what the server is told to do, and the figures and warnings that must come out.

To add a case, add an entry to `CASES`. Its figures are held against the server's own counts, so that they come out right on
a slow machine as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchrig.results.codes import Code
from benchrig.results.model import Cell, Latency

SECONDS = 6.0
"""Of each measurement."""

TIMEOUT_SECONDS = 1.0

CONNECTIONS = 20

Truth = Mapping[str, Any]
"""What the server counted: see `Truth.json` in `server.py`."""


@dataclass(frozen=True)
class Figure:
    """A figure: how it is read from a cell and from the server's counts, and how far the two may differ."""

    name: str
    read: Callable[[Cell], float | None]
    truth: Callable[[Truth], float]
    share: float
    """The tolerance as a share of the truth, and what is added to it."""
    absolute: float


def _latency(read: Callable[[Latency], float]) -> Callable[[Cell], float | None]:
    """Return the reader of a latency in milliseconds, as it was measured."""
    return lambda cell: read(cell.load.measured or cell.load.latency) / 1e3 if cell.load else None


def _percentile(name: str, absolute_ms: float) -> Figure:
    return Figure(
        f"p{name} ms",
        _latency(lambda latency: latency.percentiles_us[name]),
        lambda truth: truth["service_us"][name] / 1e3,
        0.05,
        absolute_ms,
    )


RATE = Figure(
    "requests/s",
    lambda cell: cell.load.requests_per_second if cell.load else None,
    lambda truth: truth["replies_per_second"],
    0.02,
    # Replies that were on their way when the load ended.
    CONNECTIONS / SECONDS,
)
MEAN = Figure("mean ms", _latency(lambda latency: latency.mean_us), lambda truth: truth["service_us_mean"] / 1e3, 0.05, 1.5)
P50, P99 = _percentile("50", 1.5), _percentile("99", 5.0)
CPU = Figure(
    "CPU %",
    lambda cell: cell.server.cpu_percent if cell.server else None,
    lambda truth: 100 * truth["cpu_seconds"] / truth["seconds"],
    # The sampler begins before the load and ends after it.
    0.1,
    2.0,
)

MACHINE = frozenset({Code.DISTURBED, Code.STEAL, Code.NO_IDLE_CPU, Code.EMULATED, Code.MEMORY_PRESSURE, Code.THROTTLED})
"""What is true of the machine, whatever the server does: reported, and neither expected nor wrong."""

LATE = frozenset({Code.LITTLES_LAW, Code.STALLED, Code.CUT_BY_END, Code.SILENT, Code.TIMEOUTS})
"""Warnings that slow or missing replies may bring along."""

COURSE = frozenset({Code.DRIFT, Code.STEP, Code.RAMP, Code.WARMING_UP})
"""Kinds of a course that is not steady: one may look like another."""


@dataclass(frozen=True)
class Case:
    """What the server does, and what must come out."""

    name: str
    does: str
    """In words."""
    options: str
    """Options of the server, `&` between them."""
    figures: tuple[Figure, ...] = ()
    warnings: frozenset[Code] = frozenset()
    may: frozenset[Code] = frozenset()
    """Warnings that may be there as well."""
    fails: str = ""
    """Words of the reason why the cell must fail; empty where it must be measured."""
    expect: Mapping[str, object] | None = None
    """What the route of its app expects."""


OK = {"body": "ok"}

CASES = (
    Case("rate", "500 replies/s", "rate=500", (RATE, MEAN, P50, CPU), expect=OK),
    Case("latency", "20 ms each", "latency=constant:0.02", (RATE, MEAN, P50, P99), expect=OK),
    Case("two-speeds", "5 ms, one of 20 takes 200 ms", "latency=bimodal:0.005,0.2,0.05", (RATE, MEAN, P50, P99), may=LATE),
    Case("cpu", "1 ms of CPU, 100 times/s", "rate=100&burn=0.001", (RATE, CPU), expect=OK),
    Case(
        "late-replies",
        "one of 10 replies takes 1.5 s",
        "latency=bimodal:0.02,1.5,0.1",
        warnings=frozenset({Code.TIMEOUTS, Code.LATENCY_CLIPPED}),
        may=LATE,
    ),
    Case(
        "dead-connections",
        "4 of 10 connections are never answered",
        "latency=constant:0.02&dead-share=0.4",
        (RATE, MEAN),
        frozenset({Code.DEAD_CONNECTIONS}),
        LATE,
    ),
    Case(
        "not-accepted",
        "10 of 20 connections are accepted",
        "latency=constant:0.02&accept-at-most=10",
        (RATE, MEAN),
        frozenset({Code.DEAD_CONNECTIONS}),
        LATE | {Code.WRONG_AFTER},
    ),
    Case(
        "descriptors",
        "it may open 16 files",
        "latency=constant:0.02&descriptors=16",
        warnings=frozenset({Code.DESCRIPTOR_LIMIT}),
        may=LATE | {Code.DEAD_CONNECTIONS, Code.WRONG_AFTER},
    ),
    Case(
        "backlog",
        "10 connections are accepted, and 1 may wait",
        "latency=constant:0.02&accept-at-most=10&backlog=1",
        warnings=frozenset({Code.LISTEN_BACKLOG}),
        # A connection that was dropped is tried again after 1 s and 3 s, and the throughput rises then.
        may=LATE
        | COURSE
        | {Code.CONNECTION_ERRORS, Code.UNANSWERED, Code.DEAD_CONNECTIONS, Code.MISSING_CONNECTIONS, Code.WRONG_AFTER},
    ),
    Case(
        "no-keep-alive",
        "it closes after each reply",
        "latency=constant:0.01&close-after=1",
        warnings=frozenset({Code.NO_KEEP_ALIVE}),
        may=LATE,
    ),
    Case(
        "stalls",
        "it stops for 0.6 s, each 1.5 s",
        "latency=constant:0.005&stall=0.6,1.5",
        warnings=frozenset({Code.STALLED}),
        may=LATE | COURSE,
    ),
    Case(
        "silence",
        "it answers nothing any more after 2 s",
        "latency=constant:0.005&hang-after=2",
        warnings=frozenset({Code.SILENT}),
        may=LATE | COURSE | {Code.DEAD_CONNECTIONS, Code.WRONG_AFTER},
    ),
    Case(
        "drift",
        "replies slow down by 20 % each second",
        "latency=constant:0.02&drift=0.2",
        (RATE,),
        frozenset({Code.DRIFT}),
        LATE | COURSE,
    ),
    Case(
        "step",
        "replies take twice as long after 2.5 s",
        "latency=constant:0.02&step=2.5,2",
        (RATE,),
        frozenset({Code.STEP}),
        LATE | COURSE,
    ),
    Case(
        "leak",
        "each reply leaves 20 kB in memory",
        "latency=constant:0.02&leak=20000",
        (RATE,),
        frozenset({Code.MEMORY_GROWS}),
    ),
    Case(
        "saturated",
        "replies of 300 kB, which take long to check",
        "body-bytes=300000&vary",
        warnings=frozenset({Code.GENERATOR_SATURATED}),
        may=LATE,
        expect={"contains": "." * 8 + "ok"},
    ),
    Case("wrong-replies", "one of 100 is wrong", "latency=constant:0.02&wrong-share=0.01", fails="broken", expect=OK),
    Case("no-replies", "no connection is answered", "dead-share=1", fails="0 requests were answered", expect=OK),
    Case("death", "it exits after 1 s", "latency=constant:0.02&exit-after=1", fails="died"),
)
