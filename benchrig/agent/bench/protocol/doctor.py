"""What `./inv doctor` asks of a host, and the answer. No agent serves it: it is asked before anything is on the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .machine import Deployed, MachineFacts


@dataclass(frozen=True)
class Examine:
    """Look at a machine for some `seconds`, and change nothing on it."""

    seconds: float
    ports: tuple[int, ...]
    """The apps'."""
    folders: tuple[str, ...]
    """Their file systems are looked at, as far as they exist."""
    programs: tuple[str, ...]
    """The load generator's."""


@dataclass(frozen=True)
class Room:
    """What is free on the file system of a folder."""

    folder: str
    free_bytes: int
    free_files: int | None = None
    """None where the file system has no limit."""


@dataclass(frozen=True)
class Holder:
    """A program that listens on a port."""

    port: int
    pid: int
    name: str


@dataclass(frozen=True)
class Examination:
    """A machine, as `Examine` found it. None: not known."""

    facts: MachineFacts
    deployed: Deployed
    clock: float
    """Its time in seconds since 1970, just before it answers."""
    synchronized: bool | None
    """The kernel's clock is kept right by a time service."""
    rooms: tuple[Room, ...]
    holders: tuple[Holder, ...]
    used_by: str
    """Who has the host: another bench or provision; empty: nobody."""
    unit_limits: Mapping[str, str] = field(default_factory=dict)
    """Limits that the apps' units set: `CPUQuotaPerSecUSec of benchrig-go.service`."""
    tracked_connections: int | None = None
    """How many connections the packet filter keeps track of, and how many it can."""
    tracked_most: int | None = None
    most_processes: int | None = None
    """The least limit of the number of processes and threads."""
