"""The protocol of a bench: the operations that the controller asks of a host, and their answers.

Both are dataclasses, used on both sides; `lines.py` says how they travel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from .probe import VersionProbe

A = TypeVar("A")


class Operation(Generic[A]):
    """An operation on a host; the type in brackets is that of its answer."""

    @classmethod
    def answer(cls) -> Any:
        """Return the class of the answer."""
        (base,) = cls.__orig_bases__  # type: ignore[attr-defined]
        return get_args(base)[0]


@dataclass(frozen=True)
class Done:
    """The empty answer."""


@dataclass(frozen=True)
class MachineFacts:
    """A machine as it is now."""

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    os: str
    virtualization: str
    sysctls: Mapping[str, str]
    limits: Mapping[str, str]
    versions: Mapping[str, str]
    open_files: int
    """How many descriptors a process may have open here, when root raises the limit as far as it goes."""
    local_ports: int
    """How many ports there are for outgoing connections."""


@dataclass(frozen=True)
class FindMachineFacts(Operation[MachineFacts]):
    """Look at the machine; `version_commands` are commands that print the version of a program, by its name."""

    version_commands: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class DeployedApp:
    """An app on the host: the SHA-256 of its files by name, and its unit's descriptor limit (0: it has no unit)."""

    files: Mapping[str, str]
    open_files: int


@dataclass(frozen=True)
class Deployed:
    """What is on the host: apps by name, data sets by name (the SHA-256 of their files), load generators installed."""

    apps: Mapping[str, DeployedApp]
    data: Mapping[str, Mapping[str, str]]
    programs: tuple[str, ...]


@dataclass(frozen=True)
class FindDeployed(Operation[Deployed]):
    """Look at what is deployed; `programs` are the ones to look for."""

    programs: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """Whether a port is free; if not, whose it is, as far as that can be seen (pid 0: it cannot).

    `listens`: a server listens on it. Otherwise it is the local port of a client's connection.
    """

    free: bool
    pid: int = 0
    command: str = ""
    listens: bool = False


@dataclass(frozen=True)
class FreePort(Operation[Port]):
    """Stop every app of ours that still runs, then check the port."""

    port: int


@dataclass(frozen=True)
class Start(Operation[Done]):
    """Start an app's unit afresh."""

    unit: str


@dataclass(frozen=True)
class Readiness:
    """Whether an app has started completely; if not, why."""

    ready: bool
    reason: str = ""


@dataclass(frozen=True)
class AwaitAnswer(Operation[Readiness]):
    """Wait until a started app answers HTTP at all, and until all its workers have finished starting."""

    unit: str
    port: int
    path: str
    seconds: float


@dataclass(frozen=True)
class Reply:
    """An HTTP reply: its status and its body, which is `cut` after 4 MiB; `error` when there was none."""

    status: int = 0
    body: str = ""
    cut: bool = False
    error: str = ""


@dataclass(frozen=True)
class Fetch(Operation[Reply]):
    """Make one HTTP request and read its reply; a wait for the other end lasts `seconds` at most, all of them twice that."""

    host: str
    port: int
    path: str
    seconds: float
    method: str = "GET"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class LoadOutput:
    """What a load generator wrote and used. `wall_seconds` is from its start to its end; `killed` when it hung."""

    exit_code: int
    stdout: str
    stderr: str
    wall_seconds: float
    cpu_seconds: float
    open_files: int
    killed: bool = False


@dataclass(frozen=True)
class RunLoad(Operation[LoadOutput]):
    """Run a load generator. `{script}` in its command stands for the file that `script` is written to."""

    command: tuple[str, ...]
    script: str
    kill_after_seconds: float


@dataclass(frozen=True)
class CpuShares:
    """What the CPUs of a machine did for some `seconds`, in percent of all cores together: 0 to 100."""

    seconds: float
    idle_percent: float
    steal_percent: float
    interrupt_percent: float


@dataclass(frozen=True)
class CpuTimes:
    """What the CPUs of a machine have done since it started, in seconds of all of them together."""

    at: float
    """The machine's own clock, in seconds."""
    total: float
    idle: float
    steal: float
    interrupts: float

    def since(self, before: CpuTimes) -> CpuShares:
        """Return what they did from an earlier reading of the same machine to this one."""
        # Between two ticks of the kernel's clock there is nothing to divide by.
        total = max(self.total - before.total, 0.01)
        return CpuShares(
            seconds=round(self.at - before.at, 3),
            idle_percent=round(100 * (self.idle - before.idle) / total, 1),
            steal_percent=round(100 * (self.steal - before.steal) / total, 1),
            interrupt_percent=round(100 * (self.interrupts - before.interrupts) / total, 1),
        )


@dataclass(frozen=True)
class FindCpuTimes(Operation[CpuTimes]):
    """Read what the CPUs of the machine have done so far."""


@dataclass(frozen=True)
class StartSampling(Operation[Done]):
    """Start the sampler of an app's processes, the machine and the kernel's counters."""

    unit: str


@dataclass(frozen=True)
class ServerLoad:
    """The sampler's measurements on the server under load. CPU percent: 100 is one core fully used."""

    seconds: float
    cpu_percent: float
    memory_peak_bytes: int
    """Resident memory of all processes together; a page that two of them share counts twice."""
    processes: int
    load_average: float
    machine_idle_percent: float
    """Of all cores together: 0 to 100."""
    machine_steal_percent: float
    machine_interrupt_percent: float
    """Interrupts, most of it the network's own work; a kernel may count it to the process it interrupts, too."""
    listen_overflows: int
    listen_drops: int
    retransmits: int
    time_wait_peak: int
    samples: int
    sampler_cpu_seconds: float
    ended: int = 0
    """How many of the processes that were there at the start have ended, and of them those that others replaced."""
    replaced: int = 0
    oom_kills: int = 0
    """How many processes the kernel's OOM killer ended."""
    oom_on_machine: bool = False
    """They may be others than the app's: its control group is gone, so all that are counted above it count."""
    memory_limit_bytes: int = 0


@dataclass(frozen=True)
class StopSampling(Operation[ServerLoad]):
    """Stop the sampler, and return what it measured."""


@dataclass(frozen=True)
class Ran:
    """What an app's processes are made of: versions by name, and the descriptor limit of its main process."""

    alive: bool
    versions: Mapping[str, str]
    open_files: int
    ending: str = ""
    """How it ended, when it is not alive."""


@dataclass(frozen=True)
class FindWhatRuns(Operation[Ran]):
    """Look at a running app: the versions that `probes` find, and those of the Python `distributions`.

    An error when another program listens on its `port` too.
    """

    app: str
    unit: str
    port: int
    distributions: tuple[str, ...]
    probes: tuple[VersionProbe, ...]


@dataclass(frozen=True)
class Journal:
    """The last lines that an app wrote since it was started."""

    text: str


@dataclass(frozen=True)
class ReadJournal(Operation[Journal]):
    """Read the end of the journal of an app's present or last start."""

    unit: str
    lines: int


@dataclass(frozen=True)
class Stop(Operation[Port]):
    """Stop an app, and check that its port is free."""

    unit: str
    port: int


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


OPERATIONS: dict[str, type[Operation[Any]]] = {operation.__name__: operation for operation in Operation.__subclasses__()}
"""Every operation there is, by its name."""
