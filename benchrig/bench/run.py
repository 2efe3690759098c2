"""A whole bench: hosts reached, apps and data deployed, every cell measured and stored as soon as it is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import benchrig
from benchrig import console, ssh
from benchrig.agent.bench_protocol import Facts, FindFacts
from benchrig.bench import cell as cells
from benchrig.bench.data import DataSet, read_data
from benchrig.bench.database import DatabaseEnd, look
from benchrig.bench.deploy import deploy
from benchrig.bench.host import AgentHost, Hosts
from benchrig.bench.progress import Progress
from benchrig.bench.rows import Row
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError, HostError, InputError
from benchrig.inventory import Host, Inventory
from benchrig.results import store
from benchrig.results.model import Cell, Machine, Run


@dataclass(frozen=True)
class Outcome:
    """What came of a bench."""

    folder: Path
    """Where its results are."""
    failure: str
    """Which rows failed; empty when none did. Rows that are not possible did not fail."""


def bench(inventory: Inventory, root: Path, wanted: Plan) -> Outcome:
    """Measure what is planned on the first of the inventory's servers, loaded by the first of its loadgens.

    Raises InputError when the inventory lacks a host, or the database cannot serve an app; HostError when a host is lost.
    Whatever ends it, what was measured is kept, and nothing is left running on the hosts.
    """
    data = _data_set(root, wanted)
    with _hosts(inventory, wanted) as hosts:
        found = deploy(inventory, root, wanted, data, hosts)
        machines = {host.name: host.ask(FindFacts()) for host in hosts.all}
        ends = cells.Ends(
            server=hosts.server,
            generator=hosts.generator,
            server_name=hosts.server.name,
            generator_name=hosts.generator.name,
            address=_address(inventory, hosts),
            generator_facts=machines[hosts.generator.name],
            unit_open_files={name: app.open_files for name, app in found.apps.items()},
            database=look(hosts.database, hosts.database.name, data, wanted.apps) if hosts.database and data else None,
        )
        folder = store.create(root / "reports", wanted.suite)
        run = _record(folder, inventory, root, wanted, machines, ends.database)
        store.write_run(folder, run)
        measured = _measure_all(ends, wanted, folder)
        store.write_run(folder, replace(run, finished_at=store.now()))
        if ends.database:
            ends.database.leave()
    return Outcome(folder, _failure(measured))


def _data_set(root: Path, wanted: Plan) -> DataSet | None:
    """Return the data set that the apps need. Raises InputError when they need several."""
    needed = {app.file.database.data: app for app in wanted.apps if app.file.database}
    if len(needed) > 1:
        told = ", ".join(f"'{app.name}' needs '{name}'" for name, app in needed.items())
        raise InputError(f"one bench can use one data set: {told}", "Bench them one after the other, with --only.")
    return next((read_data(root, name) for name in needed), None)


def _measure_all(ends: cells.Ends, wanted: Plan, folder: Path) -> list[Cell]:
    """Measure every row, then every row again: what drifts with time falls on all of them."""
    progress = Progress(wanted)
    measured: list[Cell] = []
    try:
        for repeat in range(1, wanted.repeats + 1):
            for row in wanted.rows:
                progress.begin(row.name)
                cell = _measure(ends, wanted, row, repeat, folder, progress)
                store.append(folder, cell)
                measured.append(cell)
                progress.finish(cell)
    except (KeyboardInterrupt, BenchrigError):
        if measured:
            count = f"{len(measured)} of {len(wanted.rows) * wanted.repeats}"
            console.line(f"{count} cells were measured, and are in reports/{folder.name}; the table: ./inv report")
        raise
    finally:
        console.status("")
    return measured


def _measure(ends: cells.Ends, wanted: Plan, row: Row, repeat: int, folder: Path, progress: Progress) -> Cell:
    try:
        measured = cells.measure(ends, wanted, row, repeat, progress.say)
    except HostError as error:
        raise HostError(f"{error}; it was measuring '{row.name}'", error.hint) from None
    if measured.script:
        store.write_raw(folder, f"{row.name}.lua", measured.script)
    if not measured.raw:
        return measured.cell
    return replace(measured.cell, raw=store.write_raw(folder, f"{row.name}-{repeat}.txt", measured.raw))


def _failure(measured: list[Cell]) -> str:
    failed = dict.fromkeys(cell.name for cell in measured if cell.status == "failed")
    rows = dict.fromkeys(cell.name for cell in measured)
    return f"{len(failed)} of {len(rows)} rows failed: {', '.join(failed)}" if failed else ""


@contextmanager
def _hosts(inventory: Inventory, wanted: Plan) -> Iterator[Hosts]:
    """Reach the hosts that the plan needs, each by one connection and one agent. Raises InputError when there is none."""
    generator = _first(inventory, "loadgens", "a bench")
    ours = next((app.name for app in wanted.apps if not app.file.address), "")
    server = _first(inventory, "servers", f"the app '{ours}'") if ours else generator
    stored = next((app.name for app in wanted.apps if app.file.database), "")
    database = _first(inventory, "databases", f"the app '{stored}'") if stored else None
    with ExitStack() as stack:
        agents = {}
        for host in {host.name: host for host in (server, generator, database) if host}.values():
            console.status(f"{host.name}: connecting")
            remote = stack.enter_context(ssh.connect(host))
            agents[host.name] = stack.enter_context(closing(AgentHost(remote)))
        yield Hosts(agents[server.name], agents[generator.name], agents[database.name] if database else None)


def _first(inventory: Inventory, group: str, who: str) -> Host:
    hosts = inventory.group(group)
    if not hosts:
        raise InputError(f"the inventory '{inventory.name}' has no host in the group '{group}', which {who} needs")
    return hosts[0]


def _address(inventory: Inventory, hosts: Hosts) -> str:
    """Return where the load host finds the server."""
    if hosts.server is hosts.generator:
        return "127.0.0.1"
    server = inventory.hosts[hosts.server.name]
    return str(server.variables.get("benchrig_address", server.address))


def _record(
    folder: Path,
    inventory: Inventory,
    root: Path,
    wanted: Plan,
    machines: dict[str, Facts],
    database: DatabaseEnd | None,
) -> Run:
    return Run(
        name=folder.name,
        suite=wanted.suite,
        suite_title=wanted.title,
        profile=wanted.profile,
        inventory=inventory.name,
        rows=tuple(row.name for row in wanted.rows),
        settings={
            "duration": f"{wanted.duration_seconds:g} s",
            "warm_up": f"{wanted.warm_up_seconds:g} s",
            "timeout": f"{wanted.effective_timeout:g} s",
            "threads": str(wanted.threads),
            "repeats": str(wanted.repeats),
        },
        published=wanted.published,
        started_at=store.now(),
        machines=tuple(_machine(name, inventory.machine, facts) for name, facts in machines.items()),
        database=database.record() if database else None,
        git_commit=_git_commit(root),
        benchrig_version=benchrig.__version__,
    )


def _machine(name: str, kind: str, facts: Facts) -> Machine:
    return Machine(
        name=name,
        kind=kind,
        cpu=facts.cpu,
        cores=facts.cores,
        memory_bytes=facts.memory_bytes,
        kernel=facts.kernel,
        os=facts.os,
        virtualization=facts.virtualization,
        sysctls=facts.sysctls,
        limits=facts.limits,
        versions=facts.versions,
    )


def _git_commit(root: Path) -> str:
    """Return the commit that is checked out, with `-dirty` if files differ from it; empty outside a clone."""
    argv = ("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
