"""The record of a run: what was measured, how, and on which machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchrig.results.model.ended import Ended
from benchrig.results.model.machine import Database, Machine
from benchrig.results.model.network import DatabaseNetwork, Network


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
    """Of each row; with `until_percent`, the least number."""
    connections: int | None = None
    """Of every row, where the user chose it; None: each row has its own number."""
    pin: bool = False
    """Server, database and load generator were to be kept on CPUs of their own."""
    seed: int | None = None
    """The order of the rows in each round was drawn from it; None: each round was in the order of the suite."""
    until_percent: float | None = None
    """Rounds were added until each end of each row's interval was within so many percent of its median; None: none were."""
    at_most_seconds: float | None = None
    """With `until_percent`: how long measuring might take."""


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
    expect: tuple[str, ...] = ()
    """What the suite said must hold, when the run began: expressions in the language of claims."""
    ended: Ended | None = None
    """How it ended, where rounds were added until its rows were precise enough; None while it goes on, and of any other."""

    @property
    def repeats(self) -> int:
        """How many repeats each row has; the least number of a run to which rounds are still added."""
        return self.ended.rounds if self.ended else self.settings.repeats

    @property
    def goes_on(self) -> bool:
        """Rounds are added to it until its rows are precise enough, and they were not when it was interrupted."""
        return self.settings.until_percent is not None and self.ended is None

    @property
    def ended_line(self) -> str:
        """How it ended, in words, where rounds were added: `7 rounds in 1 min 10 s: each row is within ±5 %`; else empty."""
        ended, until = self.ended, self.settings.until_percent
        return ended.line(until, self.settings.at_most_seconds or 0, self.compares_servers) if ended and until else ""

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
