"""Lines of a report: what was measured, on which machines, and the command that repeats it. Every report uses these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from benchrig import shell
from benchrig.report.published import Published
from benchrig.report.replies import Replies
from benchrig.report.table import Row, Table
from benchrig.report.verdict import Quantity, Verdict, Wanted, Word
from benchrig.results.model import Database, Environment, Machine, Run, Settings
from benchrig.statistics.difference import LEAST_REPEATS
from benchrig.units import about


def heading_lines(table: Table) -> tuple[str, ...]:
    """Return the lines above a table: the run with its machines, or the published set with its document."""
    if isinstance(table.origin, Published):
        return (f"published figures {table.name}: {table.title}", *source_lines(table.origin))
    run = table.origin
    database = [database_line(run.database)] if run.database else []
    return (
        run_line(run, table.incomplete, table.label),
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


def run_line(run: Run, incomplete: bool, label: str = "") -> str:
    """Return a run's name, label, suite, profile, inventory, settings, version, and whether it is incomplete."""
    settings = _pairs(settings_shown(run.settings))
    state = "INCOMPLETE " if incomplete else ""
    what = f"suite {run.suite}, profile {run.profile}, inventory {run.inventory} ({settings})"
    called = f" ({label})" if label else ""
    return f"{state}run {run.name}{called}: {what}, benchrig {run.benchrig_version or 'of unknown version'}"


def parts_line(run: Run) -> str:
    """Return when a run was resumed, and which conditions had changed by then."""
    parts = (f"part {number} since {part.started_at}" for number, part in enumerate(run.parts, 2))
    changed = dict.fromkeys(one for part in run.parts for one in part.changed)
    under = f"under other conditions: {'; '.join(changed)}" if changed else "under the same conditions"
    return f"measured in {1 + len(run.parts)} parts, because it was interrupted: {', '.join(parts)}, {under}"


def settings_shown(settings: Settings) -> Mapping[str, str]:
    """Return a run's settings in words, by their names: `duration`, `5 s`."""
    shown = {
        "duration": f"{settings.duration_seconds:g} s",
        "warm-up": f"{settings.warm_up_seconds:g} s",
        "timeout": f"{settings.timeout_seconds:g} s",
        "threads": str(settings.threads),
        "repeats": str(settings.repeats),
    }
    if settings.until_percent is not None:
        goal = f"until within ±{settings.until_percent:g} %, for {about(settings.at_most_seconds or 0)} at most"
        shown["repeats"] = f"{settings.repeats} or more, {goal}"
    if settings.seed is not None:
        shown["order by seed"] = str(settings.seed)
    return shown


def machine_line(machine: Machine) -> str:
    """Return a machine's CPU, cores, memory, kernel, system and virtualization in one line."""
    return f"{machine.name}: {hardware(machine)}, {machine.os}, kernel {machine.kernel}, {virtualization(machine)}"


def pinned(machine: Machine) -> str:
    """Return which CPUs programs were kept on: `app on 0-1, load generator on 2-3`; empty when none was."""
    return ", ".join(f"{name} on {cpus}" for name, cpus in machine.pinned.items())


def sharing_lines(table: Table) -> tuple[str, ...]:
    """Return which programs had CPUs of their own, and that figures are of both where server and load generator shared."""
    run = table.run
    lines = [f"CPUs of {machine.name}: {pinned(machine)}" for machine in run.machines if machine.pinned] if run else []
    sharing = [row for row in table.rows if row.shares_cpus]
    if sharing:
        # A service that is not ours cannot be kept on some CPUs.
        ours = run is not None and any(row.host in {machine.name for machine in run.machines} for row in sharing)
        lines.append(
            "server and load generator shared their CPUs: each figure is one of both. "
            f"Another load host separates them{', or --pin where there are cores enough' if ours else ''}"
        )
    return tuple(lines)


def computer_line(run: Run) -> str:
    """Return what it means for the values that the machines of a run share one computer."""
    *names, last = (machine.name for machine in run.machines)
    cores = f"{run.computer_cores} CPU cores" if run.computer_cores else "CPU cores"
    return (
        f"{', '.join(names)} and {last} are on one computer and share its {cores}. "
        "The values show that they work over a network, not how fast each is alone."
    )


def servers_line(table: Table) -> str:
    """Return how the rows of several servers compare."""
    first, *others = table.run.servers if table.run else ()
    claims = f" Claims are judged by {first}." if table.published else ""
    return (
        f"servers: each row of {', '.join(others)} is compared with {first}. Faster or slower means that Welch's t-test on "
        f"logarithms shows a difference of the rows together, which takes {LEAST_REPEATS} repeats. "
        f"Each server has its own ranks.{claims}"
    )


def hardware(machine: Machine) -> str:
    """Return a machine's CPU, cores and memory."""
    cores = f"{machine.cores} core" + ("" if machine.cores == 1 else "s")
    return f"{machine.cpu}, {cores}, {machine.memory_bytes / 2**30:.1f} GiB"


def virtualization(machine: Machine) -> str:
    """Return the virtualization of a machine."""
    return f"{machine.virtualization or 'no virtualization'}{', emulated' if machine.emulated else ''}"


def database_line(database: Database) -> str:
    """Return the database of the apps: its host, version and data set."""
    return (
        f"database on {database.host}: PostgreSQL {database.version}, data set {database.data} "
        f"(fingerprint {database.fingerprint})"
    )


def what_ran(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the versions that ran, a line for rows with the same: the rows, then programs with their versions."""
    rows_of: dict[str, list[str]] = {}
    for row in rows:
        if row.versions:
            rows_of.setdefault(_pairs(row.versions), []).append(row.label)
    return tuple(f"{', '.join(names)}: {versions}" for versions, names in rows_of.items())


def source_lines(published: Published) -> tuple[str, ...]:
    """Return the source of published figures: the article, its machine, load and versions."""
    source = published.source
    load = f"{source.command} (timeout {source.timeout_seconds:g} s)"
    return (source.document, source.machine, load, _pairs(source.versions))


def repeat_command(table: Table) -> str:
    """Return the command that repeats a run with the same rows and settings; for a published set, the article's own."""
    if isinstance(table.origin, Published):
        return table.origin.source.command
    run = table.origin
    argv = ["./inv", "bench", "-i", run.inventory, "--suite", run.suite, "--profile", run.profile]
    return shell.quote([*argv, "--only", ",".join(run.rows), *_flags(run.settings)])


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
    return _again(table.run, names, _fixed(table.run.settings, repeats=repeats))


def published_command(table: Table, names: Collection[str], repeats: int) -> str:
    """Return the command that measures some rows of a run as the article did; empty where no profile has its timeout."""
    run, source = table.run, table.published.source if table.published else None
    if run is None or source is None or not table.published_profile:
        return ""
    settings = _fixed(run.settings, duration_seconds=source.duration_seconds, threads=source.threads, repeats=repeats)
    return _again(replace(run, profile=table.published_profile), names, settings)


def _fixed(settings: Settings, **changes: float) -> Settings:
    """Return settings with changes, and with a fixed number of repeats."""
    return replace(settings, until_percent=None, at_most_seconds=None, **changes)  # type: ignore[arg-type]


def _again(run: Run, names: Collection[str], settings: Settings) -> str:
    rows = tuple(name for name in run.rows if name in names)
    return repeat_command(Table(replace(run, rows=rows, settings=settings), ()))


def provenance(run: Run) -> str:
    """Return the times of a run and the version of benchrig."""
    commit = f", commit {run.git_commit}" if run.git_commit else ""
    finished = f"finished {run.finished_at}" if run.finished_at else "not finished"
    return f"Started {run.started_at}, {finished}; benchrig {run.benchrig_version}{commit}."


def loads(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return each row's load generator command, under the row's name as a comment."""
    return tuple(f"# {row.label}\n{shell.quote(row.command)}" for row in rows if row.command)


def replies_lines(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the replies of each row of several routes or statuses, by status and by route."""
    found = ((row.label, row.replies) for row in rows if row.replies)
    return tuple(f"{name}: {_replies(one)}" for name, one in found if one.sent or len(one.statuses) > 1)


def _replies(replies: Replies) -> str:
    parts = [", ".join(f"status {status} {count:,}" for status, count in replies.statuses.items())]
    for route, sent in replies.sent.items():
        right = ", ".join(f"{kind.replies:,} with status {kind.status}" for kind in replies.right if kind.routes == (route,))
        parts.append(f"{route}: {sent:,} requests, right replies: {right or 'none of its own'}")
    for kind in replies.right:
        if len(kind.routes) > 1:
            parts.append(f"{' and '.join(kind.routes)} alike: {kind.replies:,} with status {kind.status}")
    return "; ".join(parts)


def environment(found: Environment) -> Mapping[str, str]:
    """Return what of a machine decides figures, by name: the mitigations of its CPU in one text."""
    known = found.conditions()
    shown = {name: value for name, value in known.items() if not name.startswith("mitigation of ")}
    needed = [f"{name}: {state}" for name, state in found.mitigations.items() if state != "Not affected"]
    return {**shown, "mitigations": "; ".join(needed) or "not affected"} if found.mitigations else shown


def settings(table: Table) -> Mapping[str, Mapping[str, str]]:
    """Return the settings of each machine and of the database by a title: environment, kernel settings, limits, programs."""
    run = table.run
    if run is None:
        return {}
    settings_of = {
        f"Machine {machine.name} ({machine.kind})": {
            **environment(machine.environment),
            **machine.sysctls,
            **machine.limits,
            **machine.versions,
        }
        for machine in run.machines
    }
    if run.database:
        settings_of[f"Database {run.database.data} on {run.database.host}"] = dict(run.database.settings)
    return {title: pairs for title, pairs in settings_of.items() if pairs}


def verdict_counts(verdicts: Sequence[Verdict]) -> str:
    """Return the number of claims per verdict: `9 reproduced, 2 about rows that are not in this run`."""
    shown = claims_shown(verdicts)
    counts = [(sum(verdict.word is word for verdict in shown), word.value) for word in Word]
    absent = (len(verdicts) - len(shown), "about rows that are not in this run")
    return ", ".join(f"{count} {what}" for count, what in (*counts, absent) if count)


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
        steps.append((f"{_claims(more)} more repeats:", repeats_command(table, *_together(more))))
    if other:
        steps.append((f"{_claims(other)} the article's duration and timeout:", published_command(table, *_together(other))))
    return tuple(steps)


def _claims(wanted: Sequence[Wanted]) -> str:
    return "1 inconclusive claim needs" if len(wanted) == 1 else f"{len(wanted)} inconclusive claims need"


def _together(wanted: Sequence[Wanted]) -> tuple[frozenset[str], int]:
    """Return the rows of several claims, and the most repeats that one of them needs."""
    return frozenset(name for one in wanted for name in one.rows), max(one.repeats for one in wanted)


def quantities(figures: Iterable[Quantity]) -> str:
    """Return a claim's figures in one line: `throughput(sanic) 19,218 requests/s; …`."""
    return "; ".join(f"{one.name} {one.text}" for one in figures)


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}".strip() for name, value in values.items())
