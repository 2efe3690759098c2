"""Examines the machines of a run: all at once, over SSH, with nothing left on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig.agent import spec
from benchrig.agent.bench import doctor, protocol
from benchrig.agent.bench.environment import Watch
from benchrig.agent.text import short
from benchrig.bench import answers
from benchrig.bench.data import DataSet
from benchrig.bench.deploy import lacking
from benchrig.bench.doctor.checks import CONTROLLER, needs_of, of_examination, of_plan, of_rooms
from benchrig.bench.doctor.findings import Code, Finding, few
from benchrig.bench.suite import Plan
from benchrig.errors import HostError, MachineError
from benchrig.inventory import Host, Inventory
from benchrig.machines.base import Machines
from benchrig.machines.registry import kind, machines_of
from benchrig.remote import ssh, visit

LOOK_SECONDS = 1.0
"""How long each machine looks at what it does."""

FOLDERS = ("/", "/tmp", "/var/tmp", "/var/log", "/var/lib", "/opt", "/run", "/var/lib/postgresql")
"""Folders of a host that a run writes to."""


@dataclass(frozen=True)
class Examined:
    """A host, what was found on it, and how far its clock is before the controller's, in seconds."""

    host: Host
    found: protocol.Examination
    offset: float


def findings(machines: Machines, root: Path, plan: Plan, data: DataSet | None) -> tuple[Finding, ...]:
    """Return what would spoil a run of the plan on these machines; it changes nothing on them.

    Raises MachineError when it cannot be found out which of them are up.
    """
    inventory = _needed(machines.inventory, plan, data)
    found = [*of_plan(plan), *of_rooms(CONTROLLER, tuple(doctor.rooms([str(_existing(root / "reports"))])))]
    reached, not_up = _reached(machines, inventory, root)
    found += not_up
    asked = _asked(plan)
    examined: dict[str, Examined] = {}
    here = Watch() if kind(inventory.machine).shares_kernel else None
    for one in _look_at_all(reached, asked):
        if isinstance(one, Finding):
            found.append(one)
        else:
            examined[one.host.name] = one
    if here:
        # A container sees the CPUs of this computer, and its own programs alone.
        programs = here.activity().processes
        examined = {name: _with_programs(one, programs) for name, one in examined.items()}
    for name, one in examined.items():
        needs = needs_of(inventory, plan, name)
        found += of_examination(name, one.found, needs, one.offset)
    found += _not_deployed(inventory, plan, data, {name: one.found.deployed for name, one in examined.items()})
    return tuple(found)


def _needed(inventory: Inventory, plan: Plan, data: DataSet | None) -> Inventory:
    """Return the inventory with the hosts that take part."""
    groups = ["loadgens", *(["servers"] if any(app.is_ours for app in plan.apps) else []), *(["databases"] if data else [])]
    return inventory.limit(",".join(group for group in groups if inventory.group(group)))


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _reached(machines: Machines, inventory: Inventory, root: Path) -> tuple[list[Host], list[Finding]]:
    """Return the hosts that are up, with how to reach them, and a finding for each that is not."""
    try:
        up = machines.reach()
    except MachineError:
        states = {one.name: one for one in machines.status()}
        running = [name for name in inventory.hosts if states[name].state == "running"]
        found = [
            Finding(Code.NOT_RUNNING, name, {"state": states[name].state}) for name in inventory.hosts if name not in running
        ]
        if not (found and running):
            if not found:
                raise
            return [], found
        up = machines_of(inventory.limit(",".join(running)), root).reach()
        return list(up.hosts.values()), found
    return [up.hosts[name] for name in inventory.hosts], []


def _asked(plan: Plan) -> protocol.Examine:
    ports = dict.fromkeys(app.file.port for app in plan.apps if app.is_ours)
    return protocol.Examine(LOOK_SECONDS, tuple(ports), FOLDERS, tuple(plan.generator.programs))


def _look_at_all(hosts: Sequence[Host], asked: protocol.Examine) -> list[Examined | Finding]:
    """Return what is found on each host. Ctrl-C ends it at once, also while a host hangs."""
    found: dict[str, Examined | Finding | Exception] = {}

    def look(host: Host) -> None:
        try:
            found[host.name] = look_at(host, asked)
        except Exception as error:
            found[host.name] = error

    threads = [threading.Thread(target=look, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = [found[host.name] for host in hosts]
    for one in results:
        if isinstance(one, Exception):
            raise one
    return [one for one in results if not isinstance(one, Exception)]


def look_at(host: Host, asked: protocol.Examine) -> Examined | Finding:
    """Return what is found on a host, or why nothing is."""
    try:
        with ssh.connect(host) as remote:
            answer = visit.ask(remote, asked)
            at = time.time()
        found = spec.build(protocol.Examination, answers.cut(answer))
    except visit.NoPythonError:
        return Finding(Code.NO_PYTHON, host.name)
    except spec.SpecError as error:
        return Finding(Code.UNREACHABLE, host.name, {"reason": f"it answers nonsense: {short(str(error), 200)}", "hint": ""})
    except HostError as error:
        return Finding(Code.UNREACHABLE, host.name, {"reason": str(error), "hint": str(error.hint)})
    return Examined(host, found, found.clock - at)


def _with_programs(examined: Examined, programs: tuple[protocol.Process, ...]) -> Examined:
    facts = examined.found.facts
    activity = replace(facts.environment.activity, processes=programs)
    environment = replace(facts.environment, activity=activity)
    return replace(examined, found=replace(examined.found, facts=replace(facts, environment=environment)))


def _not_deployed(
    inventory: Inventory, plan: Plan, data: DataSet | None, found: Mapping[str, protocol.Deployed]
) -> Iterator[Finding]:
    """Yield what is missing on each host, or is not as our files are."""
    databases = [found[host.name] for host in inventory.group("databases")[:1] if host.name in found] if data else []
    nothing = protocol.Deployed({}, {}, ())
    whole = protocol.Deployed(
        {app.name: protocol.DeployedApp(app.digests(), 1) for app in plan.apps}, {}, tuple(plan.generator.programs)
    )
    servers, generators = ({host.name for host in inventory.group(group)} for group in ("servers", "loadgens"))
    for name, deployed in found.items():
        is_database = bool(databases) and databases[0] is deployed
        missing = lacking(
            plan,
            data if is_database else None,
            deployed if name in servers else whole,
            deployed if name in generators else whole,
            deployed if is_database else nothing,
        )
        if missing:
            yield Finding(Code.NOT_DEPLOYED, name, {"names": few(missing)})
