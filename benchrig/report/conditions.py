"""Differences between the conditions of two tables: duration, machines, versions and more, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchrig.report.describe import hardware, pinned, settings_shown, virtualization
from benchrig.report.published import Published
from benchrig.report.table import Row, Table
from benchrig.results.model import Activity, Machine

_TRAFFIC: Mapping[str, Callable[[Row], str]] = {
    "connections": lambda row: f"{row.connections_there or row.connections:,}",
    "route": lambda row: row.route,
    "waiting in the handler": lambda row: f"{row.sleep_seconds:g} s",
}
"""The load of a row, by name; empty where it is not known, such as the route in a document with only one."""


VERSION = "version of "
"""Begins the names of conditions that are a program's version on a machine."""


def same_traffic(a: Row, b: Row) -> bool:
    """Return whether two rows had the same load, as far as it is known; if not, their throughputs do not compare."""
    return not any(_other_traffic(a, b))


@dataclass(frozen=True)
class Condition:
    """A condition that differs between two tables: its name, and its value in each."""

    name: str
    a: str
    b: str
    rows: str = ""
    """The rows that it concerns, in words; empty of a condition of the whole run."""

    def __str__(self) -> str:
        return self.line()

    def line(self, sides: tuple[str, str] = ("A", "B")) -> str:
        """Return it in one line; `sides` is what the tables are called."""
        a, b = sides
        return f"{self.name}: {a} {self.a}; {b} {self.b}{self.rows and f' ({self.rows})'}"


def differences(a: Table, b: Table, pairs: Sequence[tuple[Row, Row]]) -> tuple[Condition, ...]:
    """Return the conditions that differ between A and B; `pairs` are the rows of both.

    A condition that only one of them gives is left out: a document has no kernel, and a failed row no versions.
    """
    shared = tuple(_other_conditions(a, b))
    told = {one.name for one in shared}
    rows_of: dict[Condition, list[str]] = {}
    for row, other in pairs:
        found = [*_other_traffic(row, other), *_other_definition(a, row, b, other), *_measured_otherwise(row, other)]
        found += [*_other_system(a, row, b, other), *_other_versions(a, row, b, other)]
        for one in found:
            if one.name not in told:
                rows_of.setdefault(one, []).append(row.label)
    of_rows = (replace(one, rows=_rows(names, len(pairs))) for one, names in rows_of.items())
    return (*shared, *of_rows)


def _rows(names: Sequence[str], all_rows: int) -> str:
    return "all rows" if len(names) == all_rows > 1 else ", ".join(names)


def _other_conditions(a: Table, b: Table) -> Iterator[Condition]:
    called = _called(a, b)
    one, other = conditions(a, called), conditions(b, called)
    differing = [name for name in one if name in other and one[name] != other[name]]
    for name in differing:
        # Where the files themselves are listed, all of them together say nothing more.
        if not any(listed.startswith(f"{name}: ") for listed in differing):
            yield Condition(name, one[name], other[name])


def _called(a: Table, b: Table) -> tuple[str, ...]:
    """Return what the machines of two tables are called: by name where these are the same, else by number."""
    names = [tuple(machine.name for machine in table.run.machines) for table in (a, b) if table.run]
    if len(names) == 2 and names[0] == names[1]:
        return tuple(f"machine {name}" for name in names[0])
    most = max(map(len, names), default=0)
    return tuple(f"machine {number}" for number in range(1, most + 1)) if most > 1 else ("machine",)


def _other_traffic(row: Row, other: Row) -> Iterator[Condition]:
    for name, text in _TRAFFIC.items():
        if text(row) and text(other) and text(row) != text(other):
            yield Condition(name, text(row), text(other))


def _other_definition(a: Table, row: Row, b: Table, other: Row) -> Iterator[Condition]:
    """Return whether a row is another one in its suite: its requests, its replies, its script."""
    one, two = (
        table.run.digests.get(f"row {name}", "") if table.run else "" for table, name in ((a, row.name), (b, other.name))
    )
    if one and two and one != two:
        yield Condition("definition in the suite", one[:12], two[:12])


def _measured_otherwise(row: Row, other: Row) -> Iterator[Condition]:
    for name, value in row.measured_with.items():
        if other.measured_with.get(name, value) != value:
            yield Condition(name, value, other.measured_with[name])


def _other_system(a: Table, row: Row, b: Table, other: Row) -> Iterator[Condition]:
    """Return where different systems ran. A row that was not measured only has its planned name and is left out."""
    if not (row.figures and other.figures):
        return
    same = row.system == other.system
    if a.run is None or b.run is None:
        # Documents have their own names, such as `Golang, 20000` for `Go`: the first word is the system.
        one, two = sorted((_first_word(row.system), _first_word(other.system)), key=len)
        same = two.startswith(one)
    if not same:
        yield Condition("system", row.system, other.system)


def _first_word(system: str) -> str:
    return re.sub(r"[^a-z].*", "", system.lower())


def _other_versions(a: Table, row: Row, b: Table, other: Row) -> Iterator[Condition]:
    one, two = _versions(a, row), _versions(b, other)
    if not (one and two):
        return
    for name in dict.fromkeys((*one, *two)):
        # A document names programs for all rows together: a missing name means nothing.
        known = (a.run and b.run) or (name in one and name in two)
        if known and not _same_version(one.get(name, ""), two.get(name, "")):
            yield Condition(name, one.get(name, "none"), two.get(name, "none"))


def conditions(table: Table, called: Sequence[str]) -> Mapping[str, str]:
    """Return the conditions that all rows of a table share, by name; `called` is what its machines are called there."""
    timeouts = ", ".join(f"{seconds:g} s" for seconds in sorted({row.timeout_seconds for row in table.rows}))
    if isinstance(table.origin, Published):
        source = table.origin.source
        duration = f"{source.duration_seconds:g} s"
        return {"duration": duration, "timeout": timeouts, "threads": str(source.threads), "machine": source.machine}
    run = table.origin
    shown = settings_shown(run.settings)
    shared = {**{name: shown[name] for name in ("duration", "warm-up", "threads", "repeats")}, "timeout": timeouts}
    if places := {"on the server" if row.load_on_server else "on another machine" for row in table.rows if row.figures}:
        shared["load generator"] = ", ".join(sorted(places))
    shared["number of machines"] = str(len(run.machines))
    shared |= {f"files of {name}": digest[:12] for name, digest in run.digests.items() if not name.startswith("row ")}
    if run.git_commit:
        shared["commit"] = run.git_commit
    if run.benchrig_version:
        shared["benchrig"] = run.benchrig_version
    for machine, name in zip(run.machines, called, strict=False):
        shared |= _of_machine(machine, name)
        shared |= {f"{VERSION}{program} on {name}": text for program, text in _programs(table, machine).items()}
    if run.database:
        shared["data set"] = f"{run.database.data}, fingerprint {run.database.fingerprint}"
        shared |= {f"PostgreSQL's {name}": value for name, value in run.database.settings.items()}
    return shared


def _programs(table: Table, machine: Machine) -> Mapping[str, str]:
    """Return the versions of a machine's programs, such as the load generator's, but for those that rows tell of."""
    of_rows = {name.lower() for row in table.rows for name in row.versions}
    return {name: version for name, version in machine.versions.items() if name.lower() not in of_rows}


def _of_machine(machine: Machine, called: str) -> Mapping[str, str]:
    return {
        called: hardware(machine),
        f"system of {called}": f"{machine.os}, {virtualization(machine)}",
        f"kernel of {called}": machine.kernel,
        f"programs with CPUs of their own on {called}": pinned(machine) or "none",
        **{
            f"{name} of {called}": value
            for name, value in {**machine.sysctls, **machine.limits, **machine.environment.conditions()}.items()
        },
        **dict(_before(machine.environment.activity, called)),
    }


def _before(activity: Activity, called: str) -> Iterator[tuple[str, str]]:
    """Yield what the machine did before the first cell, in steps of 10 %, as it is never quite the same."""
    if activity.foreign_percent is not None:
        yield f"CPU used by other programs of {called} before the start", _step(activity.foreign_percent)
    # Pressure on the CPU is that of our own programs, too, when one bench follows another.
    for name, percent in activity.pressure.items():
        if name != "cpu":
            yield f"{name} pressure of {called} before the start", _step(percent)


def _step(percent: float) -> str:
    return "under 10 %" if percent < 10 else f"about {percent / 10:.0f}0 %"


def _versions(table: Table, row: Row) -> Mapping[str, str]:
    """Return the versions by program, in lower case, because documents and packages differ in that."""
    versions = table.origin.source.versions if isinstance(table.origin, Published) else row.versions
    return {name.lower(): value for name, value in versions.items()}


def _same_version(one: str, other: str) -> bool:
    """Return whether two versions agree; `3.11` agrees with `3.11.2`."""
    short, long = sorted((one, other), key=len)
    return short == long or (short != "" and long.startswith(f"{short}."))
