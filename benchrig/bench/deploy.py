"""What a bench needs on its hosts, and how it gets there when it is not: by the playbook that provisions them."""

from __future__ import annotations

from pathlib import Path

from benchrig import console
from benchrig.agent.bench_protocol import Deployed, FindDeployed
from benchrig.bench.app import App
from benchrig.bench.data import DataSet
from benchrig.bench.host import Hosts
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError
from benchrig.inventory import Inventory

PLAYBOOK = "site.yml"
TAGS = ("base", "postgresql", "python", "golang", "openresty", "app", "wrk")
"""The roles that put apps, database and load generator on a host. A host that was provisioned before keeps its settings as
they are, for they may be what is being tried; one that never was gets them all."""


def lacking(
    wanted: Plan, data: DataSet | None, server: Deployed, generator: Deployed, database: Deployed | None
) -> tuple[str, ...]:
    """Return what is missing or differs from our files: apps by name, the data set, the load generator."""
    missing = [app.name for app in wanted.apps if not app.file.address and not _is_deployed(app, server)]
    if data and database and not data.digests().items() <= database.data.get(data.name, {}).items():
        missing.append(f"the data set {data.name}")
    if wanted.generator.program not in generator.programs:
        missing.append(wanted.generator.program)
    return tuple(missing)


def _is_deployed(app: App, server: Deployed) -> bool:
    found = server.apps.get(app.name)
    return found is not None and found.open_files > 0 and app.digests().items() <= found.files.items()


def deploy(inventory: Inventory, root: Path, wanted: Plan, data: DataSet | None, hosts: Hosts) -> Deployed:
    """Provision what the hosts lack, and return what is on the server. Raises BenchrigError if that was not enough."""
    found, missing = _look(wanted, data, hosts)
    if missing:
        console.line(f"not deployed yet, or changed since: {', '.join(missing)}")
        # Imported here because nothing of it is needed when all is deployed.
        from benchrig.provision import prepare, provision

        provision(inventory, prepare(inventory, root / PLAYBOOK, tags=TAGS if found.apps else ()))
        found, missing = _look(wanted, data, hosts)
        if missing:
            raise BenchrigError(
                f"still not deployed after provisioning: {', '.join(missing)}",
                "Does the playbook deploy apps/ and configs/data/ to these hosts?",
            )
    return found


def _look(wanted: Plan, data: DataSet | None, hosts: Hosts) -> tuple[Deployed, tuple[str, ...]]:
    """Return what is on the server, and what is lacking on any host."""
    look = FindDeployed((wanted.generator.program,))
    found = {host: host.ask(look) for host in hosts.all}
    database = found[hosts.database] if hosts.database else None
    return found[hosts.server], lacking(wanted, data, found[hosts.server], found[hosts.generator], database)
