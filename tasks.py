"""benchrig's front door. Read from top to bottom, it is the story: machines up, provision, bench, report, claims.

What stands above a task's `yield` reads and checks what the task needs; in a chain, all tasks do that before one works.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchrig import console
from benchrig.cli import ab as sessions
from benchrig.cli import care, comparing, gating, keeping, reporting, upkeep, watching
from benchrig.cli import history as past
from benchrig.cli.arguments import (
    INVENTORY,
    RUN,
    check_alone,
    check_run,
    find_begun,
    find_machines,
    find_playbook,
    find_run,
    parse_count,
    parse_names,
    plan_bench,
    read_inventory,
    with_password,
)
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError, unknown
from benchrig.machines import machines_of
from benchrig.machines.base import begin

BECOME = "ask once for the sudo password of the hosts; it is stored nowhere"


@command(help={"inventory": INVENTORY})
def up(ctx: ChainContext, inventory: str = "") -> None:
    """Start the machines; make those that do not exist.

    Example: ./inv up
    """
    find_machines(ctx, inventory).up(tell=True)


@command(
    help={
        "inventory": INVENTORY,
        "playbook": "a file with plays, from here or from the project; default: site.yml",
        "check": "change nothing; say what would change",
        "diff": "show how files change",
        "limit": "only these hosts or groups, as Ansible's --limit",
        "tags": "only tasks with these tags (each role's name is one), comma-separated",
        "skip-tags": "leave these tags out",
        "extra-vars": "key=value over every other variable; may be given several times",
        "ask-become-pass": BECOME,
    },
    iterable=["extra_vars"],
)
def provision(
    ctx: ChainContext,
    inventory: str = "",
    playbook: str = "",
    check: bool = False,
    diff: bool = False,
    limit: str = "",
    tags: str = "",
    skip_tags: str = "",
    extra_vars: list[str] | None = None,
    ask_become_pass: bool = False,
) -> Iterator[None]:
    """Install, tune and deploy what a playbook says.

    Example: ./inv provision --check --diff --tags tuning
    """
    from benchrig import provision as provisioning
    from benchrig.bench.app import read_apps

    # The playbook deploys the apps: a mistake in one is reported here, with its line, and not by a host.
    read_apps(ROOT)
    everything = with_password(ctx, read_inventory(ctx, inventory), ask_become_pass)
    chosen = everything.limit(limit) if limit else everything
    prepared = provisioning.prepare(
        everything,
        find_playbook(playbook) if playbook else ROOT / "site.yml",
        limit=tuple(chosen.hosts),
        check=check,
        diff=diff,
        tags=parse_names(tags),
        skip_tags=parse_names(skip_tags),
        extra_vars=provisioning.parse_extra_vars(extra_vars or []),
    )
    yield
    # All machines, also with --limit: the variables of the others, such as addresses, must not depend on it.
    provisioning.provision(begin(machines_of(everything, ROOT), "provision"), prepared)


@command(
    help={
        "inventory": INVENTORY,
        "suite": "configs/suites/<name>.yml, or that path; default: web-frameworks",
        "profile": "how long and how often: quick (default), paper (as the suite's article did) or rigorous (with repeats)",
        "only": "only these rows, apps or routes, comma-separated; patterns such as 'flask-*' or '!*-gevent*'",
        "duration": "duration of each measurement, such as 5s or 1m",
        "connections": "number of connections, instead of each row's own",
        "threads": "threads of the load generator",
        "repeats": "number of measurements of each row; with --until, the least number (default then: 6)",
        "until": "add rounds over all rows until each row's interval is within so many percent, such as 2%",
        "at-most": "with --until: how long measuring may take, such as 90s, 30m (default) or 2h",
        "seed": "the number that the order of the rows in each round is drawn from, to repeat an order",
        "ask-become-pass": BECOME,
        "pin": "keep server, database and load generator on cores of their own, where a machine has enough",
        "dry-run": "print the cells, their order and the time they take; touch nothing",
        "resume": "measure what an interrupted run lacks; its folder in reports/, or a path; default: the newest one",
        "despite-changes": "with --resume: go on although machines, rows or apps have changed; every row is marked",
    },
    optional=["resume"],
)
def bench(
    ctx: ChainContext,
    inventory: str = "",
    suite: str = "",
    profile: str = "",
    only: str = "",
    duration: str = "",
    connections: str = "",
    threads: str = "",
    repeats: str = "",
    until: str = "",
    at_most: str = "",
    seed: str = "",
    ask_become_pass: bool = False,
    pin: bool = False,
    dry_run: bool = False,
    resume: str = "",
    despite_changes: bool = False,
) -> Iterator[None]:
    """Measure the rows of a suite; results go to reports/.

    Example: ./inv bench --only go-2000,sanic --duration 10s
    """
    from benchrig.bench.preview import render as render_preview
    from benchrig.bench.run import bench as measure
    from benchrig.bench.run import preview
    from benchrig.bench.suite import BenchRequest
    from benchrig.results.recorder import check_reports

    given = BenchRequest(
        suite=suite,
        profile=profile,
        only=parse_names(only),
        duration=duration,
        connections=parse_count("connections", connections),
        threads=parse_count("threads", threads),
        repeats=parse_count("repeats", repeats),
        until=until,
        at_most=at_most,
        seed=parse_count("seed", seed),
        pin=pin,
    )
    if (begun := find_begun(ctx, given, inventory, resume, despite_changes)) and begun.is_complete:
        return
    planned, hosts = plan_bench(ctx, given, inventory, begun)
    ctx.chain.planned = planned
    if dry_run:
        check_alone(ctx, "bench", "--dry-run")
        console.result(render_preview(preview(ROOT, planned, hosts, begun)))
        return
    check_reports(begun.folder if begun else ROOT / "reports")
    machines = machines_of(with_password(ctx, hosts, ask_become_pass), ROOT)
    yield
    outcome = measure(begin(machines, "bench"), ROOT, planned, begun)
    from benchrig.report.history import enter

    enter(outcome.folder, ROOT / "reports")
    console.line(f"results are in {outcome.shown}; the table: {outcome.report}")
    ctx.chain.run, ctx.chain.suite = outcome.run, planned.suite
    ctx.chain.failure = ctx.chain.failure or outcome.failure


@command(
    help={
        "inventory": INVENTORY,
        "suite": "whose needs: configs/suites/<name>.yml, or that path; default: web-frameworks",
        "profile": "whose needs: a profile of the suite",
        "only": "the needs of these rows, apps or routes only, as of bench",
        "ask-become-pass": BECOME,
    },
)
def doctor(
    ctx: ChainContext,
    inventory: str = "",
    suite: str = "",
    profile: str = "",
    only: str = "",
    ask_become_pass: bool = False,
) -> Iterator[None]:
    """Say what would spoil a run, and what fixes it; change nothing.

    Example: ./inv doctor --only go-2000
    """
    from benchrig.bench.doctor.examine import findings
    from benchrig.bench.doctor.findings import failure
    from benchrig.bench.doctor.table import render
    from benchrig.bench.run import data_set, preview
    from benchrig.bench.suite import BenchRequest
    from benchrig.report import width_of

    planned, hosts = plan_bench(ctx, BenchRequest(suite=suite, profile=profile, only=parse_names(only)), inventory, None)
    # As `bench` does, it says which group of hosts is missing.
    preview(ROOT, planned, hosts)
    machines = machines_of(with_password(ctx, hosts, ask_become_pass), ROOT)
    yield
    found = findings(machines, ROOT, planned, data_set(ROOT, planned))
    console.result(render(found, width_of(sys.stdout), inventory))
    if unfit := failure(found):
        raise unfit


report = reporting.report


@command(
    help={
        "run": f"{RUN}; default: the run just made, else the latest",
        "suite": "the latest run of this suite",
        "published": "check the articles against their own figures; needs no run and no machine",
        "json": "print JSON",
    },
    words=("run",),
)
def claims(ctx: ChainContext, run: str = "", suite: str = "", published: bool = False, json: bool = False) -> Iterator[None]:
    """Check the articles' conclusions against a run.

    Example: ./inv claims latest
    """
    from benchrig import report as reporting
    from benchrig.report import claims as judging

    if run and published:
        raise InputError(f"--published needs no run: leave out '{run}' or --published")
    check_run(run, suite)
    yield
    if published:
        text = judging.audit_published(ROOT, json)
    else:
        report = reporting.load(find_run(ctx, run, suite), ROOT)
        text = judging.render_json(report) if json else judging.render_report(report, judging.suites(ROOT))
    (console.document if json else console.result)(text)


@command(
    help={
        "files": "files with texts of wrk or wrk2, pasted from anywhere; - is standard input",
        "json": "print one JSON object for each text",
        "pipeline": "requests that each connection had sent before it waited for a reply: of texts with a pipelining script",
    },
    words=("files",),
    iterable=["files"],
)
def audit(ctx: ChainContext, files: list[str] | None = None, json: bool = False, pipeline: str = "") -> Iterator[None]:
    """Check texts of wrk and wrk2 for figures that lie.

    Example: ./inv audit results.md --json
    """
    from benchrig.bench.generators.registry import DEFAULT
    from benchrig.report import texts

    if not files:
        raise InputError("task 'audit' lacks FILES; see ./inv audit --help")
    depth = parse_count("pipeline", pipeline)
    if depth == 0:
        raise InputError("--pipeline takes 1 or more: 1 is without pipelining")
    yield
    sources = [texts.read(name, DEFAULT, depth) for name in files]
    if json:
        console.document(texts.render_json(sources))
    else:
        console.result(texts.render_terminal(sources))
    ctx.chain.failure = ctx.chain.failure or texts.failure(sources)


@command(
    help={
        "kind": "what to make: app",
        "name": "names its folder below apps/ and its suite",
        "address": "http://host:port of a service that runs already: it is measured as it is",
    }
)
def new(ctx: ChainContext, kind: str, name: str, address: str = "") -> Iterator[None]:
    """Write an app and a suite of your own to start from.

    Example: ./inv new app mine
    """
    from benchrig.cli import scaffold

    if kind != "app":
        raise unknown("kind", kind, ["app"])
    # Above the yield, so that the tasks behind it in a chain find the new files.
    for path in scaffold.new_app(ROOT, name, address):
        console.line(f"wrote {path.relative_to(ROOT)}")
    console.line(f"next: ./inv bench --suite {name} report")
    yield


@command()
def box(ctx: ChainContext) -> None:
    """Build a Debian 12 disk for QEMU and Vagrant with libvirt.

    Example: ./inv box
    """
    from benchrig.machines.box.build import build
    from benchrig.machines.folder import cache

    made = build(cache())
    console.result(f"{made.disk}\n{made.vagrant}")


@command(help={"inventory": INVENTORY, "ask-become-pass": BECOME})
def selftest(ctx: ChainContext, inventory: str = "", ask_become_pass: bool = False) -> Iterator[None]:
    """Check figures and warnings against a server of known faults.

    Example: ./inv selftest
    """
    from benchrig.selftest import run as testing

    machines = machines_of(with_password(ctx, read_inventory(ctx, inventory), ask_become_pass), ROOT)
    yield
    judged = testing.self_test(machines.up(), ROOT)
    console.result(testing.render(judged))
    ctx.chain.failure = ctx.chain.failure or testing.failure(judged)


# The others, in the order of their list.
compare, ab = comparing.compare, sessions.ab
history, gate = past.history, gating.gate
runs, label, rm = keeping.runs, keeping.label, keeping.rm
export, import_run, publish = keeping.export, keeping.import_run, keeping.publish
watch = watching.watch
status, ssh, ssh_config = care.status, care.ssh, care.ssh_config
snapshot, restore, down, destroy = care.snapshot, care.restore, care.down, care.destroy
completion, test, lint = care.completion, upkeep.test, upkeep.lint
