"""What a bench needs on its hosts, and how it gets there when it is not: by the playbook that provisions them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchrig import console
from benchrig.agent.bench_protocol import Deployed, FindDeployed
from benchrig.bench import wrk
from benchrig.bench.app import App
from benchrig.bench.host import Host
from benchrig.errors import BenchrigError
from benchrig.inventory import Inventory

PLAYBOOK = "site.yml"
TAGS = ("base", "python", "golang", "openresty", "app", "wrk")
"""The roles that put apps and load generator on a host; settings of the machine are left as they are."""


def lacking(apps: Iterable[App], server: Deployed, generator: Deployed) -> tuple[str, ...]:
    """Return what is missing or differs from our files: apps by name, and the load generator."""
    missing = [app.name for app in apps if not _is_deployed(app, server)]
    return (*missing, *(() if wrk.PROGRAM in generator.programs else (wrk.PROGRAM,)))


def _is_deployed(app: App, server: Deployed) -> bool:
    found = server.apps.get(app.name)
    return found is not None and found.open_files > 0 and app.digests().items() <= found.files.items()


def deploy(inventory: Inventory, root: Path, apps: tuple[App, ...], server: Host, generator: Host) -> Deployed:
    """Provision what the hosts lack, and return what is on the server. Raises BenchrigError if that was not enough."""
    look = FindDeployed((wrk.PROGRAM,))
    found = server.ask(look)
    if missing := lacking(apps, found, generator.ask(look)):
        console.line(f"not deployed yet, or changed since: {', '.join(missing)}")
        # Imported here because nothing of it is needed when all is deployed.
        from benchrig.provision import prepare, provision

        provision(inventory, prepare(inventory, root / PLAYBOOK, tags=TAGS))
        found = server.ask(look)
        if missing := lacking(apps, found, generator.ask(look)):
            raise BenchrigError(
                f"still not deployed after provisioning: {', '.join(missing)}",
                "Does the playbook deploy apps/ to this host?",
            )
    return found
