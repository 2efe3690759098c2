"""The machines of a run side by side: their settings in groups, what differs between them, and the same as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchrig import language
from benchrig.language import say, say_data
from benchrig.report import describe
from benchrig.results.model import Machine, Run
from benchrig.units import NOTHING, size

Settings = Mapping[str, str]
"""Values as texts, by the names of their settings."""

_HARDWARE = ("CPU governor", "turbo", "SMT", "NUMA nodes", "microcode", "clock source")
"""What of a machine's environment is its hardware, or how the kernel drives it."""


@dataclass(frozen=True)
class Line:
    """A setting: its value on each machine, in the order of the machines."""

    name: str
    values: tuple[str, ...]
    differs: bool
    """The machines do not have the same."""


@dataclass(frozen=True)
class Group:
    """Settings of one kind."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Environment:
    """The machines of a run, and their settings in groups."""

    machines: tuple[str, ...]
    groups: tuple[Group, ...]
    text: str
    """The same as plain lines, always in English and in the same order: two of them can be compared by `diff`."""


def environment(run: Run | None) -> Environment | None:
    """Return the machines of a run side by side; None where there is no run, or its machines are not known."""
    if run is None or not run.machines:
        return None
    return Environment(tuple(machine.name for machine in run.machines), tuple(_groups(run.machines)), as_text(run.machines))


def database(run: Run | None) -> Group | None:
    """Return the settings of a run's database; None where it had none."""
    if run is None or run.database is None or not run.database.settings:
        return None
    found = run.database
    lines = tuple(Line(name, (value,), differs=False) for name, value in found.settings.items())
    return Group(say("Database {data} on {host}", data=found.data, host=found.host), lines)


def as_text(machines: Sequence[Machine]) -> str:
    """Return the settings of machines as lines `name: value`, in an order that does not depend on the machine."""
    with language.use(language.ENGLISH):
        blocks = [_block(machine) for machine in machines]
    return "\n\n".join(blocks)


def _block(machine: Machine) -> str:
    lines = [f"machine: {machine.name}", f"kind: {machine.kind}"]
    for _, settings in _KINDS:
        found = settings(machine)
        lines += [f"{name}: {_in_one_line(found[name])}" for name in sorted(found, key=str.lower)]
    return "\n".join(lines)


def _in_one_line(value: str) -> str:
    return " ".join(value.split())


def _groups(machines: Sequence[Machine]) -> list[Group]:
    groups = []
    for title, settings in _KINDS:
        found = [settings(machine) for machine in machines]
        names = dict.fromkeys(name for one in found for name in one)
        if names:
            groups.append(Group(title(), tuple(_line(name, found) for name in names)))
    return groups


def _line(name: str, found: Sequence[Settings]) -> Line:
    values = tuple(one.get(name, NOTHING) for one in found)
    return Line(say_data(name), values, len(set(values)) > 1)


def _hardware(machine: Machine) -> Settings:
    known = describe.environment(machine.environment)
    return {
        say("CPU"): machine.cpu,
        say("cores"): str(machine.cores),
        say("memory"): size(machine.memory_bytes),
        say("virtualization"): describe.virtualization(machine),
        **{name: known[name] for name in map(say_data, _HARDWARE) if name in known},
    }


def _system(machine: Machine) -> Settings:
    pins = {say("programs on CPUs of their own"): describe.pinned(machine)} if machine.pinned else {}
    return {say("system"): machine.os, say("kernel"): machine.kernel, **pins}


def _conditions(machine: Machine) -> Settings:
    hardware = set(map(say_data, _HARDWARE))
    return {name: value for name, value in describe.environment(machine.environment).items() if name not in hardware}


_KINDS: Sequence[tuple[Callable[[], str], Callable[[Machine], Settings]]] = (
    (lambda: say("Hardware"), _hardware),
    (lambda: say("System"), _system),
    (lambda: say("Kernel settings"), lambda machine: machine.sysctls),
    (lambda: say("Limits"), lambda machine: machine.limits),
    (lambda: say("Environment"), _conditions),
    (lambda: say("Programs"), lambda machine: machine.versions),
)
"""The groups of settings in the order of the page: their titles, said when they are shown, and what is in them."""
