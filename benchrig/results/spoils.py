"""What a warning casts doubt on."""

from __future__ import annotations

from enum import StrEnum


class Spoils(StrEnum):
    """What a warning casts doubt on. With an invalid warning, these values of the row must not be used."""

    RATE = "rate"
    """Throughput and CPU."""
    LATENCY = "latency"
    COUNTS = "counts"
    """What was counted, such as late replies."""
    RANK = "rank"
    """The values are right, but the row must not be ranked by them, or shares its rank."""
