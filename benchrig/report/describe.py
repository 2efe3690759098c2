"""A run in words: what it was, on what machines, and the command that does it again. Every report uses these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchrig import shell
from benchrig.report.published import Published
from benchrig.report.table import Row, Table
from benchrig.results.model import Machine

_FLAGS = ("duration", "threads", "repeats")


def run_line(table: Table) -> str:
    """Return the run's name, suite, profile, inventory and settings in one line, and whether it is incomplete."""
    run = table.run
    settings = _pairs({name.replace("_", "-"): value for name, value in run.settings.items() if value})
    state = "INCOMPLETE " if table.incomplete else ""
    return f"{state}run {run.name}: suite {run.suite}, profile {run.profile}, inventory {run.inventory} ({settings})"


def machine_line(machine: Machine) -> str:
    """Return a machine's CPU, cores, memory, kernel, system and virtualization in one line."""
    cores = f"{machine.cores} core" + ("" if machine.cores == 1 else "s")
    memory = f"{machine.memory_bytes / 2**30:.1f} GiB"
    virtual = machine.virtualization or "no virtualization"
    return f"{machine.name}: {machine.cpu}, {cores}, {memory}, {machine.os}, kernel {machine.kernel}, {virtual}"


def what_ran(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return a line for each set of versions that ran: the rows, then programs with their versions."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.versions:
            found.setdefault(_pairs(row.versions), []).append(row.name)
    return tuple(f"{', '.join(names)}: {versions}" for versions, names in found.items())


def source_lines(published: Published) -> tuple[str, ...]:
    """Return where published figures come from: the document, its machine, its versions."""
    source = published.source
    return (source.document, source.machine, _pairs(source.versions))


def repeat_command(table: Table) -> str:
    """Return the command line that measures the same rows with the same settings again."""
    run = table.run
    settings = {flag: run.settings[flag].replace(" ", "") for flag in _FLAGS if run.settings.get(flag)}
    connections = {row.connections for row in table.rows}
    if len(connections) == 1 and not table.not_run:
        settings["connections"] = str(connections.pop())
    argv = ["./inv", "bench", "-i", run.inventory, "--suite", run.suite, "--profile", run.profile]
    overrides = [word for flag, value in settings.items() for word in (f"--{flag}", value)]
    return shell.quote([*argv, "--only", ",".join(run.rows), *overrides])


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}".strip() for name, value in values.items())
