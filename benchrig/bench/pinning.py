"""`--pin`: which CPUs server, database and load generator get, where they share a machine and it has cores enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchrig import console
from benchrig.agent.bench import protocol
from benchrig.bench.host import AgentHost, Hosts, Pair

APP, DATABASE, GENERATOR = "app", "database", "load generator"


@dataclass(frozen=True)
class Pins:
    """The CPUs of each program of a measurement, as a list such as `0-3`; empty where it may use all."""

    app: str = ""
    database: str = ""
    generator: str = ""

    @property
    def named(self) -> Mapping[str, str]:
        """The lists by the program's name; only of programs that are pinned."""
        values = {APP: self.app, DATABASE: self.database, GENERATOR: self.generator}
        return {name: cpus for name, cpus in values.items() if cpus}


def find(hosts: Hosts, *, has_app: bool, shares_kernel: bool) -> tuple[Pins, ...]:
    """Return the CPUs for each pair of server and load host, and say on which machines nothing is pinned.

    Machines that share a kernel share its cores. Raises OperationError, HostError.
    """
    pins: list[Pins] = []
    said: set[str] = set()
    for pair in hosts.pairs:
        cpus: dict[str, str] = {}
        for machine, parts in _machines(pair, hosts.database, has_app=has_app, shares_kernel=shares_kernel):
            found = machine.ask(protocol.FindCpuParts(parts)).cpus if parts[1:] else {}
            cpus |= found
            if not found and machine.name not in said:
                said.add(machine.name)
                console.line(f"{machine.name}: {_why(parts)}")
        pins.append(Pins(cpus.get(APP, ""), cpus.get(DATABASE, ""), cpus.get(GENERATOR, "")))
    return tuple(pins)


def _why(parts: tuple[str, ...]) -> str:
    if parts[1:]:
        return f"nothing is pinned: {', '.join(parts)} need a core each, and it has fewer"
    return f"nothing is pinned: of server, database and load generator, only the {parts[0]} runs there"


def _machines(
    pair: Pair, database: AgentHost | None, *, has_app: bool, shares_kernel: bool
) -> Iterator[tuple[AgentHost, tuple[str, ...]]]:
    """Yield each machine with its programs; several that share a kernel as one."""
    roles = {APP: pair.server if has_app else None, DATABASE: database, GENERATOR: pair.generator}
    programs = {name: host for name, host in roles.items() if host}
    if shares_kernel:
        yield pair.generator, tuple(programs)
        return
    for host in dict.fromkeys(programs.values()):
        yield host, tuple(name for name, where in programs.items() if where is host)


def of_machines(hosts: Hosts, pins: Sequence[Pins]) -> Mapping[str, Mapping[str, str]]:
    """Return the CPUs of each program by the machine that it runs on; `pins` are those of each pair."""
    found: dict[str, dict[str, str]] = {}
    for pair, one in zip(hosts.pairs, pins, strict=True):
        where = {APP: pair.server, DATABASE: hosts.database, GENERATOR: pair.generator}
        for name, cpus in one.named.items():
            if host := where[name]:
                found.setdefault(host.name, {})[name] = cpus
    return found
