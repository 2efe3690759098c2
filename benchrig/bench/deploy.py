"""Deployment for a bench: what the hosts lack is provisioned by the playbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchrig import console
from benchrig.agent.bench.protocol import Deployed, FindDeployed
from benchrig.bench.app import App
from benchrig.bench.data import DataSet
from benchrig.bench.generators.registry import GENERATORS
from benchrig.bench.host import Hosts
from benchrig.bench.runtimes import roles, runtimes
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError
from benchrig.inventory import Inventory

PLAYBOOK = "site.yml"


def lacking(
    plan: Plan, data: DataSet | None, server: Deployed, generator: Deployed, database: Deployed | None
) -> tuple[str, ...]:
    """Return what is missing or differs from our files: apps by name, the data set, the load generator."""
    missing = [app.name for app in plan.apps if app.is_ours and not _is_deployed(app, server)]
    if data and database and not data.digests().items() <= database.data.get(data.name, {}).items():
        missing.append(f"the data set {data.name}")
    missing += [program for program in plan.generator.programs if program not in generator.programs]
    return tuple(missing)


def _is_deployed(app: App, server: Deployed) -> bool:
    found = server.apps.get(app.name)
    return found is not None and found.open_files > 0 and app.digests().items() <= found.files.items()


def deploy(inventory: Inventory, root: Path, plan: Plan, data: DataSet | None, hosts: Hosts) -> Mapping[str, Deployed]:
    """Provision what the hosts lack, no more than the plan needs, and return what is on each by its name.

    Raises BenchrigError if that was not enough.
    """
    found, missing = _look(plan, data, hosts)
    if missing:
        console.line(f"not deployed yet, or changed since: {', '.join(missing)}")
        # Imported here because nothing of it is needed when all is deployed.
        from benchrig.provision import prepare, provision

        new = any(not (one.apps or one.data or one.programs) for one in found.values())
        ours = [app.name for app in plan.apps if app.is_ours]
        spared = _spared(plan, data)
        if new and (left := _left_out(root, ours, spared)):
            console.line(f"deployed only what these rows need, without {left}; ./inv provision deploys all")
        prepared = prepare(
            inventory,
            root / PLAYBOOK,
            limit=tuple(found),
            tags=() if new else _tags(plan),
            skip_tags=spared,
            extra_vars={"app_only": ours},
        )
        provision(inventory, prepared)
        found, missing = _look(plan, data, hosts)
        if missing:
            raise BenchrigError(
                f"still not deployed after provisioning: {', '.join(missing)}",
                "Does the playbook deploy apps/ and configs/data/ to these hosts?",
            )
    return found


def _tags(plan: Plan) -> tuple[str, ...]:
    """Return the roles that put apps, database and load generator on a host.

    A host that was provisioned before keeps its other settings, for these may be what the user tries. As soon as one host
    is new, all get them.
    """
    return ("base", "postgresql", *roles(), "app", plan.generator.role)


def _spared(plan: Plan, data: DataSet | None) -> tuple[str, ...]:
    """Return the roles that the plan can do without."""
    used = {app.file.runtime for app in plan.apps if app.is_ours}
    needed = {"app"} if used else set()
    needed |= {runtimes()[name].role for name in used} | {plan.generator.role}
    needed |= {"postgresql"} if data else set()
    generators = (generator.role for generator in GENERATORS.values())
    return tuple(role for role in (*roles(), "app", "postgresql", *generators) if role not in needed)


def _left_out(root: Path, ours: Sequence[str], spared: Sequence[str]) -> str:
    """Return what a host that was never provisioned is spared, in words; empty when nothing is."""
    others = len({path.parent.name for path in (root / "apps").glob("*/app.yml")} - set(ours))
    roles = [role for role in spared if role != "app"]
    words = [f"the {others} other apps"] if others else []
    return " and ".join([*words, f"the roles {', '.join(roles)}"] if roles else words)


def _look(plan: Plan, data: DataSet | None, hosts: Hosts) -> tuple[dict[str, Deployed], tuple[str, ...]]:
    """Return what is on each host, and what is lacking on any of them."""
    look = FindDeployed(plan.generator.programs)
    found = {host.name: host.ask(look) for host in hosts.all}
    database = found[hosts.database.name] if hosts.database else None
    missing = [
        what
        for pair in hosts.pairs
        for what in lacking(plan, data, found[pair.server.name], found[pair.generator.name], database)
    ]
    return found, tuple(dict.fromkeys(missing))
