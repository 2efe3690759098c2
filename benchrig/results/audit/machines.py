"""Warnings about the machines under load: who else used their CPUs, and what their kernels counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchrig.language import later
from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, CpuShares, Run
from benchrig.results.warnings import Unit, Value, Warning, number

STEAL_PERCENT = 2.0

NO_IDLE_PERCENT = 2.0

FOREIGN_PERCENT = 10.0

FOREIGN_PERCENT_INVALID = 25.0
"""From a quarter of the CPU time on, another program decides the values.

Rows of one table differ by less than that, and a late reply may then be the other program's fault, too.
"""

_OURS: tuple[str, ...] = (later("the app"), later("the database"), later("the load generator"))
"""Our programs that use CPU."""

APP, DATABASE, GENERATOR = _OURS


def _backlog(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.server and cell.server.listen_overflows:
        yield Warning(Code.LISTEN_BACKLOG, cell.host, {"overflows": number(cell.server.listen_overflows)})


def _no_idle_cpu(cell: Cell, _: Run) -> Iterator[Warning]:
    apart = "load generator" in cell.pinned
    idle = cell.server.machine_idle_percent if cell.server else next((one.cpu.idle_percent for one in cell.beside), None)
    if cell.load_on_server and not apart and idle is not None and idle < NO_IDLE_PERCENT:
        yield Warning(Code.NO_IDLE_CPU, cell.host)


@dataclass(frozen=True)
class _Machine:
    """A machine under load: its CPUs, and which of our programs ran on it."""

    hosts: tuple[str, ...]
    """Several where they are containers on one kernel, each of which sees the CPUs of all."""
    cpu: CpuShares
    ours: Mapping[str, float]
    """CPU time in seconds of each of our programs."""
    service: bool = False
    """A service that is not ours may have run on it, too: what that used is not known."""


def _machines(cell: Cell, run: Run) -> tuple[_Machine, ...]:
    """Return the machines that took part in a cell and were sampled."""
    used = _used(cell)
    machines: list[_Machine] = []
    if server := cell.server:
        shares = server.machine_idle_percent, server.machine_steal_percent, server.machine_interrupt_percent
        database = cell.database is not None and cell.database.on_server
        here = {APP: True, DATABASE: database, GENERATOR: cell.load_on_server}
        machines.append(_Machine((cell.host,), CpuShares(server.seconds, *shares), _on(here, used)))
    for other in cell.beside:
        here = {DATABASE: other.database, GENERATOR: other.generator}
        service = cell.server is None and cell.load_on_server
        machines.append(_Machine((other.host,), other.cpu, _on(here, used), service))
    if not (machines and run.shares_kernel):
        return tuple(machines)
    # Whether a service that is not ours runs on this kernel is not known.
    return (_Machine(tuple(one.hosts[0] for one in machines), machines[0].cpu, used, service=cell.server is None),)


def _used(cell: Cell) -> Mapping[str, float]:
    """Return the CPU time in seconds of each of our programs, on whichever machine it ran."""
    used: dict[str, float] = {}
    if cell.server:
        used[APP] = cell.server.cpu_percent / 100 * cell.server.seconds
    if cell.database:
        used[DATABASE] = cell.database.cpu_seconds
    if cell.generator:
        used[GENERATOR] = cell.generator.cpu_seconds
    return used


def _on(here: Mapping[str, bool], used: Mapping[str, float]) -> Mapping[str, float]:
    return {name: seconds for name, seconds in used.items() if here.get(name)}


def _cpus(cell: Cell, run: Run) -> Iterator[Warning]:
    """Detect who else used the CPUs of the machines: other guests of their hypervisors, other programs on them."""
    cores = {machine.name: machine.cores for machine in run.machines}
    for machine in _machines(cell, run):
        host = machine.hosts[0] if len(machine.hosts) == 1 else ""
        stolen, foreign = machine.cpu.steal_percent, _foreign_percent(machine, cores.get(machine.hosts[0], 0))
        if stolen >= STEAL_PERCENT:
            values: dict[str, Value] = {"share": number(stolen, Unit.PERCENT), "machines": machine.hosts}
            yield Warning(Code.STEAL, host, values, invalid=True)
        if foreign >= FOREIGN_PERCENT and machine.service:
            values = {"address": cell.host, "share": number(foreign, Unit.PERCENT), "machines": machine.hosts}
            yield Warning(Code.SERVICE_NOT_WATCHED, host, values)
        elif foreign >= FOREIGN_PERCENT:
            values = {"share": number(foreign, Unit.PERCENT), "machines": machine.hosts, "ours": tuple(machine.ours)}
            yield Warning(Code.DISTURBED, host, values, invalid=foreign >= FOREIGN_PERCENT_INVALID)


def _not_watched(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect a service on the load host of an earlier version, which did not watch that machine."""
    if cell.load and cell.load_on_server and not (cell.server or cell.beside):
        yield Warning(Code.SERVICE_NOT_WATCHED, values={"case": "unknown", "address": cell.host})


def _emulated(cell: Cell, run: Run) -> Iterator[Warning]:
    named = {cell.host, *(other.host for other in cell.beside)}
    # A service that is not ours, at an address of the load host itself, is on none of the named machines.
    took_part = [machine for machine in run.machines if machine.name in named] or run.machines
    if names := tuple(machine.name for machine in took_part if machine.emulated):
        yield Warning(Code.EMULATED, names[0] if len(names) == 1 else "", {"machines": names}, invalid=True)


def _foreign_percent(machine: _Machine, cores: int) -> float:
    """Return the least share of the machine's CPU time that other programs used; 0 where it is not known."""
    if not (machine.ours and cores and machine.cpu.seconds):
        return 0.0
    ours = 100 * sum(machine.ours.values()) / machine.cpu.seconds / cores
    return 100 - machine.cpu.idle_percent - machine.cpu.steal_percent - machine.cpu.interrupt_percent - ours


DETECTORS: tuple[Detector, ...] = (_backlog, _no_idle_cpu, _cpus, _not_watched, _emulated)
