"""The tasks that care for machines: their state, logins, snapshots, their end; and the completion of shells."""

from __future__ import annotations

from dataclasses import asdict

from invoke.exceptions import Exit

from benchrig import console
from benchrig.cli.arguments import INVENTORY, find_machines, read_inventory
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.machines import machines_of
from benchrig.machines.base import StatusRecord, lifecycle, snapshots


@command(help={"inventory": INVENTORY, "json": "print them as JSON"})
def status(ctx: ChainContext, inventory: str = "", json: bool = False) -> None:
    """List the machines and their states.

    Example: ./inv status
    """
    machines = find_machines(ctx, inventory)
    found = machines.status()
    if json:
        from benchrig.report.export.json import text_of

        console.document(text_of(asdict(StatusRecord(machines.inventory.name, found))))
    else:
        from tabulate import tabulate

        rows = [(one.name, one.state, one.address, one.detail) for one in found]
        console.result(tabulate(rows, headers=["machine", "state", "address", "detail"]))


@command(
    help={"inventory": INVENTORY, "host": "which machine; default: the first", "run": "a command line to run there"},
    words=("host",),
)
def ssh(ctx: ChainContext, inventory: str = "", host: str = "", run: str = "") -> None:
    """Log in to a machine, or run one command on it.

    Example: ./inv ssh --run 'journalctl -u benchrig-sanic'
    """
    from benchrig.remote import openssh

    chosen = read_inventory(ctx, inventory).limit(host or "all")
    first = next(iter(machines_of(chosen, ROOT).reach().hosts.values()))
    if code := openssh.login(first, run):
        raise Exit(code=code)


@command(help={"inventory": INVENTORY})
def ssh_config(ctx: ChainContext, inventory: str = "") -> None:
    """Print an OpenSSH configuration for the machines.

    Example: ./inv ssh-config > lab.conf
    """
    from benchrig.remote import openssh

    console.result(openssh.config(find_machines(ctx, inventory).reach().hosts.values()))


@command(help={"inventory": INVENTORY})
def snapshot(ctx: ChainContext, inventory: str = "") -> None:
    """Save the machines' state over the last snapshot.

    Example: ./inv snapshot
    """
    snapshots(find_machines(ctx, inventory), "saved").snapshot()


@command(help={"inventory": INVENTORY})
def restore(ctx: ChainContext, inventory: str = "") -> None:
    """Return the machines to their snapshot and start them.

    Example: ./inv restore
    """
    snapshots(find_machines(ctx, inventory), "restored").restore()


@command(help={"inventory": INVENTORY})
def down(ctx: ChainContext, inventory: str = "") -> None:
    """Stop the machines; their disks stay.

    Example: ./inv down
    """
    lifecycle(find_machines(ctx, inventory), "stopped").down()


@command(help={"inventory": INVENTORY})
def destroy(ctx: ChainContext, inventory: str = "") -> None:
    """Remove the machines and all their data.

    Example: ./inv destroy
    """
    lifecycle(find_machines(ctx, inventory), "removed").destroy()


@command(help={"shell": "bash, zsh or fish"})
def completion(ctx: ChainContext, shell: str) -> None:
    """Print the script that completes ./inv in a shell.

    bash and zsh: source <(./inv completion bash)
    fish: ./inv completion fish | source

    Example: ./inv completion bash
    """
    from benchrig.cli import completion as completing

    console.result(completing.script(shell))
