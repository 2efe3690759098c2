"""What to doubt about a figure, computed from the figures themselves. A remark is data: it never stops anything.

An invalid remark says that the row's figures are not what they seem (the load generator was the bottleneck, latency was
cut off, the hypervisor or another program took the CPU): such a row is shown and not ranked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchrig.results.model import (
    Cell,
    CpuShares,
    Generator,
    Load,
    LoadErrors,
    Network,
    Remark,
    Run,
    ServerLoad,
    bits_per_second,
)

LATE_SHARE = 0.01
"""From this share of late replies on, p99 is the timeout and not a latency."""

CEILING = 0.95
"""From this share of connections / sleep on, the waiting bounds the throughput."""

BEYOND_CEILING = 1.1
"""Above this share of it, the app waits less than its app.yml says."""

SATURATED = 0.95

LONG_RUN_SECONDS = 30.0
LITTLE_TOLERANCE = 0.05
"""How far a mean latency may be from Little's law in a long run."""

LITTLE_TOLERANCE_SHORT = 0.25
"""The same in a shorter one, where the requests that are cut off at both ends count for more."""

STEAL_PERCENT = 2.0
NO_IDLE_PERCENT = 2.0
FOREIGN_PERCENT = 10.0
FOREIGN_PERCENT_INVALID = 25.0
"""From a quarter of the CPU time on, the figure is as much another program's as the row's.

Rows of one table differ by less than such a share takes from a row that needs its CPUs, and whether a reply came too late is
then the other program's doing, too.
"""

NETWORK_BOUND = 0.8
"""From this share of the measured bandwidth on, the network may be what bounds the throughput."""

SEGMENT_BYTES = 1448
"""What a TCP packet carries on a network whose packets have 1500 bytes."""

HEADER_BYTES = 66
"""Ethernet, IPv4 and TCP with its timestamps, of each packet."""

DELAYED_ACK_US = 40_000
"""So long, Linux waits for a reply that could carry the acknowledgement of its request."""

APP, DATABASE, GENERATOR = "the app", "the database", "the load generator"
"""What of ours uses CPU."""

CLIPPED = 0.99
"""A maximum this close to the timeout is the timeout."""


@dataclass(frozen=True)
class Figures:
    """The figures that every result has, a published one too."""

    connections: int
    requests: int
    requests_per_second: float
    latency_mean_ms: float
    latency_max_ms: float
    timeout_seconds: float
    errors: LoadErrors
    sleep_seconds: float = 0.0
    duration_seconds: float = 0.0
    """0 where it is not known: judged as a short run."""
    always_busy: bool = True
    """A connection sends its next request as soon as it has its reply."""


def remarks(cell: Cell, run: Run) -> tuple[Remark, ...]:
    """Return the remarks on a measured cell of a run; none for one that was not measured."""
    if cell.load is None:
        return ()
    figures = Figures(
        connections=cell.connections,
        requests=cell.load.requests,
        requests_per_second=cell.load.requests_per_second,
        latency_mean_ms=cell.load.latency.mean_us / 1e3,
        latency_max_ms=cell.load.latency.max_us / 1e3,
        timeout_seconds=cell.timeout_seconds,
        errors=cell.load.errors,
        sleep_seconds=cell.sleep_seconds,
        duration_seconds=cell.duration_seconds,
        always_busy=not cell.load.pauses,
    )
    found = [*figure_remarks(figures)]
    if cell.generator:
        found += _generator(cell, cell.generator)
    if cell.server:
        found += _server(cell, cell.server)
    found += _cpus(cell, run)
    found += _emulated(cell, run)
    if network := run.network_to(cell.host):
        found += _network(cell.load, network)
    if cell.database and cell.database.stored is not None:
        found += _stored(cell.database.stored, cell.load.requests)
    return tuple(found)


def figure_remarks(figures: Figures) -> tuple[Remark, ...]:
    """Return the remarks that follow from the figures alone."""
    found = (_timeouts(figures), _unanswered(figures), _ceiling(figures), _little(figures), _errors(figures.errors))
    return tuple(remark for some in found for remark in some)


def _timeouts(figures: Figures) -> Iterator[Remark]:
    late, timeout = figures.errors.timeout, figures.timeout_seconds
    if late:
        yield Remark("timeouts", f"{late} of {figures.requests} replies came after the timeout of {timeout:g} s")
    # wrk leaves late replies out of its latency figures, so that mean and maximum are those of the quick ones.
    if late or figures.latency_max_ms >= CLIPPED * timeout * 1e3:
        text = f"latency is clipped at the timeout of {timeout:g} s: replies later than that are not in mean and percentiles"
        yield Remark("latency_clipped", text, invalid=late >= LATE_SHARE * figures.requests)


def _unanswered(figures: Figures) -> Iterator[Remark]:
    if figures.requests < figures.connections:
        text = (
            f"at least {figures.connections - figures.requests} of {figures.connections} connections never got a reply, "
            "and count in no figure"
        )
        yield Remark("unanswered", text)


def _ceiling(figures: Figures) -> Iterator[Remark]:
    if not figures.sleep_seconds:
        return
    ceiling = figures.connections / figures.sleep_seconds
    if figures.requests_per_second > BEYOND_CEILING * ceiling:
        text = (
            f"{figures.requests_per_second:.0f} requests/s are more than {figures.connections} connections / "
            f"{figures.sleep_seconds:g} s of waiting allow ({ceiling:.0f}): 'sleep_seconds' in app.yml is wrong"
        )
        yield Remark("sleep_wrong", text)
    elif figures.requests_per_second >= CEILING * ceiling:
        share = 100 * figures.requests_per_second / ceiling
        text = (
            f"at the ceiling: {figures.connections} connections / {figures.sleep_seconds:g} s of waiting allow "
            f"{ceiling:.0f} requests/s, this is {share:.0f} %: the system could do more"
        )
        yield Remark("ceiling", text)


def _little(figures: Figures) -> Iterator[Remark]:
    """Hold the mean against Little's law: connections that are always busy = throughput x latency.

    Source: J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961).
    """
    if not (figures.always_busy and figures.requests_per_second and figures.latency_mean_ms):
        return
    expected = 1e3 * figures.connections / figures.requests_per_second
    tolerance = LITTLE_TOLERANCE if figures.duration_seconds >= LONG_RUN_SECONDS else LITTLE_TOLERANCE_SHORT
    if abs(figures.latency_mean_ms - expected) > tolerance * expected:
        # The factor is each row's own: it still says something where a report tells many rows as one, with ranges.
        factor = figures.latency_mean_ms / expected
        text = (
            f"mean latency {figures.latency_mean_ms:.0f} ms is too {'low' if factor < 1 else 'high'} for Little's law: "
            f"{factor:.2f} times what {figures.connections} connections at {figures.requests_per_second:.0f} requests/s mean"
        )
        yield Remark("littles_law", text)


def _errors(errors: LoadErrors) -> Iterator[Remark]:
    for count, text in (
        (errors.connect, "connections could not be made"),
        (errors.read, "connections broke while reading"),
        (errors.write, "connections broke while writing"),
    ):
        if count:
            yield Remark("connection_errors", f"{count} {text}")


def _stored(stored: int, requests: int) -> Iterator[Remark]:
    # Requests that were under way when the load ended may be stored and not counted as answered, so more rows are right.
    if stored < requests:
        text = f"the database has {stored:,} rows of {requests:,} that replies said were stored"
        yield Remark("not_stored", text, invalid=True)


def _generator(cell: Cell, generator: Generator) -> Iterator[Remark]:
    usable = min(cell.threads, cell.cores)
    if not (usable and generator.wall_seconds):
        return
    busy = generator.cpu_seconds / generator.wall_seconds / usable
    if busy >= SATURATED:
        text = f"the load generator was the bottleneck: {100 * busy:.0f} % of the {usable} cores it can use"
        yield Remark("generator_saturated", text, invalid=True)


def _server(cell: Cell, server: ServerLoad) -> Iterator[Remark]:
    if server.listen_overflows:
        yield Remark("listen_backlog", f"the listen backlog overflowed {server.listen_overflows} times")
    if cell.load_on_server and server.machine_idle_percent < NO_IDLE_PERCENT:
        yield Remark("no_idle_cpu", "no CPU was idle, and the load generator ran on the same machine")


def _network(load: Load, network: Network) -> Iterator[Remark]:
    """Hold what the replies took of the network against what a stream could: both with the headers of their packets.

    A reply has a packet of its own at least, so that small ones fill a network long before their bytes do; and before one
    that takes its time, the request has been acknowledged by another.
    """
    if not load.duration_us:
        return
    packets = max(load.requests, load.bytes / SEGMENT_BYTES)
    packets += load.requests if load.latency.mean_us > DELAYED_ACK_US else 0
    took = 8 * (load.bytes + HEADER_BYTES * packets) / (load.duration_us / 1e6)
    carried = network.bandwidth_bits_per_second * (1 + HEADER_BYTES / SEGMENT_BYTES)
    if took >= NETWORK_BOUND * carried:
        text = (
            f"the replies took {bits_per_second(took)}, headers of packets included: {100 * took / carried:.0f} % of what "
            f"the network from {network.server} to {network.load_host} carries: the system may be able to do more"
        )
        yield Remark("network_bound", text)


@dataclass(frozen=True)
class _Machine:
    """A machine while the load ran: its CPUs, and what of ours ran on it."""

    hosts: tuple[str, ...]
    """Several where they are containers on one kernel, each of which sees the CPUs of all."""
    cpu: CpuShares
    ours: Mapping[str, float]
    """The seconds of CPU time that each of ours used."""


def _machines(cell: Cell, run: Run) -> tuple[_Machine, ...]:
    """Return the machines that had a part in a cell, as far as they were watched."""
    used = _used(cell)
    found: list[_Machine] = []
    if server := cell.server:
        shares = server.machine_idle_percent, server.machine_steal_percent, server.machine_interrupt_percent
        database = cell.database is not None and cell.database.on_server
        here = {APP: True, DATABASE: database, GENERATOR: cell.load_on_server}
        found.append(_Machine((cell.host,), CpuShares(server.seconds, *shares), _on(here, used)))
    for other in cell.beside:
        here = {DATABASE: other.database, GENERATOR: other.generator}
        found.append(_Machine((other.host,), other.cpu, _on(here, used)))
    if not (found and run.shares_kernel):
        return tuple(found)
    # Of a service that is not ours, nobody knows what it used, nor whether it runs on this kernel, too.
    return (_Machine(tuple(one.hosts[0] for one in found), found[0].cpu, used if cell.server else {}),)


def _used(cell: Cell) -> Mapping[str, float]:
    """Return the seconds of CPU time that each of ours used, wherever it ran."""
    used: dict[str, float] = {}
    if cell.server:
        used[APP] = cell.server.cpu_percent / 100 * cell.server.seconds
    if cell.database:
        used[DATABASE] = cell.database.cpu_seconds
    if cell.generator:
        used[GENERATOR] = cell.generator.cpu_seconds
    return used


def _on(here: Mapping[str, bool], used: Mapping[str, float]) -> Mapping[str, float]:
    return {name: seconds for name, seconds in used.items() if here.get(name)}


def _cpus(cell: Cell, run: Run) -> Iterator[Remark]:
    """Tell who else used the CPUs of the machines: other guests of their hypervisors, other programs on them."""
    cores = {machine.name: machine.cores for machine in run.machines}
    for machine in _machines(cell, run):
        alone = cell.load_on_server and not cell.beside
        names = _listed(machine.hosts, "and")
        whose = "" if alone else f" that {names} share" if machine.hosts[1:] else f" of {names}"
        stolen, foreign = machine.cpu.steal_percent, _foreign_percent(machine, cores.get(machine.hosts[0], 0))
        if stolen >= STEAL_PERCENT:
            yield Remark("steal", f"the hypervisor took {stolen:.0f} % of the CPU time{whose} (steal)", invalid=True)
        if foreign >= FOREIGN_PERCENT:
            ours = f"{'neither' if len(machine.ours) > 1 else 'not'} {_listed(tuple(machine.ours), 'nor')}"
            text = f"something else used {foreign:.0f} % of the CPU time{whose}, {ours}"
            yield Remark("disturbed", text, invalid=foreign >= FOREIGN_PERCENT_INVALID)


def _emulated(cell: Cell, run: Run) -> Iterator[Remark]:
    named = {cell.host, *(other.host for other in cell.beside)}
    # A service that is not ours, at an address of the load host itself, is on none that is named.
    took_part = [machine for machine in run.machines if machine.name in named] or run.machines
    if names := tuple(machine.name for machine in took_part if machine.emulated):
        are, whose = ("are", "their") if names[1:] else ("is", "its")
        text = f"{_listed(names, 'and')} {are} emulated: {whose} figures mean nothing for any real machine"
        yield Remark("emulated", text, invalid=True)


def _foreign_percent(machine: _Machine, cores: int) -> float:
    """Return the share of the machine's CPU time that others than ours used, at least; 0 where it cannot be known."""
    if not (machine.ours and cores and machine.cpu.seconds):
        return 0.0
    ours = 100 * sum(machine.ours.values()) / machine.cpu.seconds / cores
    return 100 - machine.cpu.idle_percent - machine.cpu.steal_percent - machine.cpu.interrupt_percent - ours


def _listed(names: Sequence[str], last: str) -> str:
    """Return names as one text: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
