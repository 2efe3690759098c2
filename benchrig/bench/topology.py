"""The topology of a measurement: its server, load host and database, and the CPU use of the machines beside the server.

The sampler runs on the server alone. The other machines may be disturbed as well, so their CPU times are read too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchrig.agent.bench import protocol
from benchrig.bench import records
from benchrig.bench.database import DatabaseHost
from benchrig.bench.host import Host
from benchrig.bench.pinning import Pins
from benchrig.results.model import CpuShares, MachineLoad


@dataclass(frozen=True)
class Part:
    """A machine of a cell other than the server, and its parts in the cell; it may have both."""

    host: Host
    name: str
    generator: bool
    database: bool


@dataclass(frozen=True)
class Topology:
    """The topology of a measurement: server, load host and database, which may be one machine."""

    server: Host
    generator: Host
    server_name: str
    generator_name: str
    address: str
    """The server's address for the load host."""
    generator_facts: protocol.MachineFacts
    unit_open_files: Mapping[str, int]
    """Descriptor limit of each app's unit."""
    database: DatabaseHost | None = None
    pins: Pins = field(default_factory=Pins)
    """The CPUs that server, database and load generator are kept on."""
    one_of_many: bool = False
    """Each row is measured on several servers, of which this is one."""

    @property
    def shared(self) -> bool:
        """Load generator and server are on one machine."""
        return self.server is self.generator

    def title(self, row: str) -> str:
        """Return what a row that is measured here is called."""
        return f"{row} on {self.server_name}" if self.one_of_many else row

    @property
    def raw_folder(self) -> str:
        """The folder of the load generator's output, below `raw/` in the run's folder; ends with `/`, or is empty."""
        return f"{self.server_name.replace('/', '_')}/" if self.one_of_many else ""

    def beside(self, *, load_on_server: bool, has_database: bool) -> tuple[Part, ...]:
        """Return the machines of a cell other than the server."""
        apart = self.database if self.database and has_database and self.database.host is not self.server else None
        both = apart is not None and apart.host is self.generator
        parts = [] if load_on_server else [Part(self.generator, self.generator_name, generator=True, database=both)]
        if apart and not both:
            parts.append(Part(apart.host, apart.name, generator=False, database=True))
        return tuple(parts)


@contextmanager
def watched(parts: Sequence[Part]) -> Iterator[list[MachineLoad]]:
    """Measure the CPU use of machines during the block; the list has it when the block has ended without an error.

    Raises OperationError when a machine cannot measure it, HostError when it is lost.
    """
    found: list[MachineLoad] = []
    before = [part.host.ask(protocol.FindCpuTimes()) for part in parts]
    yield found
    for part, earlier in zip(parts, before, strict=True):
        cpu = part.host.ask(protocol.FindCpuTimes()).since(earlier)
        found.append(MachineLoad(part.name, part.generator, part.database, records.stored(CpuShares, cpu)))
