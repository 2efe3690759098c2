"""Stored records made from a host's answers: the agent's classes may change at any time, those of a run have a format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import benchrig
from benchrig.agent.bench import protocol
from benchrig.bench.commit import commit
from benchrig.bench.data import DataSet
from benchrig.bench.suite import Plan
from benchrig.inventory import Host, Inventory
from benchrig.machines import kind
from benchrig.results import store
from benchrig.results.model import (
    Activity,
    ClientEnd,
    ConnectionsSeen,
    CpuShares,
    Descriptors,
    Environment,
    LoadThread,
    Machine,
    Process,
    Run,
    Segments,
    Series,
    ServerEnd,
    ServerLoad,
    Settings,
    Silence,
    Throttle,
)

MOST_FILES = 100
"""Files of an app or a data set whose digests are stored one by one."""

MOST_THREADS = 64
"""Threads of a load generator that are stored: the agent sends no more."""

EMULATED_CPU = "QEMU TCG"
"""The name of the CPU that QEMU emulates, on any machine, unless its owner chose another name."""


def machine(host: Host, kind_name: str, facts: protocol.MachineFacts) -> Machine:
    """Return the record of a machine; `kind_name` is the inventory's `benchrig_machine`."""
    registered = kind(kind_name)
    return Machine(
        name=host.name,
        kind=kind_name,
        cpu=facts.cpu,
        cores=facts.cores,
        memory_bytes=facts.memory_bytes,
        kernel=facts.kernel,
        os=facts.os,
        virtualization=facts.virtualization,
        sysctls=facts.sysctls,
        limits=facts.limits,
        versions=facts.versions,
        emulated=host.emulated or EMULATED_CPU in facts.cpu,
        made_here=registered.made_here,
        shares_kernel=registered.shares_kernel,
        environment=environment(facts.environment),
    )


def environment(found: protocol.Environment) -> Environment:
    """Return the record of a machine's environment."""
    return Environment(
        cpu_governor=found.cpu_governor,
        turbo=found.turbo,
        smt=found.smt,
        numa_nodes=found.numa_nodes,
        transparent_hugepages=found.transparent_hugepages,
        mitigations=found.mitigations,
        kernel_command_line=found.kernel_command_line,
        clock_source=found.clock_source,
        microcode=found.microcode,
        congestion_control=found.congestion_control,
        default_qdisc=found.default_qdisc,
        cgroup_limits=found.cgroup_limits,
        activity=_activity(found.activity),
    )


def _activity(found: protocol.Activity) -> Activity:
    return Activity(
        seconds=found.seconds,
        load_average=found.load_average,
        foreign_percent=found.foreign_percent,
        steal_percent=found.steal_percent,
        processes=tuple(Process(one.name, one.cpu_percent) for one in found.processes),
        pressure=found.pressure,
        memory_available_bytes=found.memory_available_bytes,
        swap_used_bytes=found.swap_used_bytes,
    )


def _throttled(found: Mapping[str, protocol.Throttle]) -> dict[str, Throttle]:
    return {name: Throttle(one.periods, one.seconds) for name, one in found.items()}


def cpu_shares(shares: protocol.CpuShares) -> CpuShares:
    """Return the record of what a machine's CPUs did."""
    return CpuShares(
        seconds=shares.seconds,
        idle_percent=shares.idle_percent,
        steal_percent=shares.steal_percent,
        interrupt_percent=shares.interrupt_percent,
        pressure=shares.pressure,
        throttled=_throttled(shares.throttled),
    )


def server_load(load: protocol.ServerLoad) -> ServerLoad:
    """Return the record of what the sampler saw on the server."""
    return ServerLoad(
        seconds=load.seconds,
        cpu_percent=load.cpu_percent,
        memory_peak_bytes=load.memory_peak_bytes,
        processes=load.processes,
        load_average=load.load_average,
        machine_idle_percent=load.machine_idle_percent,
        machine_steal_percent=load.machine_steal_percent,
        machine_interrupt_percent=load.machine_interrupt_percent,
        listen_overflows=load.listen_overflows,
        listen_drops=load.listen_drops,
        retransmits=load.retransmits,
        time_wait_peak=load.time_wait_peak,
        samples=load.samples,
        sampler_cpu_seconds=load.sampler_cpu_seconds,
        series=series(load.series),
        pressure=load.pressure,
        throttled=_throttled(load.throttled),
    )


def series(read: protocol.Series) -> Series:
    """Return the record of what the sampler read one after the other; an empty one where no machine can have read it."""
    made = Series(
        end_seconds=read.end_seconds,
        segments=read.segments,
        opened=read.opened,
        app_cpu_seconds=read.app_cpu_seconds,
        memory_bytes=read.memory_bytes,
    )
    return made if made.is_sound else Series()


def load_threads(threads: Sequence[protocol.LoadThread]) -> tuple[LoadThread, ...]:
    """Return the records of a load generator's threads, of the first MOST_THREADS: a host may send any number."""
    kept = threads[:MOST_THREADS]
    return tuple(LoadThread(one.seconds, one.cpu_seconds, one.wait_seconds, one.sleeps) for one in kept)


def _client_end(end: protocol.ClientEnd) -> ClientEnd:
    silences = None if end.silences is None else tuple(Silence(**asdict(one)) for one in end.silences)
    segments = Segments(**asdict(end.segments)) if end.segments else None
    return ClientEnd(**(asdict(end) | {"silences": silences, "segments": segments}))


def connections_seen(seen: Sequence[protocol.ConnectionsSeen]) -> ConnectionsSeen | None:
    """Return the record of what the hosts of a cell counted of its connections; None when nothing is known."""
    clients = [one.client for one in seen if one.client]
    servers = [one.server for one in seen if one.server]
    files = [one.descriptors for one in seen if one.descriptors]
    if not (clients or servers or files):
        return None
    return ConnectionsSeen(
        client=_client_end(clients[0]) if clients else None,
        server=ServerEnd(**asdict(servers[0])) if servers else None,
        descriptors=Descriptors(**asdict(files[0])) if files else None,
        cpu_seconds=round(sum(one.cpu_seconds for one in seen), 5),
    )


def run(
    inventory: Inventory, root: Path, plan: Plan, data: DataSet | None, machines: Mapping[str, protocol.MachineFacts]
) -> Run:
    """Return the record of a run that begins now; it has no name yet, and nothing that is measured."""
    is_projects = inventory.path.resolve().parent == (root / "inventory").resolve()
    return Run(
        name="",
        suite=plan.suite,
        suite_title=plan.title,
        profile=plan.profile,
        inventory=inventory.name,
        inventory_file="" if is_projects else str(inventory.path.resolve()),
        rows=tuple(row.name for row in plan.rows),
        settings=settings(plan),
        published=plan.published,
        started_at=store.now(),
        computer_cores=(os.cpu_count() or 0) if kind(inventory.machine).made_here else 0,
        machines=tuple(machine(inventory.hosts[name], inventory.machine, facts) for name, facts in machines.items()),
        git_commit=commit(root, plan, data, inventory.path),
        benchrig_version=benchrig.__version__,
        digests=digests(plan, data),
    )


def settings(plan: Plan) -> Settings:
    """Return the record of a plan's settings."""
    return Settings(
        duration_seconds=plan.duration_seconds,
        warm_up_seconds=plan.warm_up_seconds,
        timeout_seconds=plan.effective_timeout,
        threads=plan.threads,
        repeats=plan.repeats,
        connections=plan.connections,
        pin=plan.pin,
    )


def digests(plan: Plan, data: DataSet | None) -> dict[str, str]:
    """Return the SHA-256 of everything that a plan measures, by its kind and name: rows, apps, the data set.

    Of apps and the data set, the first MOST_FILES files are there as well, to name the one that changed: `app go: main.go`.
    """
    rows = {
        f"row {row.name}": _digest(
            plan.generator.name, row.app.name, row.connections, row.traffic.routes, row.traffic.weights
        )
        for row in plan.rows
    }
    scripts = {f"script of {row.name}": _digest(row.traffic.script.text) for row in plan.rows if row.traffic.script}
    files = {f"app {app.name}": app.digests() for app in plan.apps}
    if data:
        files[f"data {data.name}"] = data.digests()
    whole = {name: _digest(sorted(of.items())) for name, of in files.items()}
    each = {f"{name}: {file}": digest for name, of in files.items() for file, digest in sorted(of.items())[:MOST_FILES]}
    return {**rows, **scripts, **whole, **each}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()
