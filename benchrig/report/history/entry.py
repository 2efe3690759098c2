"""What the index has of a run: the values of its rows, what they can be compared under, what may explain a change."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import benchrig
from benchrig.errors import InputError
from benchrig.report import conditions as of_runs
from benchrig.report import describe
from benchrig.report.table import Row, Table, make
from benchrig.results import store
from benchrig.results.index import RowEntry, RunEntry
from benchrig.results.model import Cell, Machine, Run

MEMORY = "memory of "
"""Begins the names of conditions that are a number of bytes: the same machine has a little more or less with each kernel."""

CODE = ("results", "report", "statistics", "units.py")
"""The parts of the package that what is entered depends on."""


@cache
def version() -> str:
    """Return what changes when code does that the entered values depend on."""
    package, digest = Path(benchrig.__file__).parent, hashlib.sha256()
    for part in CODE:
        path = package / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return f"{benchrig.__version__} {digest.hexdigest()}"


def read(folder: Path) -> RunEntry:
    """Return what the index has of a run's folder; of a damaged run, why it cannot be read."""
    try:
        run, cells = store.read(folder)
    except (InputError, OSError) as error:
        return RunEntry(folder.name, "damaged", said=str(error).splitlines()[0])
    # An imported run has the number of another project.
    return of_run(folder.name, replace(run, number=0) if store.is_imported(folder) else run, cells)


def of_run(name: str, run: Run, cells: Sequence[Cell]) -> RunEntry:
    """Return what the index has of a run whose folder has this name."""
    table = make(run, cells)
    assert table.run
    apps = {cell.name: cell.app for cell in cells}
    return RunEntry(
        name=name,
        state="incomplete" if table.incomplete else "complete",
        suite=table.run.suite,
        number=run.number,
        started_at=table.run.started_at,
        commit=table.run.git_commit,
        facts=_facts(table, table.run),
        rows=tuple(_row(row, apps.get(row.name, ""), table.run) for row in table.rows),
        machines=tuple(machine.name for machine in table.run.machines),
        planned=len(table.rows) + len(table.not_run),
    )


def _row(row: Row, app: str, run: Run) -> RowEntry:
    figures = {name: tuple(filter(math.isfinite, sample.values)) for name, sample in row.figures.items()}
    return RowEntry(
        label=row.label,
        name=row.name,
        app=app,
        system=row.system,
        unused=_unused(row),
        conditions=conditions(row, run),
        facts={
            **dict(_files(run, row.name, app)),
            **({"system": row.system} if row.figures else {}),
            **{program.lower(): version for program, version in row.versions.items()},
        },
        figures={name: values for name, values in figures.items() if values},
    )


def _unused(row: Row) -> str:
    """Return why a row's values must not be used; empty where they can be."""
    if not row.figures:
        return "failed" if row.status == "failed" else "not possible"
    codes = dict.fromkeys(warning.code.label for warning in row.warnings if warning.invalid)
    return f"invalid: {', '.join(codes)}" if codes else ""


def conditions(row: Row, run: Run) -> Mapping[str, str]:
    """Return what must be the same in two runs for a row's values to be of one series; empty values are not known.

    Kernel, versions, kernel settings, commit and number of repeats are not among them: these are what may have changed.
    """
    shown = describe.settings_shown(run.settings)
    found = {
        "connections": f"{row.connections:,}",
        "route": row.route,
        "waiting in the handler": f"{row.sleep_seconds:g} s",
        **{name: shown[name] for name in ("duration", "warm-up", "threads")},
        "timeout": f"{row.timeout_seconds:g} s",
        "load generator": "on the server" if row.load_on_server else "on another machine",
        "server": row.host,
        "machines": ", ".join(machine.name for machine in run.machines),
    }
    if run.database and row.figures:
        found["database"] = "on the server" if row.database_on_server else "on another machine"
    for machine in run.machines:
        found |= _hardware(machine)
    return found


def _hardware(machine: Machine) -> Mapping[str, str]:
    """Return the fingerprint of a machine: its CPU, cores, kind, and bytes of memory."""
    emulated = ", emulated" if machine.emulated else ""
    return {
        f"machine {machine.name}": f"{machine.cpu}, {machine.cores} cores, {machine.kind}{emulated}",
        f"{MEMORY}{machine.name}": str(machine.memory_bytes),
        f"CPUs of programs on {machine.name}": describe.pinned(machine) or "shared",
    }


LIKE = ("duration", "warm-up", "timeout", "threads", "load generator", "number of machines", "repeats")
"""The conditions of a whole run that are the same in all like runs, or explain nothing."""


def _facts(table: Table, run: Run) -> Mapping[str, str]:
    """Return what may explain a difference in all rows, the likeliest first: commit, benchrig, data, kernels, settings."""
    called = [f"machine {machine.name}" for machine in run.machines]
    rest = {
        name: value
        for name, value in of_runs.conditions(table, called).items()
        if name not in (*LIKE, *called, "commit")
        and not name.startswith(("files of app ", "programs with CPUs", of_runs.VERSION))
    }
    programs = {
        f"{name} on {machine.name}": version for machine in run.machines for name, version in machine.versions.items()
    }
    return {"commit": run.git_commit, "benchrig": run.benchrig_version, **rest, **programs}


def _files(run: Run, row: str, app: str) -> Iterator[tuple[str, str]]:
    """Yield the digests of a row and of its app, by what they are of."""
    for name, digest in run.digests.items():
        if name == f"row {row}":
            yield f"definition of {name}", digest[:12]
        elif name == f"app {app}" or name.startswith(f"app {app}: "):
            yield f"files of {name}", digest[:12]
