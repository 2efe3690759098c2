"""The task that compares two variants over several boots of their machines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.cli.arguments import INVENTORY, choose, parse_count, read_inventory, with_password
from benchrig.cli.chain import ChainContext
from benchrig.cli.command_line import WITHOUT_VALUE
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError
from benchrig.machines import machines_of


@command(
    help={
        "variants": "A and B, each [SUITE:]ROW[@COMMIT][%HOST]; the same one twice shows what the machine can tell apart",
        "vary": "variable=one,other: a role variable that is set before each measurement of the one variant",
        "inventory": INVENTORY,
        "suite": "the suite of variants that name none: configs/suites/<name>.yml, or that path; default: web-frameworks",
        "profile": "how long a measurement takes: a profile of the suite; default: quick",
        "duration": "duration of each measurement, such as 5s or 1m",
        "connections": "number of connections, instead of the rows' own",
        "threads": "threads of the load generator",
        "boots": "how often the machines are restored or booted; default: 8",
        "repeats": "pairs of A and B in each boot; default: 2",
        "seed": "of the random order; default: a new one, which is recorded",
        "ask-become-pass": "ask once for the sudo password of the hosts; it is stored nowhere",
        "resume": "measure what an interrupted session lacks; its folder in reports/, or a path; default: the newest one",
        "show": "print the report of a session that was measured: its folder in reports/, or a path",
        "json": "print the result as JSON",
    },
    words=("variants",),
    iterable=["variants", "vary"],
    optional=["resume"],
)
def ab(
    ctx: ChainContext,
    variants: list[str] | None = None,
    vary: list[str] | None = None,
    inventory: str = "",
    suite: str = "",
    profile: str = "",
    duration: str = "",
    connections: str = "",
    threads: str = "",
    boots: str = "",
    repeats: str = "",
    seed: str = "",
    ask_become_pass: bool = False,
    resume: str = "",
    show: str = "",
    json: bool = False,
) -> Iterator[None]:
    """Compare two variants in turn, over several boots.

    Example: ./inv ab go-2000 openresty-2000 --boots 8
    """
    from benchrig.ab import run as sessions_run
    from benchrig.ab import start
    from benchrig.ab.commits import Projects
    from benchrig.bench.suite import BenchRequest
    from benchrig.results import sessions
    from benchrig.results.recorder import check_reports

    given = BenchRequest(
        duration=duration,
        connections=parse_count("connections", connections),
        threads=parse_count("threads", threads),
    )
    numbers = start.Numbers(parse_count("boots", boots), parse_count("repeats", repeats), parse_count("seed", seed))
    asked = start.Words(tuple(variants or ()), tuple(vary or ()))
    chosen = bool(asked or numbers or suite or profile or given != BenchRequest())
    if resume or show:
        _check_alone(bool(resume), bool(show), chosen)
    begun = _begun(resume, show)
    if begun and (session := sessions.read(begun)) and (show or session.finished_at):
        if resume:
            console.line(f"{session.name} is complete: nothing is left to measure")
        yield
        _print(begun, json)
        return
    with Projects(ROOT) as projects:
        if begun:
            hosts = read_inventory(ctx, inventory or session.inventory_file or session.inventory)
            choices, setting = start.again(ROOT, hosts, session, projects)
        else:
            wanted = replace(given, suite=choose(ctx, "suite", suite), profile=choose(ctx, "profile", profile))
            hosts = read_inventory(ctx, inventory)
            choices, setting = start.choices(ROOT, hosts, asked, wanted, projects)
        machines = machines_of(with_password(ctx, hosts, ask_become_pass), ROOT)
        if not begun:
            session = start.begin(ROOT, hosts, machines, choices, numbers)
        check_reports(begun or ROOT / "reports")
        yield
        start.announce(begun, session, choices)
        task = sessions_run.Task(ROOT, machines, choices, setting)
        folder, _ = sessions_run.measure(task, session, begun)
    _print(folder, json)


def _begun(resume: str | bool, show: str) -> Path | None:
    """Return the folder of the session that is shown or resumed; None of a new one.

    Plain `invoke` gives True for a flag without its value.
    """
    from benchrig.results import sessions

    if not (resume or show):
        return None
    name = show or ("" if resume in (True, WITHOUT_VALUE["resume"]) else str(resume))
    return sessions.find(ROOT / "reports", name, unfinished=not name)


def _check_alone(resume: bool, show: bool, chosen: bool) -> None:
    """Raise InputError for flags that say something else than a stored session."""
    if resume and show:
        raise InputError("--resume measures, and --show only prints: give one of them")
    if chosen:
        flag = "--resume" if resume else "--show"
        raise InputError(f"{flag} takes a session as it was begun: leave out variants, suite, profile and settings")


def _print(folder: Path, json: bool) -> None:
    from benchrig.ab import analysis, document, text
    from benchrig.report import width_of

    result = analysis.analyse(folder)
    if json:
        console.document(document.render(result))
    else:
        console.result(text.render(result, width_of(sys.stdout)))
