"""Detects what makes measured values doubtful. A warning is a value: it never stops anything.

An invalid warning says that values of the row are not what they seem: the load generator was the bottleneck, latency was
cut off, the hypervisor or another program took the CPU. Such a row is shown and not ranked. Each function here detects
one warning; its code, what it spoils and its sentence are an entry of `warnings.Code`.
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
    Run,
    ServerLoad,
)
from benchrig.results.warnings import Code, Unit, Value, Warning, number

LATE_SHARE = 0.01
"""From this share of late replies on, p99 is the timeout and not a latency."""

CEILING = 0.95
"""From this share of connections / sleep on, the waiting bounds the throughput."""

BEYOND_CEILING = 1.1
"""Above this share of it, the app waits less than its app.yml says."""

SATURATED = 0.95

LONG_RUN_SECONDS = 30.0
LITTLE_TOLERANCE = 0.05
"""Accepted difference of mean latency from Little's law in a long run."""

LITTLE_TOLERANCE_SHORT = 0.25
"""The same in a shorter run, where requests that are cut off at start and end count for more."""

STEAL_PERCENT = 2.0
NO_IDLE_PERCENT = 2.0
FOREIGN_PERCENT = 10.0
FOREIGN_PERCENT_INVALID = 25.0
"""From a quarter of the CPU time on, another program decides the values.

Rows of one table differ by less than that, and a late reply may then be the other program's fault, too.
"""

NETWORK_BOUND = 0.8
"""From this share of the measured bandwidth on, the network may be what bounds the throughput."""

SEGMENT_BYTES = 1448
"""What a TCP packet carries on a network whose packets have 1500 bytes."""

HEADER_BYTES = 66
"""Ethernet, IPv4 and TCP with its timestamps, of each packet."""

DELAYED_ACK_US = 40_000
"""How long Linux waits for a reply that can carry the acknowledgement of its request."""

APP, DATABASE, GENERATOR = "the app", "the database", "the load generator"
"""Our programs that use CPU."""

CLIPPED = 0.99
"""A maximum this close to the timeout is the timeout."""


@dataclass(frozen=True)
class Measured:
    """The values that every result has, a published one too."""

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
    host: str = ""
    """The server; empty of published values."""


def warnings(cell: Cell, run: Run) -> tuple[Warning, ...]:
    """Return the warnings about a measured cell of a run; none about a cell that was not measured."""
    if cell.load is None:
        return ()
    measured = Measured(
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
        host=cell.host,
    )
    detected = [*load_warnings(measured)]
    if cell.generator:
        detected += _generator(cell, cell.generator)
    if cell.server:
        detected += _backlog(cell, cell.server)
        detected += _no_idle_cpu(cell, cell.server)
    detected += _cpus(cell, run)
    detected += _emulated(cell, run)
    if network := run.network_to(cell.host):
        detected += _network(cell.load, network)
    if cell.database and cell.database.stored is not None:
        detected += _stored(cell, cell.database.stored, cell.load.requests)
    return tuple(detected)


def load_warnings(measured: Measured) -> tuple[Warning, ...]:
    """Return the warnings that follow from the load generator's values alone."""
    detectors = (_timeouts, _clipped, _unanswered, _ceiling, _little, _errors)
    return tuple(warning for detect in detectors for warning in detect(measured))


def repeat_warnings(measured: Sequence[Cell], missed: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Return the warnings about the repeats of a row: some were not measured, or the run was resumed between them."""
    yield from _resumed(measured, run)
    if measured and missed:
        values: dict[str, Value] = {
            "missing": number(len(missed)),
            "repeats": number(len(measured) + len(missed)),
            "reason": missed[0].reason,
        }
        yield Warning(Code.REPEAT_MISSING, missed[0].host, values, invalid=True)


def _resumed(measured: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Warn when a row's repeats were measured before and after an interruption, or conditions changed in between."""
    changed = dict.fromkeys(one for part in run.parts for one in part.changed)
    repeats: dict[int, list[int]] = {}
    for cell in measured:
        repeats.setdefault(cell.part, []).append(cell.repeat)
    if not measured or not (changed or len(repeats) > 1):
        return
    said = "; ".join(f"{ranges(numbers)} in part {part}" for part, numbers in sorted(repeats.items()))
    values: dict[str, Value] = {"case": "changed" if changed else "same", "repeats": said}
    yield Warning(
        Code.RESUMED, measured[0].host, values | ({"changed": "; ".join(changed)} if changed else {}), invalid=bool(changed)
    )


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers of repeats in words: `repeat 2`, `repeats 1 to 3`, `repeats 1 to 3, 5`."""
    found: list[list[int]] = []
    for repeat in sorted(numbers):
        if found and repeat == found[-1][-1] + 1:
            found[-1].append(repeat)
        else:
            found.append([repeat])
    words = ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in found)
    return f"repeat{'' if len(numbers) == 1 else 's'} {words}"


def _timeouts(measured: Measured) -> Iterator[Warning]:
    if late := measured.errors.timeout:
        values: dict[str, Value] = {
            "late": number(late),
            "requests": number(measured.requests),
            "timeout": number(measured.timeout_seconds, Unit.SECONDS),
        }
        yield Warning(Code.TIMEOUTS, measured.host, values)


def _clipped(measured: Measured) -> Iterator[Warning]:
    # The load generator leaves late replies out of its latency values: mean and maximum are those of the quick replies.
    late, timeout = measured.errors.timeout, measured.timeout_seconds
    if late or measured.latency_max_ms >= CLIPPED * timeout * 1e3:
        invalid = late >= LATE_SHARE * measured.requests
        yield Warning(Code.LATENCY_CLIPPED, measured.host, {"timeout": number(timeout, Unit.SECONDS)}, invalid)


def _unanswered(measured: Measured) -> Iterator[Warning]:
    if measured.requests < measured.connections:
        unanswered = measured.connections - measured.requests
        values = {"unanswered": number(unanswered), "connections": number(measured.connections)}
        yield Warning(Code.UNANSWERED, measured.host, values)


def _ceiling(measured: Measured) -> Iterator[Warning]:
    if not measured.sleep_seconds:
        return
    allowed, rate = measured.connections / measured.sleep_seconds, measured.requests_per_second
    values: dict[str, Value] = {
        "connections": number(measured.connections),
        "sleep": number(measured.sleep_seconds, Unit.SECONDS),
        "allowed": number(allowed, Unit.REQUESTS_PER_SECOND),
    }
    if rate > BEYOND_CEILING * allowed:
        yield Warning(Code.SLEEP_WRONG, measured.host, {**values, "rate": number(rate, Unit.REQUESTS_PER_SECOND)})
    elif rate >= CEILING * allowed:
        yield Warning(Code.CEILING, measured.host, {**values, "share": number(100 * rate / allowed, Unit.PERCENT)})


def _little(measured: Measured) -> Iterator[Warning]:
    """Compare the mean with Little's law: connections that are always busy = throughput x latency.

    Source: J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961).
    """
    if not (measured.always_busy and measured.requests_per_second and measured.latency_mean_ms):
        return
    expected = 1e3 * measured.connections / measured.requests_per_second
    tolerance = LITTLE_TOLERANCE if measured.duration_seconds >= LONG_RUN_SECONDS else LITTLE_TOLERANCE_SHORT
    if abs(measured.latency_mean_ms - expected) > tolerance * expected:
        factor = measured.latency_mean_ms / expected
        case = "understated" if factor < 1 else "overstated"
        values: dict[str, Value] = {"case": case, "factor": number(max(factor, 1 / factor), Unit.TIMES)}
        yield Warning(Code.LITTLES_LAW, measured.host, values)


def _errors(measured: Measured) -> Iterator[Warning]:
    errors = measured.errors
    for case, failed in {"connect": errors.connect, "read": errors.read, "write": errors.write}.items():
        if failed:
            yield Warning(Code.CONNECTION_ERRORS, measured.host, {"case": case, "failed": number(failed)})


def _stored(cell: Cell, stored: int, requests: int) -> Iterator[Warning]:
    # Requests that were under way when the load ended may be stored and not counted as answered, so more rows are right.
    if stored < requests:
        yield Warning(Code.NOT_STORED, cell.host, {"stored": number(stored), "requests": number(requests)}, invalid=True)


def _generator(cell: Cell, generator: Generator) -> Iterator[Warning]:
    usable = min(cell.threads, cell.cores)
    if not (usable and generator.wall_seconds):
        return
    busy = generator.cpu_seconds / generator.wall_seconds / usable
    if busy >= SATURATED:
        values = {"busy": number(100 * busy, Unit.PERCENT), "cores": number(usable)}
        host = next((other.host for other in cell.beside if other.generator), cell.host if cell.load_on_server else "")
        yield Warning(Code.GENERATOR_SATURATED, host, values, invalid=True)


def _backlog(cell: Cell, server: ServerLoad) -> Iterator[Warning]:
    if server.listen_overflows:
        yield Warning(Code.LISTEN_BACKLOG, cell.host, {"overflows": number(server.listen_overflows)})


def _no_idle_cpu(cell: Cell, server: ServerLoad) -> Iterator[Warning]:
    if cell.load_on_server and server.machine_idle_percent < NO_IDLE_PERCENT:
        yield Warning(Code.NO_IDLE_CPU, cell.host)


def _network(load: Load, network: Network) -> Iterator[Warning]:
    """Compare what the replies took of the network with what one stream carried; both count the headers of packets.

    A reply has a packet of its own at least, so that small replies fill a network long before their bytes do. Before a slow
    reply, another packet has acknowledged the request.
    """
    if not load.duration_us:
        return
    packets = max(load.requests, load.bytes / SEGMENT_BYTES)
    packets += load.requests if load.latency.mean_us > DELAYED_ACK_US else 0
    used = 8 * (load.bytes + HEADER_BYTES * packets) / (load.duration_us / 1e6)
    carried = network.bandwidth_bits_per_second * (1 + HEADER_BYTES / SEGMENT_BYTES)
    if used >= NETWORK_BOUND * carried:
        values: dict[str, Value] = {
            "used": number(used, Unit.BITS_PER_SECOND),
            "share": number(100 * used / carried, Unit.PERCENT),
            "server": network.server,
            "load_host": network.load_host,
        }
        yield Warning(Code.NETWORK_BOUND, network.server, values)


@dataclass(frozen=True)
class _Machine:
    """A machine under load: its CPUs, and which of our programs ran on it."""

    hosts: tuple[str, ...]
    """Several where they are containers on one kernel, each of which sees the CPUs of all."""
    cpu: CpuShares
    ours: Mapping[str, float]
    """CPU time in seconds of each of our programs."""


def _machines(cell: Cell, run: Run) -> tuple[_Machine, ...]:
    """Return the machines that took part in a cell and were sampled."""
    used = _used(cell)
    machines: list[_Machine] = []
    if server := cell.server:
        shares = server.machine_idle_percent, server.machine_steal_percent, server.machine_interrupt_percent
        database = cell.database is not None and cell.database.on_server
        here = {APP: True, DATABASE: database, GENERATOR: cell.load_on_server}
        machines.append(_Machine((cell.host,), CpuShares(server.seconds, *shares), _on(here, used)))
    for other in cell.beside:
        here = {DATABASE: other.database, GENERATOR: other.generator}
        machines.append(_Machine((other.host,), other.cpu, _on(here, used)))
    if not (machines and run.shares_kernel):
        return tuple(machines)
    # What a service that is not ours used is not known, nor whether it runs on this kernel.
    return (_Machine(tuple(one.hosts[0] for one in machines), machines[0].cpu, used if cell.server else {}),)


def _used(cell: Cell) -> Mapping[str, float]:
    """Return the CPU time in seconds of each of our programs, on whichever machine it ran."""
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


def _cpus(cell: Cell, run: Run) -> Iterator[Warning]:
    """Detect who else used the CPUs of the machines: other guests of their hypervisors, other programs on them."""
    cores = {machine.name: machine.cores for machine in run.machines}
    for machine in _machines(cell, run):
        host = machine.hosts[0] if len(machine.hosts) == 1 else ""
        stolen, foreign = machine.cpu.steal_percent, _foreign_percent(machine, cores.get(machine.hosts[0], 0))
        if stolen >= STEAL_PERCENT:
            values: dict[str, Value] = {"share": number(stolen, Unit.PERCENT), "machines": machine.hosts}
            yield Warning(Code.STEAL, host, values, invalid=True)
        if foreign >= FOREIGN_PERCENT:
            values = {"share": number(foreign, Unit.PERCENT), "machines": machine.hosts, "ours": tuple(machine.ours)}
            yield Warning(Code.DISTURBED, host, values, invalid=foreign >= FOREIGN_PERCENT_INVALID)


def _emulated(cell: Cell, run: Run) -> Iterator[Warning]:
    named = {cell.host, *(other.host for other in cell.beside)}
    # A service that is not ours, at an address of the load host itself, is on none of the named machines.
    took_part = [machine for machine in run.machines if machine.name in named] or run.machines
    if names := tuple(machine.name for machine in took_part if machine.emulated):
        yield Warning(Code.EMULATED, names[0] if len(names) == 1 else "", {"machines": names}, invalid=True)


def _foreign_percent(machine: _Machine, cores: int) -> float:
    """Return the least share of the machine's CPU time that other programs used; 0 where it is not known."""
    if not (machine.ours and cores and machine.cpu.seconds):
        return 0.0
    ours = 100 * sum(machine.ours.values()) / machine.cpu.seconds / cores
    return 100 - machine.cpu.idle_percent - machine.cpu.steal_percent - machine.cpu.interrupt_percent - ours
