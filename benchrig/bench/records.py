"""Stored records made from a host's answers: the agent's classes may change at any time, those of a run have a format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import benchrig
from benchrig.agent import spec
from benchrig.agent.bench import protocol
from benchrig.bench.commit import commit
from benchrig.bench.data import DataSet
from benchrig.bench.suite import Plan
from benchrig.inventory import Host, Inventory
from benchrig.machines import kind
from benchrig.results import store
from benchrig.results.model import (
    ClientEnd,
    ConnectionsSeen,
    Descriptors,
    LoadThread,
    Machine,
    Run,
    Series,
    ServerEnd,
    ServerLoad,
    Settings,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

MOST_FILES = 100
"""Files of an app or a data set whose digests are stored one by one."""

MOST_THREADS = 64
"""Threads of a load generator that are stored: the agent sends no more."""

EMULATED_CPU = "QEMU TCG"
"""The name of the CPU that QEMU emulates, on any machine, unless its owner chose another name."""


def machine(host: Host, kind_name: str, facts: protocol.MachineFacts) -> Machine:
    """Return the record of a machine; `kind_name` is the inventory's `benchrig_machine`."""
    registered = kind(kind_name)
    return stored(
        Machine,
        facts,
        name=host.name,
        kind=kind_name,
        emulated=host.emulated or EMULATED_CPU in facts.cpu,
        made_here=registered.made_here,
        shares_kernel=registered.shares_kernel,
    )


def stored(record: type[T], found: DataclassInstance, **more: object) -> T:
    """Return the record of what a host answered: the values that both have, by their names, and `more`."""
    return spec.build(record, {**asdict(found), **more}, unknown=[])


def server_load(load: protocol.ServerLoad) -> ServerLoad:
    """Return the record of what the sampler saw on the server; its series is empty where no machine can have read it."""
    made = stored(ServerLoad, load)
    return made if made.series.is_sound else replace(made, series=Series())


def load_threads(threads: Sequence[protocol.LoadThread]) -> tuple[LoadThread, ...]:
    """Return the records of a load generator's threads, of the first MOST_THREADS: a host may send any number."""
    return tuple(stored(LoadThread, one) for one in threads[:MOST_THREADS])


def connections_seen(seen: Sequence[protocol.ConnectionsSeen]) -> ConnectionsSeen | None:
    """Return the record of what the hosts of a cell counted of its connections; None when nothing is known."""
    clients = [one.client for one in seen if one.client]
    servers = [one.server for one in seen if one.server]
    files = [one.descriptors for one in seen if one.descriptors]
    if not (clients or servers or files):
        return None
    return ConnectionsSeen(
        client=stored(ClientEnd, clients[0]) if clients else None,
        server=stored(ServerEnd, servers[0]) if servers else None,
        descriptors=stored(Descriptors, files[0]) if files else None,
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
        expect=tuple(expected.text for expected in plan.expect),
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
        seed=plan.seed,
        until_percent=plan.until.percent if plan.until else None,
        at_most_seconds=plan.until.at_most_seconds if plan.until else None,
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
