"""What the tasks make of their arguments: inventories, machines, runs, playbooks, numbers and names.

Each raises InputError for an argument that is not valid.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from benchrig import console, reading
from benchrig import inventory as inventories
from benchrig.agent.text import short
from benchrig.cli.chain import ChainContext
from benchrig.cli.command_line import WITHOUT_VALUE
from benchrig.cli.task import ROOT
from benchrig.errors import InputError
from benchrig.inventory import Inventory
from benchrig.machines import machines_of
from benchrig.machines.base import Machines

if TYPE_CHECKING:
    from benchrig.bench.resuming import Begun
    from benchrig.bench.suite import BenchRequest, Plan

INVENTORY = "inventory/<name>.yml, or a path; default: lab, or qemu where the lab cannot run"
"""The help of the flag --inventory."""

RUN = "a folder of reports/, its path, `latest`, or the name of published figures"
"""The help of an argument that names a run."""

MOST_NAMES = 1000
"""Of a comma-separated list."""


def choose(ctx: Context, name: str, given: str) -> str:
    """Return the choice of `name`: what was given on the command line, else Invoke's configuration."""
    defaults = ctx.config.get("benchrig", {})
    if not hasattr(defaults, "get"):
        raise InputError(f"'benchrig' in Invoke's configuration is {defaults!r}; it must be a mapping, as in invoke.yaml")
    return given or str(defaults.get(name, ""))


def find_playbook(name: str) -> Path:
    """Return the file of a playbook: a path from the user's folder, else from the project's. Raises InputError."""
    for folder in (Path.cwd(), ROOT):
        if reading.is_file(folder / name):
            return (folder / name).resolve()
    raise InputError(f"there is no playbook '{short(name)}', neither here nor in {ROOT}")


def read_inventory(ctx: ChainContext, name: str) -> Inventory:
    """Return the inventory that a task works on: the named one, else the configured one, else the default."""
    from benchrig.machines.default import default_inventory

    return inventories.read(choose(ctx, "inventory", name) or default_inventory(), ROOT)


def find_machines(ctx: ChainContext, inventory: str) -> Machines:
    """Return the machines of an inventory, in the state they are in."""
    return machines_of(read_inventory(ctx, inventory), ROOT)


def with_password(ctx: ChainContext, inventory: Inventory, ask: bool) -> Inventory:
    """Return the inventory with the password for sudo, if `ask` is true: one question serves the whole chain."""
    from benchrig.remote import become

    if not ask:
        return inventory
    if ctx.chain.become_password is None:
        ctx.chain.become_password = become.ask_password(inventory)
    return inventory.with_become_password(ctx.chain.become_password)


def find_begun(
    ctx: ChainContext, given: BenchRequest, inventory: str, resume: str | bool, despite_changes: bool
) -> Begun | None:
    """Return the run that `bench` resumes; None without --resume. Of a complete one, say so, and hand it to the chain.

    Plain `invoke` gives True for a flag without its value. Raises InputError for a flag that contradicts a complete run;
    `plan_bench` does it for any other.
    """
    from benchrig.bench import resuming

    if not resume:
        if despite_changes:
            raise InputError("--despite-changes needs --resume")
        return None
    name = resume if resume not in (True, WITHOUT_VALUE["resume"]) else ""
    begun = resuming.find(ROOT / "reports", str(name), despite_changes=despite_changes)
    if begun.is_complete:
        begun.request(given)
        if inventory:
            begun.check_inventory(read_inventory(ctx, inventory))
        which = "" if name else "no run was interrupted; the newest, "
        console.line(f"{which}{begun.folder.name}{',' if which else ''} is complete: nothing is left to measure")
        ctx.chain.run, ctx.chain.suite = str(begun.folder), begun.run.suite
    return begun


def plan_bench(ctx: ChainContext, given: BenchRequest, inventory: str, begun: Begun | None) -> tuple[Plan, Inventory]:
    """Return the plan of a bench and the inventory that it works on; of a run that is resumed, those that it began with."""
    from benchrig.bench.app import Apps
    from benchrig.bench.order import seeded
    from benchrig.bench.run import check_files
    from benchrig.bench.suite import plan
    from benchrig.report import load

    if begun:
        planned = begun.planned(plan(ROOT, Apps(ROOT), begun.request(given)))
    else:
        chosen = replace(given, suite=choose(ctx, "suite", given.suite), profile=choose(ctx, "profile", given.profile))
        planned = seeded(plan(ROOT, Apps(ROOT), chosen))
    check_files(ROOT, planned, begun)
    if planned.published:
        # A mistake in the published figures is reported now, and not after an hour.
        load(planned.published, ROOT)
    if planned.expect:
        from benchrig.report.gate import check_expected

        check_expected(planned)
    hosts = read_inventory(ctx, inventory or (begun.inventory if begun else ""))
    if begun:
        begun.check_inventory(hosts)
    return planned, hosts


def check_alone(ctx: ChainContext, task: str, flag: str) -> None:
    """Raise InputError if a chain has other tasks than the one with this flag, because those would work all the same."""
    if others := [name for name in ctx.chain.tasks if name != task]:
        raise InputError(f"{flag} touches nothing: leave out {' '.join(others)}, or {flag}")


def check_run(run: str, suite: str) -> None:
    """Raise InputError for a run, or a suite's run, that does not exist and that no task before in the chain can make."""
    from benchrig.report.load import find_folder
    from benchrig.results import store

    if run and run != store.LATEST:
        find_folder(run, ROOT)
    if suite and not reading.is_file(ROOT / "configs" / "suites" / f"{suite}.yml"):
        store.newest(ROOT / "reports", suite)


def find_run(ctx: ChainContext, run: str, suite: str) -> str:
    """Return the run that is meant: the named one, else the one just made if it is of the suite, else the newest of it."""
    from benchrig.results import store

    return run or str(store.meant(ROOT / "reports", suite, ctx.chain.run, ctx.chain.suite))


def parse_count(flag: str, text: str) -> int | None:
    """Return the whole number that a flag was given; None if it was not given."""
    # A number with more digits than Python reads is one that no flag takes.
    if text and not re.fullmatch("[0-9]{1,19}", text):
        raise InputError(f"--{flag} takes a whole number, not '{short(text)}'")
    return int(text) if text else None


def parse_percent(flag: str, text: str) -> float:
    """Return the share that a flag was given in percent: 0.01 of `1%`; 0 if it was not given. It is below 1."""
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)\s*%", text.strip(), re.ASCII)
    if not found or float(found[1]) >= 100:
        raise InputError(f"--{flag} takes a percentage below 100%, such as 1%, not '{short(text)}'")
    return float(found[1]) / 100


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; none if the flag was not given."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if text and not names:
        raise InputError(f"'{short(text)}' names nothing")
    if len(names) > MOST_NAMES:
        raise InputError(f"'{short(text)}' has {len(names):,} names; at most {MOST_NAMES:,} can be given")
    return names
