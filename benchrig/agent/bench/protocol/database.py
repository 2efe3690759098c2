"""Operations on PostgreSQL and its data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .operation import Done, Operation


@dataclass(frozen=True)
class DatabaseFacts:
    """PostgreSQL as it is now. Of `max_connections`, `reserved_connections` are for superusers only."""

    version: str
    settings: Mapping[str, str]
    max_connections: int
    reserved_connections: int
    fingerprint: str
    """Of the data set; empty while its tables are not there."""


@dataclass(frozen=True)
class FindDatabase(Operation[DatabaseFacts]):
    """Look at PostgreSQL, and at the data set `data` in the database of that name."""

    data: str


@dataclass(frozen=True)
class Loaded:
    """A data set that was put back into its first state, and its fingerprint then."""

    fingerprint: str


@dataclass(frozen=True)
class ResetData(Operation[Loaded]):
    """Put a data set back into its first state."""

    data: str


@dataclass(frozen=True)
class PinDatabase(Operation[Done]):
    """Keep the processes of PostgreSQL on the CPUs of a list such as `4-7` until the agent ends."""

    cpus: str


@dataclass(frozen=True)
class DatabaseCounters:
    """PostgreSQL's counters: rows in a table; sessions and transactions of the database so far."""

    rows: int | None
    """None when no table was asked for."""
    sessions: int
    commits: int
    rollbacks: int
    cpu_seconds: float
    """CPU time used by all processes of PostgreSQL."""


@dataclass(frozen=True)
class FindDatabaseLoad(Operation[DatabaseCounters]):
    """Read the counters of a data set's database, and count the rows of `table`, if one is named.

    With `ended`, the app has been stopped: its sessions report their counts when they end, so wait for that.
    """

    data: str
    table: str
    ended: bool
