"""The cases of the self-test: what the server is told to do, and the figures and warnings that must come out.

To add a case, add an entry to `CASES`. Its figures are bounds that follow from what the server does, not from a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchrig.results.codes import Code
from benchrig.results.model import Cell, Load

SECONDS = 3.0
"""Of each measurement."""

TIMEOUT_SECONDS = 1.0

Bounds = Mapping[str, tuple[float, float]]
"""The lowest and the highest value of figures, by their names in `FIGURES`."""


def _load(read: Callable[[Load], float]) -> Callable[[Cell], float | None]:
    return lambda cell: read(cell.load) if cell.load else None


FIGURES: Mapping[str, Callable[[Cell], float | None]] = {
    "requests/s": _load(lambda load: load.requests_per_second),
    "mean ms": _load(lambda load: load.latency.mean_us / 1e3),
    "p50 ms": _load(lambda load: load.latency.percentiles_us["50"] / 1e3),
    "p99 ms": _load(lambda load: load.latency.percentiles_us["99"] / 1e3),
    "max ms": _load(lambda load: load.latency.max_us / 1e3),
    "late": _load(lambda load: load.errors.timeout),
    "errors": _load(lambda load: load.errors.total),
    "CPU %": lambda cell: cell.server.cpu_percent if cell.server else None,
}
"""The figures that a case may bound, as they are read from a cell."""

MACHINE = frozenset({Code.DISTURBED, Code.STEAL, Code.NO_IDLE_CPU, Code.EMULATED})
"""What is true of the machine, whatever the server does: reported, and neither expected nor wrong."""


@dataclass(frozen=True)
class Case:
    """What the server does, and what must come out."""

    name: str
    does: str
    """In words."""
    options: str
    """Options of the server, `&` between them."""
    connections: int = 20
    figures: Bounds | None = None
    warnings: frozenset[Code] = frozenset()
    may: frozenset[Code] = frozenset()
    """Warnings that may be there as well."""
    fails: str = ""
    """Words of the reason why the cell must fail; empty where it must be measured."""


CASES = (
    Case(
        "rate",
        "500 replies/s",
        "rate=500",
        figures={"requests/s": (490, 506), "mean ms": (37, 43), "p50 ms": (37, 43), "errors": (0, 0)},
    ),
    Case(
        "latency",
        "20 ms each",
        "latency=constant:0.02",
        figures={"requests/s": (880, 1000), "mean ms": (20, 23), "p50 ms": (20, 23), "p99 ms": (20, 30), "errors": (0, 0)},
    ),
    Case(
        "cpu",
        "1 ms of CPU, 200 times/s",
        "rate=200&burn=0.001",
        figures={"requests/s": (196, 203), "CPU %": (18, 27)},
    ),
    Case(
        "late-replies",
        "one of 10 replies takes 1.5 s",
        "latency=bimodal:0.02,1.5,0.1",
        figures={"late": (1, 40)},
        warnings=frozenset({Code.TIMEOUTS, Code.LATENCY_CLIPPED}),
        may=frozenset({Code.LITTLES_LAW}),
    ),
    Case(
        "dead-connections",
        "one of 4 connections is never answered",
        "latency=constant:0.02&dead-share=0.25",
        figures={"requests/s": (660, 750), "mean ms": (20, 23)},
        warnings=frozenset({Code.LITTLES_LAW}),
    ),
    Case(
        "not-accepted",
        "10 of 20 connections are accepted",
        "latency=constant:0.02&accept-at-most=10",
        figures={"requests/s": (440, 500), "mean ms": (20, 23)},
        warnings=frozenset({Code.LITTLES_LAW}),
    ),
    Case(
        "backlog",
        "10 connections are accepted, and 1 may wait",
        "latency=constant:0.02&accept-at-most=10&backlog=1",
        warnings=frozenset({Code.LISTEN_BACKLOG}),
        may=frozenset({Code.LITTLES_LAW, Code.CONNECTION_ERRORS, Code.UNANSWERED}),
    ),
    Case(
        "saturated",
        "replies of 300 kB, to a single thread",
        "body-bytes=300000",
        warnings=frozenset({Code.GENERATOR_SATURATED}),
        may=frozenset({Code.LITTLES_LAW}),
    ),
    Case("wrong-replies", "one of 100 replies is wrong", "latency=constant:0.02&wrong-share=0.01", fails="wrong"),
    Case("no-replies", "no connection is answered", "dead-share=1", fails="no repl"),
    Case("death", "the server exits after 1 s", "latency=constant:0.02&exit-after=1", fails="died"),
)
