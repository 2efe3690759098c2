"""Lines of a report: what was measured, on which machines, and the command that repeats it. Every report uses these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from benchrig import shell
from benchrig.language import say, say_count, say_data
from benchrig.report.published import Published
from benchrig.report.sentences import listed
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Quantity, Verdict, Wanted, Word
from benchrig.results.model import Database, Environment, Machine, Run, Settings
from benchrig.statistics.difference import LEAST_REPEATS
from benchrig.units import about

SETTINGS = ("duration", "warm-up", "timeout", "threads", "repeats", "order by seed")
"""The names of settings that `settings_shown` returns."""

PINNED = ("app", "database", "load generator")
"""The programs that can be kept on CPUs of their own."""

ENVIRONMENT = (
    "CPU governor",
    "turbo",
    "SMT",
    "NUMA nodes",
    "transparent hugepages",
    "clock source",
    "microcode",
    "congestion control",
    "default qdisc",
    "kernel command line",
    "control group limits",
)
"""The names of what a machine's environment has, beside its CPU's mitigations."""

NAMES = ("event loop", "HTTP parser", "open files, as far as root can raise it")
"""The names of versions and limits that are words, and not what a program calls itself."""

MITIGATION = "mitigation of "
"""Begins the names of conditions that are what the kernel does about a vulnerability of the CPU."""


def heading_lines(table: Table) -> tuple[str, ...]:
    """Return the lines above a table: the run with its machines, or the published set with its document."""
    if isinstance(table.origin, Published):
        first = say("published figures {name}: {title}", name=table.name, title=table.title)
        return (first, *_shown_lines(table), *source_lines(table.origin))
    run = table.origin
    database = [database_line(run.database)] if run.database else []
    return (
        run_line(run, table.incomplete, table.label),
        *_shown_lines(table),
        *([run.ended_line] if run.ended_line else []),
        *([parts_line(run)] if run.parts else []),
        *(machine_line(machine) for machine in run.machines),
        *([computer_line(run)] if run.shares_computer else []),
        *sharing_lines(table),
        *(network.line for network in run.networks),
        *(network.line for network in run.database_networks),
        *database,
        *([servers_line(table)] if table.first_server else []),
    )


def _shown_lines(table: Table) -> tuple[str, ...]:
    """Return how many rows are shown, where the user left some out."""
    return (shown_line(table),) if table.left_out else ()


def shown_line(table: Table) -> str:
    """Return how many rows of a table are shown: `3 of 15 rows shown`."""
    shown = len(table.rows)
    return say("{shown} of {count} rows shown", shown=f"{shown:,}", count=f"{shown + table.left_out:,}")


def run_line(run: Run, incomplete: bool, label: str = "") -> str:
    """Return a run's name, label, suite, profile, inventory, settings, version, and whether it is incomplete."""
    name = say("{text} ({detail})", text=run.name, detail=label) if label else run.name
    named = say("INCOMPLETE run {name}", name=name) if incomplete else say("run {name}", name=name)
    return say(
        "{run}: suite {suite}, profile {profile}, inventory {inventory} ({settings}), benchrig {version}",
        run=named,
        suite=run.suite,
        profile=run.profile,
        inventory=run.inventory,
        settings=_pairs({say_data(name): value for name, value in settings_shown(run.settings).items()}),
        version=run.benchrig_version or say("of unknown version"),
    )


def parts_line(run: Run) -> str:
    """Return when a run was resumed, and which conditions had changed by then."""
    parts = [say("part {part} since {time}", part=part, time=one.started_at) for part, one in enumerate(run.parts, 2)]
    changed = dict.fromkeys(one for part in run.parts for one in part.changed)
    under = say("under the same conditions")
    if changed:
        under = say("under other conditions: {changed}", changed=say("; ").join(changed))
    return say(
        "measured in {count} parts, because it was interrupted: {parts}, {under}",
        count=1 + len(run.parts),
        parts=say(", ").join(parts),
        under=under,
    )


def settings_shown(settings: Settings) -> Mapping[str, str]:
    """Return a run's settings in words, by their English names: `duration`, `5 s`."""
    shown = {
        "duration": f"{settings.duration_seconds:g} s",
        "warm-up": f"{settings.warm_up_seconds:g} s",
        "timeout": f"{settings.timeout_seconds:g} s",
        "threads": str(settings.threads),
        "repeats": str(settings.repeats),
    }
    if settings.until_percent is not None:
        shown["repeats"] = say(
            "{repeats} or more, until within ±{percent} %, for {time} at most",
            repeats=settings.repeats,
            percent=f"{settings.until_percent:g}",
            time=about(settings.at_most_seconds or 0),
        )
    if settings.seed is not None:
        shown["order by seed"] = str(settings.seed)
    return shown


def machine_line(machine: Machine) -> str:
    """Return a machine's CPU, cores, memory, kernel, system and virtualization in one line."""
    return say(
        "{name}: {hardware}, {system}, kernel {kernel}, {virtualization}",
        name=machine.name,
        hardware=hardware(machine),
        system=machine.os,
        kernel=machine.kernel,
        virtualization=virtualization(machine),
    )


def pinned(machine: Machine) -> str:
    """Return which CPUs programs were kept on: `app on 0-1, load generator on 2-3`; empty when none was."""
    pairs = machine.pinned.items()
    return say(", ").join(say("{program} on {cpus}", program=say_data(name), cpus=cpus) for name, cpus in pairs)


def sharing_lines(table: Table) -> tuple[str, ...]:
    """Return which programs had CPUs of their own, and that figures are of both where server and load generator shared."""
    run = table.run
    pinned_on = [machine for machine in run.machines if machine.pinned] if run else []
    lines = [say("CPUs of {machine}: {pinned}", machine=one.name, pinned=pinned(one)) for one in pinned_on]
    sharing = [row for row in table.rows if row.shares_cpus]
    if sharing:
        # A service that is not ours cannot be kept on some CPUs.
        ours = run is not None and any(row.host in {machine.name for machine in run.machines} for row in sharing)
        lines.append(say("server and load generator shared their CPUs: each figure is one of both. ") + _separated(ours))
    return tuple(lines)


def _separated(can_pin: bool) -> str:
    if can_pin:
        return say("Another load host separates them, or --pin where there are cores enough")
    return say("Another load host separates them")


def computer_line(run: Run) -> str:
    """Return what it means for the values that the machines of a run share one computer."""
    names = listed([machine.name for machine in run.machines])
    means = say("The values show that they work over a network, not how fast each is alone.")
    if not run.computer_cores:
        return say("{names} are on one computer and share its CPU cores. {means}", names=names, means=means)
    return say(
        "{names} are on one computer and share its {cores} CPU cores. {means}",
        names=names,
        cores=run.computer_cores,
        means=means,
    )


def servers_line(table: Table) -> str:
    """Return how the rows of several servers compare."""
    first, *others = table.run.servers if table.run else ()
    line = say(
        "servers: each row of {others} is compared with {first}. Faster or slower means that Welch's t-test on "
        "logarithms shows a difference of the rows together, which takes {repeats} repeats. Each server has its own ranks.",
        others=say(", ").join(others),
        first=first,
        repeats=LEAST_REPEATS,
    )
    return say("{line} Claims are judged by {server}.", line=line, server=first) if table.published else line


def hardware(machine: Machine) -> str:
    """Return a machine's CPU, cores and memory."""
    cores = say_count("{count} core", "{count} cores", machine.cores)
    return say(", ").join([machine.cpu, cores, f"{machine.memory_bytes / 2**30:.1f} GiB"])


def virtualization(machine: Machine) -> str:
    """Return the virtualization of a machine."""
    layers = machine.virtualization.split(" in ")
    kind = layers.pop() or say("no virtualization")
    for inner in reversed(layers):
        kind = say("{inner} in {outer}", inner=inner, outer=kind)
    return say("{virtualization}, emulated", virtualization=kind) if machine.emulated else kind


def database_line(database: Database) -> str:
    """Return the database of the apps: its host, version and data set."""
    return say(
        "database on {host}: PostgreSQL {version}, data set {data} (fingerprint {fingerprint})",
        host=database.host,
        version=database.version,
        data=database.data,
        fingerprint=database.fingerprint,
    )


def what_ran(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the versions that ran, a line for rows with the same: the rows, then programs with their versions."""
    rows_of: dict[str, list[str]] = {}
    for row in rows:
        if row.versions:
            rows_of.setdefault(_pairs(in_words(row.versions)), []).append(row.label)
    return tuple(say("{names}: {text}", names=say(", ").join(names), text=versions) for versions, names in rows_of.items())


def source_lines(published: Published) -> tuple[str, ...]:
    """Return the source of published figures: the article, its machine, load and versions."""
    source = published.source
    load = say("{command} (timeout {seconds} s)", command=source.command, seconds=f"{source.timeout_seconds:g}")
    return (source.document, source.machine, load, _pairs(in_words(source.versions)))


def repeat_command(table: Table) -> str:
    """Return the command that repeats a run with the same rows and settings; for a published set, the article's own."""
    if isinstance(table.origin, Published):
        return table.origin.source.command
    run = table.origin
    argv = ["./inv", "bench", "-i", run.inventory, "--suite", run.suite, "--profile", run.profile]
    only = [] if set(run.rows) == set(table.suite_rows) else ["--only", ",".join(run.rows)]
    return shell.quote([*argv, *only, *_flags(run.settings)])


def _flags(settings: Settings) -> tuple[str, ...]:
    """Return the flags of `bench` that choose these settings, whatever the profile says by then."""
    values = {
        "--duration": f"{settings.duration_seconds:.0f}s",
        "--threads": str(settings.threads),
        "--repeats": str(settings.repeats),
        "--connections": str(settings.connections or ""),
        "--until": f"{settings.until_percent:g}%" if settings.until_percent else "",
        "--at-most": f"{settings.at_most_seconds:.0f}s" if settings.at_most_seconds else "",
    }
    words = tuple(word for flag, value in values.items() if value for word in (flag, value))
    return (*words, "--pin") if settings.pin else words


def repeats_command(table: Table, names: Collection[str], repeats: int) -> str:
    """Return the command that measures some rows of a run with another number of repeats."""
    assert table.run is not None
    return _again(table, table.run, names, _fixed(table.run.settings, repeats=repeats))


def published_command(table: Table, names: Collection[str], repeats: int) -> str:
    """Return the command that measures some rows of a run as the article did; empty where no profile has its timeout."""
    run, source = table.run, table.published.source if table.published else None
    if run is None or source is None or not table.published_profile:
        return ""
    settings = _fixed(run.settings, duration_seconds=source.duration_seconds, threads=source.threads, repeats=repeats)
    return _again(table, replace(run, profile=table.published_profile), names, settings)


def _fixed(settings: Settings, **changes: float) -> Settings:
    """Return settings with changes, and with a fixed number of repeats."""
    return replace(settings, until_percent=None, at_most_seconds=None, **changes)  # type: ignore[arg-type]


def _again(table: Table, run: Run, names: Collection[str], settings: Settings) -> str:
    rows = tuple(name for name in run.rows if name in names)
    return repeat_command(replace(table, origin=replace(run, rows=rows, settings=settings)))


def provenance(run: Run) -> str:
    """Return the times of a run and the version of benchrig."""
    finished = say("finished {time}", time=run.finished_at) if run.finished_at else say("not finished")
    version = run.benchrig_version
    if run.git_commit:
        version = say("{version}, commit {commit}", version=version, commit=run.git_commit)
    return say("Started {time}, {finished}; benchrig {version}.", time=run.started_at, finished=finished, version=version)


def loads(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return each row's load generator command, under the row's name as a comment."""
    return tuple(f"# {row.label}\n{shell.quote(row.command)}" for row in rows if row.command)


def replies_lines(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the replies of each row of several routes or statuses, by status and by route."""
    found = [(row.label, row.replies) for row in rows if row.replies]
    told = [(name, one) for name, one in found if one.sent or len(one.statuses) > 1]
    return tuple(say("{names}: {text}", names=name, text=one.line) for name, one in told)


def environment(found: Environment) -> Mapping[str, str]:
    """Return what of a machine decides figures, by name: the mitigations of its CPU in one text."""
    known = found.conditions()
    shown = {say_data(name): value for name, value in known.items() if not name.startswith(MITIGATION)}
    needed = [f"{name}: {state}" for name, state in found.mitigations.items() if state != "Not affected"]
    return {**shown, say("mitigations"): "; ".join(needed) or say("not affected")} if found.mitigations else shown


def settings(table: Table) -> Mapping[str, Mapping[str, str]]:
    """Return the settings of each machine and of the database by a title: environment, kernel settings, limits, programs."""
    run = table.run
    if run is None:
        return {}
    settings_of = {
        say("Machine {name} ({kind})", name=machine.name, kind=machine.kind): {
            **environment(machine.environment),
            **machine.sysctls,
            **in_words(machine.limits),
            **in_words(machine.versions),
        }
        for machine in run.machines
    }
    if run.database:
        title = say("Database {data} on {host}", data=run.database.data, host=run.database.host)
        settings_of[title] = dict(run.database.settings)
    return {title: pairs for title, pairs in settings_of.items() if pairs}


def verdict_counts(verdicts: Sequence[Verdict]) -> str:
    """Return the number of claims per verdict: `9 reproduced, 2 about rows that are not in this run`."""
    shown = claims_shown(verdicts)
    counts = [(sum(verdict.word is word for verdict in shown), say_data(word.value)) for word in Word]
    absent = (len(verdicts) - len(shown), say("about rows that are not in this run"))
    pairs = [(count, what) for count, what in (*counts, absent) if count]
    return say(", ").join(say("{count} {what}", count=count, what=what) for count, what in pairs)


def claims_shown(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts that reports show: all but those about rows that were not part of the run."""
    return tuple(verdict for verdict in verdicts if not verdict.not_in_run)


def next_steps(table: Table, verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """Return what would decide inconclusive claims: more repeats, or the article's load; each with one command for all."""
    wanted = [verdict.wanted for verdict in verdicts if verdict.wanted]
    more = [one for one in wanted if not one.as_published]
    other = [one for one in wanted if one.as_published]
    steps = []
    if more:
        needs = say_count(
            "{count} inconclusive claim needs more repeats:", "{count} inconclusive claims need more repeats:", len(more)
        )
        steps.append((needs, repeats_command(table, *_together(more))))
    if other:
        needs = say_count(
            "{count} inconclusive claim needs the article's duration and timeout:",
            "{count} inconclusive claims need the article's duration and timeout:",
            len(other),
        )
        steps.append((needs, published_command(table, *_together(other))))
    return tuple(steps)


def _together(wanted: Sequence[Wanted]) -> tuple[frozenset[str], int]:
    """Return the rows of several claims, and the most repeats that one of them needs."""
    return frozenset(name for one in wanted for name in one.rows), max(one.repeats for one in wanted)


def quantities(figures: Iterable[Quantity]) -> str:
    """Return a claim's figures in one line: `throughput(sanic) 19,218 requests/s; …`."""
    return say("; ").join(f"{one.name} {one.text}" for one in figures)


def in_words(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return versions or limits with their names in the language in use."""
    return {say_data(name): value for name, value in values.items()}


def _pairs(values: Mapping[str, str]) -> str:
    return say(", ").join(f"{name} {value}".strip() for name, value in values.items())
