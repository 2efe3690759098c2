"""A run of a bench: connect to the hosts, deploy apps and data, measure every cell and store it at once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import benchrig
from benchrig import console, yamlfile
from benchrig.agent.bench.protocol import Deployed, FindMachineFacts, MachineFacts
from benchrig.bench import cell as cells
from benchrig.bench import network, records
from benchrig.bench.data import DataSet, read_data
from benchrig.bench.database import look
from benchrig.bench.deploy import deploy
from benchrig.bench.host import Agents, Hosts, Pair
from benchrig.bench.patience import cell_seconds
from benchrig.bench.preview import PlannedCell, Preview
from benchrig.bench.progress import Progress
from benchrig.bench.rows import Row
from benchrig.bench.runtimes import version_commands
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Topology
from benchrig.errors import BenchrigError, HostError, InputError
from benchrig.inventory import Host, Inventory
from benchrig.machines import kind
from benchrig.results import store
from benchrig.results.model import Cell, DatabaseNetwork, Network, Run, Settings

DATABASE_PORT = 5432
"""Where the role `postgresql` has it listen."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a bench."""

    folder: Path
    """Where its results are."""
    failure: str
    """Which rows failed; empty when none did. Rows that are not possible did not fail."""


@dataclass(frozen=True)
class Turn:
    """A cell to measure: its row, the machines it is measured on, and the number of the repeat."""

    row: Row
    topology: Topology
    repeat: int

    @property
    def title(self) -> str:
        """The row's name, with its server where there are several."""
        return self.topology.title(self.row.name)


def bench(inventory: Inventory, root: Path, plan: Plan) -> Outcome:
    """Run a bench: measure the planned rows on each of the inventory's servers.

    The n-th server is loaded by the n-th load host if there are as many, else by the first one; one server at a time.
    Raises InputError when the inventory lacks a host, or the database cannot serve an app; HostError when a host is lost, or
    cannot be reached from its load host. However it ends, measured cells are stored, and nothing is left running.
    """
    data = _data_set(root, plan)
    with _hosts(inventory, plan) as hosts:
        # First, because it is quick, and deploying may take long.
        port = next((app.file.port for app in plan.apps if app.is_ours), 0)
        networks = _networks(inventory, hosts, port)
        database_networks = _database_networks(inventory, hosts)
        found = deploy(inventory, root, plan, data, hosts)
        commands = {**version_commands(), plan.generator.name: plan.generator.version_command}
        machines = {host.name: host.ask(FindMachineFacts(commands)) for host in hosts.all}
        topologies = _topologies(inventory, plan, data, hosts, found, machines)
        folder = store.create(root / "reports", plan.suite)
        run = _new_run(folder, inventory, root, plan, machines)
        run = replace(
            run,
            servers=tuple(one.server_name for one in topologies) if port else (),
            networks=networks,
            database_networks=database_networks,
            database=topologies[0].database.stored() if topologies[0].database else None,
        )
        store.write_run(folder, run)
        measured = _measure_all(turns(plan, topologies), plan, folder)
        store.finish(folder, run)
        if stored := topologies[0].database:
            stored.leave()
    return Outcome(folder, _failure(measured))


def turns(plan: Plan, topologies: Sequence[Topology]) -> tuple[Turn, ...]:
    """Return the cells of a run in their order: row by row on every server in turn, and every row again for each repeat.

    So a drift over time affects all rows and servers alike; a different server is first each time. A service that runs
    already is loaded from the first load host alone.
    """
    alone = replace(topologies[0], one_of_many=False)
    return tuple(
        Turn(row, alone if not row.app.is_ours else topologies[server], repeat)
        for repeat, row, server in _order(plan, len(topologies))
    )


def _order(plan: Plan, servers: int) -> Iterator[tuple[int, Row, int]]:
    """Yield the order of the cells: the repeat, the row, and the index of its server."""
    for repeat in range(1, plan.repeats + 1):
        for at, row in enumerate(plan.rows):
            count = servers if row.app.is_ours else 1
            for turn in range(count):
                yield repeat, row, (repeat + at - 1 + turn) % count


def preview(root: Path, plan: Plan, inventory: Inventory) -> Preview:
    """Return the cells that `bench` would measure, in their order. It reads files only and contacts no machine.

    Raises InputError when the inventory lacks a host, or when the apps need several data sets.
    """
    _data_set(root, plan)
    pairs = _pairs(inventory, plan)
    _database(inventory, plan, [server for server, _ in pairs])
    return Preview(
        cells=tuple(
            PlannedCell(
                repeat=repeat,
                row=row.name,
                host=urlsplit(row.app.file.address).netloc or pairs[server][0].name,
                connections=row.connections,
                duration_seconds=plan.duration_seconds,
            )
            for repeat, row, server in _order(plan, len(pairs))
        ),
        warm_up_seconds=plan.warm_up_seconds,
    )


def _data_set(root: Path, plan: Plan) -> DataSet | None:
    """Return the data set that the apps need. Raises InputError when they need several."""
    needed = {app.file.database.data: app for app in plan.apps if app.file.database}
    if len(needed) > 1:
        needs = ", ".join(f"'{app.name}' needs '{name}'" for name, app in needed.items())
        raise InputError(f"one bench can use one data set: {needs}", "Bench them one after the other, with --only.")
    return next((read_data(root, name) for name in needed), None)


def _measure_all(cells_in_order: Sequence[Turn], plan: Plan, folder: Path) -> list[tuple[str, Cell]]:
    """Measure every cell, and return them with their titles."""
    progress = Progress(plan, folder.name, [turn.title for turn in cells_in_order])
    measured: list[tuple[str, Cell]] = []
    try:
        for turn in cells_in_order:
            progress.begin(turn.title)
            cell = _measure(turn, plan, folder, progress)
            store.append(folder, cell)
            measured.append((turn.title, cell))
            progress.finish(cell)
    except (KeyboardInterrupt, BenchrigError):
        if measured:
            count = f"{len(measured)} of {len(cells_in_order)} cells were measured"
            console.line(f"{count}, and are in reports/{folder.name}; the table: ./inv report {folder.name}")
        raise
    finally:
        console.status("")
    return measured


def _measure(turn: Turn, plan: Plan, folder: Path, progress: Progress) -> Cell:
    try:
        measured = cells.measure(turn.topology, plan, turn.row, turn.repeat, progress.say)
    except HostError as error:
        raise HostError(f"{error}; it was measuring '{turn.title}'", error.hint) from None
    name = f"{turn.topology.raw_folder}{turn.row.name}"
    if measured.script:
        store.write_raw(folder, f"{name}{plan.generator.script_suffix}", measured.script)
    if not measured.raw:
        return measured.cell
    return replace(measured.cell, raw=store.write_raw(folder, f"{name}-{turn.repeat}.txt", measured.raw))


def _failure(measured: Sequence[tuple[str, Cell]]) -> str:
    failed = dict.fromkeys(title for title, cell in measured if cell.status == "failed")
    rows = dict.fromkeys(title for title, _ in measured)
    return f"{len(failed)} of {len(rows)} rows failed: {', '.join(failed)}" if failed else ""


@contextmanager
def _hosts(inventory: Inventory, plan: Plan) -> Iterator[Hosts]:
    """Connect to the hosts that the plan needs and start an agent on each. Raises InputError when there is none."""
    pairs = _pairs(inventory, plan)
    database = _database(inventory, plan, [server for server, _ in pairs])
    with Agents(cell_seconds(plan)) as starting:
        agents = {}
        both = [host for pair in pairs for host in pair]
        for host in {host.name: host for host in [*both, *([database] if database else [])]}.values():
            console.status(f"{host.name}: connecting")
            agents[host.name] = starting.start(host)
        yield Hosts(
            tuple(Pair(agents[server.name], agents[generator.name]) for server, generator in pairs),
            agents[database.name] if database else None,
        )


def _pairs(inventory: Inventory, plan: Plan) -> list[tuple[Host, Host]]:
    """Return each server with its load host; the load host alone when no app is ours to start."""
    generators = _group(inventory, "loadgens", "a bench")
    ours = next((app.name for app in plan.apps if app.is_ours), "")
    if not ours:
        return [(generators[0], generators[0])]
    servers = _group(inventory, "servers", f"the app '{ours}'")
    if len(generators) != len(servers):
        if generators[1:]:
            idle = ", ".join(host.name for host in generators[1:])
            console.line(f"{generators[0].name} loads every server; not used, as not every server has its own: {idle}")
        generators = generators[:1] * len(servers)
    pairs = list(zip(servers, generators, strict=True))
    for server, generator in pairs:
        _see_apart(inventory, f"the load host {generator.name}", generator, server)
    return pairs


def _database(inventory: Inventory, plan: Plan, servers: Sequence[Host]) -> Host | None:
    """Return the host of the database that the apps on these servers use; None when they use none."""
    stored = next((app.name for app in plan.apps if app.file.database), "")
    if not stored:
        return None
    database = _group(inventory, "databases", f"the app '{stored}'")[0]
    for server in servers:
        _see_apart(inventory, f"the server {server.name}", server, database)
    return database


def _see_apart(inventory: Inventory, who: str, near: Host, far: Host) -> None:
    """Raise InputError when one host would look for another at an address that means the machine itself."""
    if near != far and cells.is_loopback(_address(far)):
        raise InputError(
            f"{who} would look for {far.name} at {_address(far)}, which is itself",
            f"Set benchrig_address of {far.name} in {yamlfile.shown(inventory.path)}.",
        )


def _group(inventory: Inventory, group: str, who: str) -> tuple[Host, ...]:
    hosts = inventory.group(group)
    if not hosts:
        raise InputError(f"the inventory '{inventory.name}' has no host in the group '{group}', which {who} needs")
    return hosts


def _address(host: Host) -> str:
    """Return where another machine finds this one, a server or the database's."""
    return str(host.variables.get("benchrig_address", host.address))


def _networks(inventory: Inventory, hosts: Hosts, port: int) -> tuple[Network, ...]:
    """Measure between each server and its load host, where they are two."""
    addresses = [_address(inventory.hosts[pair.server.name]) for pair in hosts.pairs]
    found = [network.measure(pair, address, port) for pair, address in zip(hosts.pairs, addresses, strict=True)]
    return tuple(filter(None, found))


def _database_networks(inventory: Inventory, hosts: Hosts) -> tuple[DatabaseNetwork, ...]:
    """Measure between each server and the database, where they are two."""
    if hosts.database is None:
        return ()
    address = _address(inventory.hosts[hosts.database.name])
    found = [network.measure_database(pair.server, hosts.database, address, DATABASE_PORT) for pair in hosts.pairs]
    return tuple(filter(None, found))


def _topologies(
    inventory: Inventory,
    plan: Plan,
    data: DataSet | None,
    hosts: Hosts,
    found: Mapping[str, Deployed],
    machines: Mapping[str, MachineFacts],
) -> tuple[Topology, ...]:
    """Return a topology for each server. Raises InputError when the database cannot serve an app."""
    database = look(hosts.database, hosts.database.name, data, plan.apps) if hosts.database and data else None
    return tuple(
        Topology(
            server=pair.server,
            generator=pair.generator,
            server_name=pair.server.name,
            generator_name=pair.generator.name,
            address="127.0.0.1" if pair.server is pair.generator else _address(inventory.hosts[pair.server.name]),
            generator_facts=machines[pair.generator.name],
            unit_open_files={name: app.open_files for name, app in found[pair.server.name].apps.items()},
            database=database,
            one_of_many=len(hosts.pairs) > 1,
        )
        for pair in hosts.pairs
    )


def _new_run(folder: Path, inventory: Inventory, root: Path, plan: Plan, machines: Mapping[str, MachineFacts]) -> Run:
    return Run(
        name=folder.name,
        suite=plan.suite,
        suite_title=plan.title,
        profile=plan.profile,
        inventory=inventory.name,
        rows=tuple(row.name for row in plan.rows),
        settings=Settings(
            duration_seconds=plan.duration_seconds,
            warm_up_seconds=plan.warm_up_seconds,
            timeout_seconds=plan.effective_timeout,
            threads=plan.threads,
            repeats=plan.repeats,
            connections=plan.connections,
        ),
        published=plan.published,
        started_at=store.now(),
        computer_cores=(os.cpu_count() or 0) if kind(inventory.machine).made_here else 0,
        machines=tuple(records.machine(inventory.hosts[name], inventory.machine, facts) for name, facts in machines.items()),
        git_commit=_git_commit(root),
        benchrig_version=benchrig.__version__,
    )


def _git_commit(root: Path) -> str:
    """Return the commit that is checked out, with `-dirty` if files differ from it; empty outside a clone."""
    argv = ("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
