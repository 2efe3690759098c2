"""What a bench needs on its hosts, and how it gets there when it is not: by the playbook that provisions them."""

from __future__ import annotations

from pathlib import Path

from benchrig import console
from benchrig.agent.bench_protocol import Deployed, FindDeployed
from benchrig.bench.app import App
from benchrig.bench.host import Host
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError
from benchrig.inventory import Inventory

PLAYBOOK = "site.yml"
TAGS = ("base", "python", "golang", "openresty", "app", "wrk")
"""The roles that put apps and load generator on a host. A host that was provisioned before keeps its settings as they are,
for they may be what is being tried; one that never was gets them all."""


def lacking(wanted: Plan, server: Deployed, generator: Deployed) -> tuple[str, ...]:
    """Return what is missing or differs from our files: apps by name, and the load generator."""
    missing = [app.name for app in wanted.apps if not _is_deployed(app, server)]
    program = wanted.generator.program
    return (*missing, *(() if program in generator.programs else (program,)))


def _is_deployed(app: App, server: Deployed) -> bool:
    found = server.apps.get(app.name)
    return found is not None and found.open_files > 0 and app.digests().items() <= found.files.items()


def deploy(inventory: Inventory, root: Path, wanted: Plan, server: Host, generator: Host) -> Deployed:
    """Provision what the hosts lack, and return what is on the server. Raises BenchrigError if that was not enough."""
    look = FindDeployed((wanted.generator.program,))
    found = server.ask(look)
    if missing := lacking(wanted, found, generator.ask(look)):
        console.line(f"not deployed yet, or changed since: {', '.join(missing)}")
        # Imported here because nothing of it is needed when all is deployed.
        from benchrig.provision import prepare, provision

        provision(inventory, prepare(inventory, root / PLAYBOOK, tags=TAGS if found.apps else ()))
        found = server.ask(look)
        if missing := lacking(wanted, found, generator.ask(look)):
            raise BenchrigError(
                f"still not deployed after provisioning: {', '.join(missing)}",
                "Does the playbook deploy apps/ to this host?",
            )
    return found
