"""Stored records made from a host's answers: the agent's classes may change at any time, those of a run have a format."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import benchrig
from benchrig.agent.bench import protocol
from benchrig.bench.data import DataSet
from benchrig.bench.suite import Plan
from benchrig.inventory import Host, Inventory
from benchrig.machines import kind
from benchrig.results import store
from benchrig.results.model import (
    ClientEnd,
    ConnectionsSeen,
    CpuShares,
    Descriptors,
    LoadThread,
    Machine,
    Run,
    ServerEnd,
    ServerLoad,
    Settings,
)

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
    )


def cpu_shares(shares: protocol.CpuShares) -> CpuShares:
    """Return the record of what a machine's CPUs did."""
    return CpuShares(
        seconds=shares.seconds,
        idle_percent=shares.idle_percent,
        steal_percent=shares.steal_percent,
        interrupt_percent=shares.interrupt_percent,
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
    )


def load_threads(threads: Sequence[protocol.LoadThread]) -> tuple[LoadThread, ...]:
    """Return the records of a load generator's threads."""
    return tuple(LoadThread(one.seconds, one.cpu_seconds, one.wait_seconds, one.sleeps) for one in threads)


def connections_seen(seen: Sequence[protocol.ConnectionsSeen]) -> ConnectionsSeen | None:
    """Return the record of what the hosts of a cell counted of its connections; None when nothing is known."""
    clients = [one.client for one in seen if one.client]
    servers = [one.server for one in seen if one.server]
    files = [one.descriptors for one in seen if one.descriptors]
    if not (clients or servers or files):
        return None
    return ConnectionsSeen(
        client=ClientEnd(**asdict(clients[0])) if clients else None,
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
        git_commit=_git_commit(root),
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
    )


def digests(plan: Plan, data: DataSet | None) -> dict[str, str]:
    """Return the SHA-256 of everything that a plan measures, by its kind and name: rows, apps, the data set."""
    rows = {
        f"row {row.name}": _digest(
            plan.generator.name, row.app.name, row.connections, row.traffic.routes, row.traffic.weights
        )
        for row in plan.rows
    }
    scripts = {f"script of {row.name}": _digest(row.traffic.script.text) for row in plan.rows if row.traffic.script}
    apps = {f"app {app.name}": _digest(sorted(app.digests().items())) for app in plan.apps}
    sets = {f"data {data.name}": _digest(sorted(data.digests().items()))} if data else {}
    return {**rows, **scripts, **apps, **sets}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()


def _git_commit(root: Path) -> str:
    """Return the commit that is checked out, with `-dirty` if files differ from it; empty outside a clone."""
    argv = ("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
