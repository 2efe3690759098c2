"""Operations that measure the network between two hosts."""

from __future__ import annotations

from dataclasses import dataclass

from .operation import Done, Operation


@dataclass(frozen=True)
class NetworkPort:
    """Where a server listens for a measurement of the network, and the word that it wants to hear first."""

    port: int
    word: str


@dataclass(frozen=True)
class OpenNetwork(Operation[NetworkPort]):
    """Listen on `port`, or on any free one where that is taken, until CloseNetwork."""

    port: int


@dataclass(frozen=True)
class NetworkMeasurement:
    """Round trips and bandwidth as they were measured; `error` when the other host could not be reached."""

    rtt_us_median: float = 0.0
    rtt_us_p99: float = 0.0
    bandwidth_bits_per_second: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class MeasureNetwork(Operation[NetworkMeasurement]):
    """Measure the network between here and a host that listens."""

    host: str
    port: int
    word: str


@dataclass(frozen=True)
class CloseNetwork(Operation[Done]):
    """Stop listening, and close the port."""
