"""What would spoil a run on a machine, from what the machine is and what the suite needs of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchrig.agent.bench import protocol
from benchrig.agent.bench.cgroups import quota_cores
from benchrig.bench.doctor.findings import Code, Finding, Severity, Value
from benchrig.bench.limits import SERVER_SPARE_FILES
from benchrig.bench.suite import Plan
from benchrig.inventory import Inventory

CONTROLLER = "controller"
"""What findings call the machine that benchrig runs on."""

FOREIGN_PERCENT = 10.0
"""Of a machine's CPU time: what the warning `disturbed` begins at."""

FOREIGN_PERCENT_QUICK = 25.0
"""The same for a bench, which looks for a fifth of a second only."""

STEAL_PERCENT = 2.0

MEMORY_PRESSURE_PERCENT = 5.0

LEAST_BYTES = 256 << 20
"""Of a file system that is written to."""

LEAST_FILES = 2_000

SPARE_MEMORY = 256 << 20
"""Bytes for app and load generator, beside their connections."""

CONNECTION_MEMORY = 64 << 10
"""Bytes of a connection: the buffers of both its sockets, and what the programs keep of it."""

SWAP_BYTES = 64 << 20

SPARE_PROCESSES = 512

CLOCK_SECONDS = 1.0

FAST_CLOCKS = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter")
"""Clock sources that are read without a call into the kernel."""


@dataclass(frozen=True)
class Needs:
    """What a run needs of a machine."""

    connections: int
    """The most of any row."""
    is_server: bool = True
    is_generator: bool = True
    threads: int = 1
    """Of the load generator."""
    spare_files: int = 0
    """Open files of the load generator beside its connections."""


def needs_of(inventory: Inventory, plan: Plan, name: str) -> Needs:
    """Return what a run of a plan needs of a host."""
    ours = any(app.is_ours for app in plan.apps)
    return Needs(
        connections=max(row.connections for row in plan.rows),
        is_server=ours and name in {host.name for host in inventory.group("servers")},
        is_generator=name in {host.name for host in inventory.group("loadgens")},
        threads=plan.threads,
        spare_files=plan.generator.spare_files,
    )


def quick(machines: Mapping[str, protocol.MachineFacts], needs: Mapping[str, Needs]) -> tuple[Finding, ...]:
    """Return what would spoil the rows, as far as the facts that every bench has tell it."""
    found = (one for name, facts in machines.items() for one in of_facts(name, facts, needs[name], FOREIGN_PERCENT_QUICK))
    # A row that is not possible says so itself.
    return tuple(one for one in found if one.severity is Severity.SPOILS)


def of_facts(host: str, facts: protocol.MachineFacts, needs: Needs, foreign_percent: float) -> Iterator[Finding]:
    """Yield what a machine's facts tell."""
    environment = facts.environment
    yield from _hardware(host, environment)
    yield from _quota(host, facts)
    yield from _activity(host, facts, foreign_percent)
    yield from _memory(host, environment.activity, needs)
    yield from _limits(host, facts, needs)


def _hardware(host: str, environment: protocol.Environment) -> Iterator[Finding]:
    if environment.cpu_governor not in ("", "performance"):
        yield Finding(Code.GOVERNOR, host, {"governor": environment.cpu_governor})
    if environment.clock_source not in ("", *FAST_CLOCKS):
        yield Finding(Code.CLOCK_SOURCE, host, {"source": environment.clock_source})
    if environment.turbo == "on":
        yield Finding(Code.TURBO, host)
    if environment.smt == "on":
        yield Finding(Code.SMT, host)
    if mitigated := sum(state.startswith("Mitigation") for state in environment.mitigations.values()):
        yield Finding(Code.MITIGATIONS, host, {"count": mitigated})


def _quota(host: str, facts: protocol.MachineFacts) -> Iterator[Finding]:
    limits = facts.environment.cgroup_limits or {}
    quota = quota_cores(limits)
    if quota is not None and quota < facts.cores:
        least = next(f"{name}: {value}" for name, value in limits.items() if quota_cores({name: value}) == quota)
        yield Finding(Code.CPU_QUOTA, host, {"quota": quota, "cores": facts.cores, "limit": least})


def _activity(host: str, facts: protocol.MachineFacts, foreign_percent: float) -> Iterator[Finding]:
    activity = facts.environment.activity
    if (activity.steal_percent or 0.0) >= STEAL_PERCENT:
        yield Finding(Code.STEAL, host, {"share": activity.steal_percent or 0.0})
    if (activity.foreign_percent or 0.0) >= foreign_percent:
        # They may be the least of it: a program that lives for a moment, or beside the container, is not seen.
        names = ", ".join(f"{one.name} {one.cpu_percent:.0f} %" for one in activity.processes)
        yield Finding(
            Code.BUSY,
            host,
            {
                "share": activity.foreign_percent or 0.0,
                "load": activity.load_average or 0.0,
                "programs": f"; seen, in percent of a core: {names}" if names else "",
            },
        )


def _memory(host: str, activity: protocol.Activity, needs: Needs) -> Iterator[Finding]:
    available = activity.memory_available_bytes
    waited = activity.pressure.get("memory", 0.0)
    if waited >= MEMORY_PRESSURE_PERCENT:
        yield Finding(Code.MEMORY_PRESSURE, host, {"share": waited, "available": available or 0})
    needed = SPARE_MEMORY + needs.connections * CONNECTION_MEMORY * (needs.is_server + needs.is_generator)
    if available is not None and available < needed:
        yield Finding(Code.MEMORY, host, {"connections": needs.connections, "needed": needed, "available": available})
    if (activity.swap_used_bytes or 0) >= SWAP_BYTES:
        yield Finding(Code.SWAP, host, {"used": activity.swap_used_bytes or 0})


def _limits(host: str, facts: protocol.MachineFacts, needs: Needs) -> Iterator[Finding]:
    connections = needs.connections
    spare = max(needs.spare_files if needs.is_generator else 0, SERVER_SPARE_FILES if needs.is_server else 0)
    if (needs.is_server or needs.is_generator) and facts.open_files < connections + spare:
        yield Finding(
            Code.OPEN_FILES, host, {"connections": connections, "needed": connections + spare, "limit": facts.open_files}
        )
    if needs.is_generator and facts.local_ports < connections:
        yield Finding(Code.LOCAL_PORTS, host, {"connections": connections, "limit": facts.local_ports})
    backlog = facts.sysctls.get("net.core.somaxconn", "")
    if needs.is_server and re.fullmatch("[0-9]{1,18}", backlog) and int(backlog) < connections:
        yield Finding(Code.BACKLOG, host, {"connections": connections, "limit": int(backlog)})


def of_examination(host: str, found: protocol.Examination, needs: Needs, offset: float) -> Iterator[Finding]:
    """Yield all that a machine's examination tells; its clock is `offset` seconds before the controller's."""
    if found.used_by:
        yield Finding(Code.IN_USE, host, {"owner": found.used_by})
    yield from of_rooms(host, found.rooms)
    for one in found.holders:
        yield Finding(Code.PORT_TAKEN, host, {"port": one.port, "program": one.name, "pid": one.pid})
    yield from _of_units(host, found, needs)
    yield from of_facts(host, found.facts, needs, FOREIGN_PERCENT)
    yield from _of_kernel(host, found, needs)
    if abs(offset) >= CLOCK_SECONDS:
        direction = "before" if offset > 0 else "behind"
        yield Finding(Code.CLOCK_OFFSET, host, {"offset": abs(offset), "direction": direction})
    if found.synchronized is False:
        yield Finding(Code.NOT_SYNCHRONIZED, host)


def _of_units(host: str, found: protocol.Examination, needs: Needs) -> Iterator[Finding]:
    needed = needs.connections + SERVER_SPARE_FILES
    for name, app in found.deployed.apps.items():
        # Of the machine itself, it is said already.
        if needs.is_server and 0 < app.open_files < min(needed, found.facts.open_files):
            limit = app.open_files
            values: dict[str, Value] = {"connections": needs.connections, "needed": needed, "limit": limit, "app": name}
            yield Finding(Code.APP_OPEN_FILES, host, values)
    for name, value in found.unit_limits.items():
        yield Finding(Code.UNIT_LIMIT, host, {"limit": f"{name}: {value}", "unit": name.rpartition(" ")[2]})


def _of_kernel(host: str, found: protocol.Examination, needs: Needs) -> Iterator[Finding]:
    count, most, connections = found.tracked_connections, found.tracked_most, needs.connections
    # A connection that was closed is tracked for a while, and each row opens its own.
    if count is not None and most is not None and most - count < 2 * connections:
        wanted = 2 * (count + 2 * connections)
        values = {"count": count, "limit": most, "connections": 2 * connections, "wanted": wanted}
        yield Finding(Code.CONNTRACK, host, values)
    needed = SPARE_PROCESSES + needs.threads
    if found.most_processes is not None and found.most_processes < needed:
        yield Finding(Code.PROCESSES, host, {"limit": found.most_processes, "needed": needed})


def of_plan(plan: Plan) -> Iterator[Finding]:
    """Yield what of a plan itself spoils a run, on whichever machines."""
    if plan.effective_timeout >= plan.duration_seconds:
        values: dict[str, Value] = {
            "profile": plan.profile,
            "suite": plan.suite,
            "timeout": plan.effective_timeout,
            "duration": plan.duration_seconds,
        }
        yield Finding(Code.TIMEOUT, CONTROLLER, values)


def of_rooms(host: str, rooms: tuple[protocol.Room, ...]) -> Iterator[Finding]:
    """Yield the file systems that are as good as full."""
    for room in rooms:
        if room.free_bytes < LEAST_BYTES or (room.free_files is not None and room.free_files < LEAST_FILES):
            files = "any number of files" if room.free_files is None else f"{room.free_files:,} files"
            yield Finding(Code.DISK_FULL, host, {"folder": room.folder, "free": room.free_bytes, "files": files})
