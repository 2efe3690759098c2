"""A run of a bench: connect to the hosts, deploy apps and data, measure every cell and store it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from benchrig import console, shell, yamlfile
from benchrig.agent.bench.protocol import Deployed, FindMachineFacts, MachineFacts
from benchrig.bench import network, pinning, records
from benchrig.bench.attempt import is_loopback
from benchrig.bench.board import Board
from benchrig.bench.data import DataSet, read_data
from benchrig.bench.database import look
from benchrig.bench.deploy import deploy
from benchrig.bench.doctor.checks import needs_of, quick
from benchrig.bench.goal import Goal
from benchrig.bench.host import Agents, Hosts, Pair
from benchrig.bench.measuring import Done, failure, measure_all, measure_until
from benchrig.bench.order import host_of, order, round_of, turns
from benchrig.bench.patience import cell_seconds
from benchrig.bench.preview import PlannedCell, Preview
from benchrig.bench.resuming import Begun, digest_differences
from benchrig.bench.runtimes import version_commands
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Topology
from benchrig.errors import BenchrigError, InputError, ResultsError
from benchrig.inventory import Host, Inventory
from benchrig.machines import kind
from benchrig.results.model import DatabaseNetwork, Network, Run
from benchrig.results.recorder import Recorder

DATABASE_PORT = 5432
"""Where the role `postgresql` has it listen."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a bench."""

    folder: Path
    """Where its results are."""
    run: str
    """The name of the run's folder in `reports/`; its path where that could not be written."""
    failure: BenchrigError | None
    """Which rows failed, or why results cannot be written where they belong. Rows that are not possible did not fail."""

    @property
    def shown(self) -> str:
        """The folder as the user types it."""
        return self.run if "/" in self.run else f"reports/{self.run}"

    @property
    def said(self) -> str:
        """It in words, for who watches."""
        return f"{self.failure or 'every row was measured, or is not possible here'}; results are in {self.shown}"

    @property
    def report(self) -> str:
        """The command that shows its table."""
        return shell.quote(["./inv", "report", *([self.run] if "/" in self.run else [])])


def bench(
    inventory: Inventory,
    root: Path,
    plan: Plan,
    begun: Begun | None = None,
    *,
    place: Path | None = None,
    warned: bool = False,
) -> Outcome:
    """Run a bench: measure the planned rows on each of the inventory's servers; of a run that has begun, what is left.

    `place` is the folder of a run that is part of something larger. `warned`: what would spoil the rows was said before.

    The n-th server is loaded by the n-th load host if there are as many, else by the first one; one server at a time.
    Raises InputError when the inventory lacks a host, the database cannot serve an app, or conditions are not those of the
    run that has begun; HostError when a host is lost, or cannot be reached from its load host; ResultsError when results
    can be stored nowhere. However it ends, measured cells are stored, and nothing is left running.
    """
    data = data_set(root, plan)
    pairs = _pairs(inventory, plan)
    if place is None:
        console.line(f"to measure: {_preview(plan, pairs, begun).summary}")
    name = begun.run.name if begun else place.name if place else ""
    with Board(root, plan.suite, name) as board, _hosts(inventory, plan, pairs) as hosts:
        run, topologies = _prepared(inventory, root, plan, data, hosts, warned=warned)
        run = begun.resumed(run) if begun else replace(run, name=name)
        with Recorder(place.parent if place else root / "reports", run, begun.lock if begun else None) as recorder:
            outcome = _measured(plan, topologies, recorder, begun, board)
        board.end(outcome.said, failed=outcome.failure is not None)
        return outcome


def _prepared(
    inventory: Inventory, root: Path, plan: Plan, data: DataSet | None, hosts: Hosts, *, warned: bool
) -> tuple[Run, tuple[Topology, ...]]:
    """Deploy what hosts lack, and look at them; return the run's record and a topology for each server."""
    # First, because it is quick, and deploying may take long.
    port = next((app.file.port for app in plan.apps if app.is_ours), 0)
    networks = _networks(inventory, hosts, port)
    database_networks = _database_networks(inventory, hosts)
    found = deploy(inventory, root, plan, data, hosts)
    commands = {**version_commands(), plan.generator.name: plan.generator.version_command}
    machines = {host.name: host.ask(FindMachineFacts(commands)) for host in hosts.all}
    topologies = _topologies(inventory, plan, data, hosts, found, machines)
    if plan.pin:
        pins = pinning.find(hosts, has_app=port > 0, shares_kernel=kind(inventory.machine).shares_kernel)
        topologies = tuple(replace(one, pins=pin) for one, pin in zip(topologies, pins, strict=True))
    if not warned:
        warn_of(inventory, plan, machines)
    pinned = pinning.of_machines(hosts, [one.pins for one in topologies])
    run = records.run(inventory, root, plan, data, machines)
    run = replace(
        run,
        machines=tuple(replace(one, pinned=pinned.get(one.name, {})) for one in run.machines),
        servers=tuple(one.server_name for one in topologies) if port else (),
        networks=networks,
        database_networks=database_networks,
        database=topologies[0].database.stored() if topologies[0].database else None,
    )
    return run, topologies


def _measured(plan: Plan, topologies: Sequence[Topology], recorder: Recorder, begun: Begun | None, board: Board) -> Outcome:
    """Measure what a run lacks, and return the outcome. Raises HostError and ResultsError as `measure_all` does."""
    try:
        measured, folder = _measure(plan, topologies, recorder, begun, board)
    except ResultsError as error:
        # Tasks behind this one show what was measured, if a place was found for it.
        if not (recorder.folder and recorder.is_stored):
            raise
        return Outcome(recorder.folder, recorder.name, error)
    if stored := topologies[0].database:
        stored.leave()
    return Outcome(folder, recorder.name, failure(measured))


def _measure(
    plan: Plan, topologies: Sequence[Topology], recorder: Recorder, begun: Begun | None, board: Board | None = None
) -> tuple[list[Done], Path]:
    """Measure what a run lacks, and write that it is complete; return all of its cells, and its folder.

    Raises HostError and ResultsError as `measure_all` does.
    """
    before = begun.measured if begun else {}
    titles = {turn.key[:2]: turn.title for turn in round_of(plan, topologies, 1)}
    done = [Done(titles[key[:2]], status) for key, status in before.items() if key[:2] in titles]
    if plan.until is None:
        left = [turn for turn in turns(plan, topologies) if turn.key not in before]
        return measure_all(left, plan, recorder, done, board), recorder.finish()
    goal = Goal(plan, plan.until, topologies, begun.repeats if begun else ())
    measured = measure_until(goal, plan, recorder, done, board)
    folder = recorder.finish(goal.ended)
    console.line(recorder.run.ended_line)
    return measured, folder


def warn_of(inventory: Inventory, plan: Plan, machines: Mapping[str, MachineFacts]) -> None:
    """Say what would spoil the rows, as far as the machines' facts tell it; `./inv doctor` looks closer."""
    for one in quick(machines, {name: needs_of(inventory, plan, name) for name in machines}):
        console.warn(f"{one.host}: {one.sentence} What fixes it: {one.mend(yamlfile.shown(inventory.path))}")


def preview(root: Path, plan: Plan, inventory: Inventory, begun: Begun | None = None) -> Preview:
    """Return the cells that `bench` would measure, in their order. It reads files only and contacts no machine.

    Raises InputError when the inventory lacks a host, or when the apps need several data sets.
    """
    data_set(root, plan)
    pairs = _pairs(inventory, plan)
    _database(inventory, plan, [server for server, _ in pairs])
    return _preview(plan, pairs, begun)


def _preview(plan: Plan, pairs: Sequence[tuple[Host, Host]], begun: Begun | None) -> Preview:
    before = begun.measured if begun else {}

    def left(repeat: int) -> list[PlannedCell]:
        return [
            PlannedCell(repeat, row.name, host, row.connections, plan.duration_seconds)
            for row, server in order(plan, len(pairs), repeat)
            if (row.name, host := host_of(row, pairs[server][0].name), repeat) not in before
        ]

    preview = Preview(
        cells=(),
        warm_up_seconds=plan.warm_up_seconds,
        timeout_seconds=plan.effective_timeout,
        resumes=f"{begun.folder.name}, which has {begun.said}" if begun else "",
        seed=plan.seed,
    )
    if plan.until is None:
        return replace(preview, cells=tuple(cell for repeat in range(1, plan.repeats + 1) for cell in left(repeat)))
    rounds = next(repeat for repeat in count(1) if left(repeat))
    took = sum(one.seconds for one in begun.repeats) if begun else 0.0
    return replace(
        preview,
        cells=tuple(left(rounds)),
        until=plan.until,
        least_rounds=max(0, plan.repeats - rounds + 1),
        left_seconds=max(0.0, plan.until.at_most_seconds - took),
    )


def check_files(root: Path, plan: Plan, begun: Begun | None) -> None:
    """Raise InputError when the apps need several data sets, or the files are not those of a run that has begun."""
    data = data_set(root, plan)
    if begun:
        begun.check(digest_differences(begun.run, replace(begun.run, digests=records.digests(plan, data))))


def data_set(root: Path, plan: Plan) -> DataSet | None:
    """Return the data set that the apps need. Raises InputError when they need several."""
    needed = {app.file.database.data: app for app in plan.apps if app.file.database}
    if len(needed) > 1:
        needs = ", ".join(f"'{app.name}' needs '{name}'" for name, app in needed.items())
        raise InputError(f"one bench can use one data set: {needs}", "Bench them one after the other, with --only.")
    return next((read_data(root, name) for name in needed), None)


@contextmanager
def _hosts(inventory: Inventory, plan: Plan, pairs: Sequence[tuple[Host, Host]]) -> Iterator[Hosts]:
    """Connect to the hosts that the plan needs and start an agent on each.

    Raises InputError when the database's is missing.
    """
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
    if near != far and is_loopback(_address(far)):
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
