"""The record of a cell: one row of a suite, measured once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchrig.results.model.connections import ConnectionsSeen
from benchrig.results.model.load import Generator, Load
from benchrig.results.model.replies import Checks
from benchrig.results.model.server import DatabaseLoad, MachineLoad, ServerLoad

Status = Literal["measured", "failed", "not_possible"]


@dataclass(frozen=True)
class Cell:
    """One row of a suite, measured once, or the reason why it was not."""

    name: str
    """The row's name in the suite, e.g. `go-20000`."""
    app: str
    system: str
    """The row's title with what really ran, e.g. `Golang`."""
    host: str
    """The machine that the app ran on; of a service that is not ours, its address."""
    repeat: int
    connections: int
    threads: int
    duration_seconds: float
    timeout_seconds: float
    status: Status
    route: str = ""
    """What was requested: `GET /films/`."""
    reason: str = ""
    """Why it failed or is not possible, and how to mend that."""
    sleep_seconds: float = 0.0
    """How long the app's handler waits on purpose; bounds throughput to connections / sleep."""
    cores: int = 0
    """CPU cores that the load generator could use."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """The CPUs that each program was kept on, such as `0-3`, by `app`, `database` and `load generator`; empty: on none."""
    load_on_server: bool = True
    """The generator ran on the server's own machine."""
    started_at: str = ""
    checks: Checks | None = None
    """None of a cell that an earlier version measured."""
    load: Load | None = None
    generator: Generator | None = None
    server: ServerLoad | None = None
    beside: tuple[MachineLoad, ...] = ()
    """The machines that took part and have no sampler: the load generator's, the database's."""
    connections_seen: ConnectionsSeen | None = None
    """The connections that were really there; None: not known."""
    wrong_after: str | None = None
    """What was wrong with the answer to one more request after the load; empty: nothing; None: it was not made."""
    server_open_files: int = 0
    """Limit of open file descriptors of the app's main process."""
    database: DatabaseLoad | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of what ran: interpreter, framework, server, event loop, parser, database."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each step took: start, wait, verify, warm_up, measure, stop."""
    raw: str = ""
    """The generator's output, as a path relative to the run's folder."""
    journal: str = ""
    """What the app wrote, the end of its unit's journal, as a path relative to the run's folder; empty: it wrote nothing,
    it is not ours, or an earlier version measured it."""
    part: int = 1
    """In which part of the run it was measured: 2 after the run was resumed once."""
