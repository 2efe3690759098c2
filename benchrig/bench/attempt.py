"""The state of a cell while it is measured: where it runs, what is sent, and what is known so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchrig.agent.bench import protocol
from benchrig.bench.app import App
from benchrig.bench.database import DatabaseHost
from benchrig.bench.generators.base import Shape
from benchrig.bench.meter import Loaded, Meter, WarmUp
from benchrig.bench.rows import Row
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Part, Topology
from benchrig.results.model import Checks


@dataclass
class Attempt:
    """The state of a cell while it is measured: what is known so far, also after a failure."""

    topology: Topology
    plan: Plan
    row: Row
    say: Callable[[str], None]
    """Shows the current step."""
    meter: Meter = field(default_factory=Meter)
    phases: dict[str, float] = field(default_factory=dict)
    script: str = ""
    """The load generator's, once the app's answers are known."""
    checks: Checks | None = None
    """How its replies are checked, once they are known."""
    before: protocol.DatabaseCounters | None = None
    """What the database had counted before the load."""
    output: protocol.LoadOutput | None = None
    warmed_up: WarmUp | None = None
    """Of an app of ours: what tells how its replies are sent."""
    journal: str = ""
    """The end of what app and systemd wrote, of a cell that failed."""
    written: str = ""
    """The end of what the app wrote, once it was stopped."""

    @property
    def app(self) -> App:
        """The app under test."""
        return self.row.app

    @property
    def is_ours(self) -> bool:
        """The bench starts and stops the app."""
        return self.app.is_ours

    @property
    def database(self) -> DatabaseHost | None:
        """The database that the app needs."""
        return self.topology.database if self.app.file.database else None

    @property
    def load_on_server(self) -> bool:
        """The load comes from the app's own machine; of a service that is not ours we know only its address."""
        return self.topology.shared if self.is_ours else is_loopback(self.host)

    @property
    def loaded(self) -> Loaded | None:
        """The server, as far as its agent tells of the load; None of a service that is not ours."""
        if not self.is_ours:
            return None
        return Loaded(self.topology.server, self.load_on_server, self.load_on_server and not self.topology.pins.generator)

    @property
    def beside(self) -> tuple[Part, ...]:
        """The other machines of the cell. No sampler runs for a service that is not ours, wherever it is."""
        sampled = self.is_ours and self.load_on_server
        return self.topology.beside(load_on_server=sampled, has_database=self.database is not None)

    @property
    def host(self) -> str:
        """The app's address for the load host."""
        return urlsplit(self.app.file.address).hostname or self.topology.address

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.app.file.port if self.is_ours else urlsplit(self.app.file.address).port or 80

    @property
    def url(self) -> str:
        """The URL of the first request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.row.traffic.routes[0].path}"

    @property
    def shape(self) -> Shape:
        """The requested load."""
        return self.plan.shape(self.row)

    @property
    def command(self) -> tuple[str, ...]:
        """The load generator's command as it can be repeated in the run's folder, where its script is kept."""
        words = self.plan.generator.command(self.shape, self.url)
        script = f"raw/{self.topology.raw_folder}{self.row.name}{self.plan.generator.script_suffix}"
        return tuple(word.replace("{script}", script) for word in words)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a step."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = round(time.monotonic() - began, 3)


def is_loopback(host: str) -> bool:
    """Return whether a name or address is that of the machine itself (loopback)."""
    return host in ("localhost", "::1") or host.startswith("127.")
