"""A whole bench: hosts reached, apps deployed, every cell measured and stored as soon as it is."""

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
from benchrig.bench.deploy import deploy
from benchrig.bench.host import AgentHost
from benchrig.bench.progress import Progress
from benchrig.bench.suite import Plan, Row
from benchrig.errors import HostError, InputError
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

    Raises InputError when the inventory has no such host, HostError when one is lost. Whatever ends it, what was measured
    is kept, and nothing is left running on the hosts.
    """
    with _hosts(inventory) as (server, generator):
        found = deploy(inventory, root, wanted, server, generator)
        machines = {host.name: host.ask(FindFacts()) for host in dict.fromkeys((server, generator))}
        target = _first(inventory, "servers")
        ends = cells.Ends(
            server=server,
            generator=generator,
            server_name=server.name,
            generator_name=generator.name,
            address="127.0.0.1" if server is generator else str(target.variables.get("benchrig_address", target.address)),
            generator_facts=machines[generator.name],
            unit_open_files={name: app.open_files for name, app in found.apps.items()},
        )
        folder = store.create(root / "reports", wanted.suite)
        run = _record(folder, inventory, root, wanted, machines)
        store.write_run(folder, run)
        measured = _measure_all(ends, wanted, folder)
        store.write_run(folder, replace(run, finished_at=store.now()))
    return Outcome(folder, _failure(measured))


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
    finally:
        console.status("")
    return measured


def _measure(ends: cells.Ends, wanted: Plan, row: Row, repeat: int, folder: Path, progress: Progress) -> Cell:
    try:
        cell, raw = cells.measure(ends, wanted, row, repeat, progress.say)
    except HostError as error:
        raise HostError(f"{error}; it was measuring '{row.name}'", error.hint) from None
    if not raw:
        return cell
    store.write_raw(folder, f"{row.name}.lua", wanted.generator.script(row.app.file.check))
    return replace(cell, raw=store.write_raw(folder, f"{row.name}-{repeat}.txt", raw))


def _failure(measured: list[Cell]) -> str:
    failed = dict.fromkeys(cell.name for cell in measured if cell.status == "failed")
    rows = dict.fromkeys(cell.name for cell in measured)
    return f"{len(failed)} of {len(rows)} rows failed: {', '.join(failed)}" if failed else ""


@contextmanager
def _hosts(inventory: Inventory) -> Iterator[tuple[AgentHost, AgentHost]]:
    """Reach server and load host, which may be one machine: then there is one connection and one agent."""
    server, generator = _first(inventory, "servers"), _first(inventory, "loadgens")
    with ExitStack() as stack:
        agents = {}
        for host in {server.name: server, generator.name: generator}.values():
            console.status(f"{host.name}: connecting")
            remote = stack.enter_context(ssh.connect(host))
            agents[host.name] = stack.enter_context(closing(AgentHost(remote)))
        yield agents[server.name], agents[generator.name]


def _first(inventory: Inventory, group: str) -> Host:
    hosts = inventory.group(group)
    if not hosts:
        raise InputError(f"the inventory '{inventory.name}' has no host in the group '{group}'")
    return hosts[0]


def _record(folder: Path, inventory: Inventory, root: Path, wanted: Plan, machines: dict[str, Facts]) -> Run:
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
