"""The records of a run: what `reports/` holds as JSON, with the units in the names of the fields.

A run (`run.json`) has cells (`cells.jsonl`): one cell is one row of a suite, measured once. Nothing derived is stored:
medians and warnings are computed again from these records. `formats/` reads what an earlier version wrote; a change here
that an earlier benchrig could not read, or that makes an old file wrong, needs a new format there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchrig.units import bits_per_second, microseconds

Status = Literal["measured", "failed", "not_possible"]


@dataclass(frozen=True)
class Latency:
    """Latency of the replies in microseconds, after the load generator's own corrections, if it makes any."""

    mean_us: float
    stdev_us: float
    min_us: float
    max_us: float
    percentiles_us: Mapping[str, float]
    """Keyed by percentile as text: "50", "75", "90", "99", "99.9"."""


@dataclass(frozen=True)
class LoadErrors:
    """The load generator's errors by kind. Replies slower than its timeout are in `timeout`, and may be requests too."""

    connect: int = 0
    read: int = 0
    write: int = 0
    timeout: int = 0
    status: int = 0

    @property
    def total(self) -> int:
        """All errors together."""
        return self.connect + self.read + self.write + self.timeout + self.status


@dataclass(frozen=True)
class Load:
    """The load generator's counts and latencies of one cell."""

    requests: int
    duration_us: int
    bytes: int
    errors: LoadErrors
    latency: Latency
    replies_checked: int
    replies_wrong: int
    """Replies whose status or body was not the expected one."""
    wrong_example: str = ""
    """Status and beginning of the body of one of them."""
    pauses: bool = False
    """The connections idled on purpose: the user's script has a `delay`."""

    @property
    def requests_per_second(self) -> float:
        """Throughput over the generator's own duration."""
        return self.requests / (self.duration_us / 1e6) if self.duration_us else 0.0


@dataclass(frozen=True)
class Generator:
    """The load generator's process: its command, its exit, and what it used."""

    command: tuple[str, ...]
    exit_code: int
    wall_seconds: float
    cpu_seconds: float
    open_files: int = 0
    """Limit of open file descriptors of its process."""
    version: str = ""


@dataclass(frozen=True)
class DatabaseLoad:
    """What PostgreSQL has counted between the warm-up's end and the end of the app's last session.

    Of sessions that outlive the warm-up, up to the last second of its transactions is in it: PostgreSQL tells them late.
    """

    stored: int | None
    """Rows that were added to the table in which each good reply stores one; None when there is no such table."""
    sessions: int
    """Sessions that were begun."""
    commits: int
    rollbacks: int
    cpu_seconds: float = 0.0
    """CPU time of all processes of PostgreSQL."""
    on_server: bool = True
    """It ran on the app's own machine."""


@dataclass(frozen=True)
class CpuShares:
    """What the CPUs of a machine did for some `seconds`, in percent of all cores together: 0 to 100."""

    seconds: float
    idle_percent: float
    steal_percent: float
    interrupt_percent: float


@dataclass(frozen=True)
class ServerLoad:
    """What the sampler saw on the server while the load ran. CPU percent: 100 is one core fully used."""

    seconds: float
    cpu_percent: float
    memory_peak_bytes: int
    """Resident memory of all processes together; a page that two of them share counts twice."""
    processes: int
    load_average: float
    """Of the last minute, as the kernel computes it."""
    machine_idle_percent: float
    """Of all cores together: 0 to 100."""
    machine_steal_percent: float
    machine_interrupt_percent: float
    """Interrupts, most of them the network's; a kernel may count their time to the process that they interrupt, too."""
    listen_overflows: int
    listen_drops: int
    retransmits: int
    time_wait_peak: int
    samples: int
    sampler_cpu_seconds: float


@dataclass(frozen=True)
class MachineLoad:
    """What the CPUs of a machine beside the server did while the load ran."""

    host: str
    generator: bool
    """The load generator ran on it."""
    database: bool
    """The database ran on it."""
    cpu: CpuShares


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
    load_on_server: bool = True
    """The generator ran on the server's own machine."""
    started_at: str = ""
    load: Load | None = None
    generator: Generator | None = None
    server: ServerLoad | None = None
    beside: tuple[MachineLoad, ...] = ()
    """The other machines that took part: the load generator's, the database's."""
    server_open_files: int = 0
    """Limit of open file descriptors of the app's main process."""
    database: DatabaseLoad | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of what ran: interpreter, framework, server, event loop, parser, database."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each step took: start, wait, verify, warm_up, measure, stop."""
    raw: str = ""
    """The generator's output, as a path relative to the run's folder."""
    part: int = 1
    """In which part of the run it was measured: 2 after the run was resumed once."""


@dataclass(frozen=True)
class Settings:
    """How a run was measured: its profile, with what the user chose instead."""

    duration_seconds: float
    """Of each measurement."""
    warm_up_seconds: float
    timeout_seconds: float
    """A reply that takes longer is an error."""
    threads: int
    """Of the load generator."""
    repeats: int
    connections: int | None = None
    """Of every row, where the user chose it; None: each row has its own number."""


@dataclass(frozen=True)
class Machine:
    """A host as it was when the run began."""

    name: str
    kind: str
    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    os: str
    virtualization: str
    sysctls: Mapping[str, str]
    limits: Mapping[str, str]
    versions: Mapping[str, str]
    emulated: bool = False
    """Its CPU is emulated by a program: the computer's own could not be used."""
    made_here: bool = False
    """benchrig made it on the computer that it ran on."""
    shares_kernel: bool = False
    """It is a container on the kernel of that computer: the CPU figures that it sees are those of the whole computer."""


@dataclass(frozen=True)
class Database:
    """PostgreSQL and its data set as they were when the run began."""

    host: str
    data: str
    """The data set's name."""
    version: str
    settings: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True)
class Network:
    """The network between the load generator's machine and a server, measured when the run began."""

    load_host: str
    server: str
    rtt_us_median: float
    """Round-trip time of a small message over TCP, in microseconds, with what both ends' programs need for it."""
    rtt_us_p99: float
    bandwidth_bits_per_second: float
    """What one TCP connection carries from the server to the load host, as replies go."""

    @property
    def line(self) -> str:
        """It in words: `load1 to server1: round trip 85 µs (p99 140 µs), 9.41 Gbit/s`."""
        return f"{self.load_host} to {self.server}: {_between(self)}"


@dataclass(frozen=True)
class DatabaseNetwork:
    """The network between a server and the database's machine, measured when the run began."""

    server: str
    database: str
    """The database's machine."""
    rtt_us_median: float
    rtt_us_p99: float
    bandwidth_bits_per_second: float
    """What one TCP connection carries from the database's machine to the server, as rows go."""

    @property
    def line(self) -> str:
        """It in words, as that of a Network."""
        return f"{self.server} to {self.database}: {_between(self)}"


@dataclass(frozen=True)
class Part:
    """A later part of a run that was interrupted and resumed."""

    started_at: str
    machines: tuple[Machine, ...]
    """As they were when it began."""
    git_commit: str
    benchrig_version: str
    changed: tuple[str, ...] = ()
    """Conditions that were not those of the first part, in words. The user said to go on all the same."""


@dataclass(frozen=True)
class Run:
    """A run: what was measured, with which settings, on which machines, by which version of benchrig."""

    name: str
    """The run's folder name under `reports/`."""
    suite: str
    suite_title: str
    profile: str
    inventory: str
    rows: tuple[str, ...]
    settings: Settings
    published: str
    """Name of the published figures to set beside, or empty."""
    started_at: str
    finished_at: str = ""
    machines: tuple[Machine, ...] = ()
    servers: tuple[str, ...] = ()
    """The machines that the apps ran on; each row was measured on each of them."""
    networks: tuple[Network, ...] = ()
    """One for each server that another machine loaded."""
    database_networks: tuple[DatabaseNetwork, ...] = ()
    """One for each server that asked a database on another machine."""
    computer_cores: int = 0
    """CPU cores of the computer that benchrig ran on, if it made the machines there itself."""
    database: Database | None = None
    git_commit: str = ""
    benchrig_version: str = ""
    number: int = 0
    """One more than the greatest in `reports/` when the run began: it orders runs, whatever the clock said. 0: not known."""
    inventory_file: str = ""
    """The absolute path of an inventory that is not a file of `inventory/`."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what was measured, by its kind and name: `row go-2000`, `app go`, `data films`."""
    parts: tuple[Part, ...] = ()
    """The parts after the first; empty of a run that was measured without a break."""

    @property
    def compares_servers(self) -> bool:
        """Each row was measured on several servers."""
        return len(self.servers) > 1

    @property
    def shares_computer(self) -> bool:
        """Several machines had a part in each row, and benchrig made them all on the computer that it ran on."""
        made_here = all(machine.made_here for machine in self.machines)
        return made_here and len(self.machines) > max(1, len(self.servers))

    @property
    def shares_kernel(self) -> bool:
        """The machines are containers on one kernel: what each of them sees of the CPUs is the whole computer's."""
        return all(machine.shares_kernel for machine in self.machines)

    def network_to(self, server: str) -> Network | None:
        """Return the network to a server; None where it loaded itself, or the network was not measured."""
        return next((network for network in self.networks if network.server == server), None)


def _between(network: Network | DatabaseNetwork) -> str:
    trip = f"round trip {microseconds(network.rtt_us_median)} (p99 {microseconds(network.rtt_us_p99)})"
    return f"{trip}, {bits_per_second(network.bandwidth_bits_per_second)}"
