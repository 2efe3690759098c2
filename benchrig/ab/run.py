"""Measures a session: boot after boot, A and B in their random order, each measurement a stored run of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig import console
from benchrig.ab import analysis
from benchrig.ab.commits import PLAYBOOK
from benchrig.ab.variants import Choice
from benchrig.ab.varying import Setting
from benchrig.bench.run import bench
from benchrig.errors import BenchrigError, ResultsError
from benchrig.inventory import Inventory
from benchrig.machines.base import Machines, begin, lifecycle, snapshots
from benchrig.results import sessions, store
from benchrig.results.lock import RunLock
from benchrig.results.model import Cell, Machine
from benchrig.results.model.session import Session, Side, Variant
from benchrig.units import about

TRIAL = "trial"
"""The folder of the measurements before the first boot, which are not counted."""


@dataclass(frozen=True)
class Task:
    """What a session works on."""

    root: Path
    """The project's folder."""
    machines: Machines
    choices: Mapping[Side, Choice]
    setting: Setting | None


def measure(task: Task, session: Session, folder: Path | None = None) -> tuple[Path, Session]:
    """Measure a session, or what one that has begun in `folder` lacks; return its folder and its record.

    However it ends, what was measured is stored. Raises what `bench` raises; BenchrigError when a variant cannot be measured
    in its first attempt; MachineError when the machines cannot be booted.
    """
    lock = RunLock(folder) if folder else None
    inventory = begin(task.machines, "bench")
    if folder is None:
        folder = sessions.create(task.root / "reports", session.a.row)
        session = replace(session, name=folder.name, started_at=store.now())
        sessions.write(folder, session)
        lock = RunLock(folder)
    work = _Work(task, folder, session)
    try:
        work.run(inventory)
    except (KeyboardInterrupt, BenchrigError):
        work.tell_left()
        raise
    finally:
        if lock:
            lock.release()
    return folder, work.session


class _Work:
    """A session while it is measured."""

    def __init__(self, task: Task, folder: Path, session: Session) -> None:
        self.session = session
        self._task = task
        self._folder = folder
        self._warned = False
        self._seen: set[Side] = {one.side for one in self._measured() if one.cell.status == "measured"}
        """The sides that were measured, so that a later failure is chance."""

    def run(self, inventory: Inventory) -> None:
        """Prepare the machines if that was not done, and measure every boot that is not complete."""
        if not self.session.prepared:
            self._prepare(inventory)
        every = range(1, self.session.boots + 1)
        left = [boot for boot in every if not sessions.is_complete(self._folder, self.session, boot)]
        began = time.monotonic()
        for done, boot in enumerate(left):
            if sessions.set_aside(self._folder, boot):
                console.line(
                    f"boot {boot} did not come to its end: it is measured again, and what it has is kept, not counted"
                )
            remaining = f"; about {about((time.monotonic() - began) / done * (len(left) - done))} left" if done else ""
            console.line(f"boot {boot} of {self.session.boots}{remaining}")
            self._boot(boot)
        self._put_back()
        finished = sessions.finished(self.session)
        self._write(replace(finished, spreads=analysis.spreads(self._measured()) if finished.tells_boots else ()))

    def tell_left(self) -> None:
        """Say what an interrupted session has, and how to go on. One that has nothing leaves nothing."""
        console.status("")
        name, count = self._folder.name, len(self._measured())
        if not any(self._folder.glob(f"*/*/{store.RUN}")):
            shutil.rmtree(self._folder, ignore_errors=True)
            console.line("nothing was measured, so nothing is stored")
            return
        planned = 2 * self.session.settings.repeats * self.session.boots
        made = f"{count} of {planned} measurements made"
        console.line(f"{made}; to see them: ./inv ab --show {name}; to go on: ./inv ab --resume {name}")
        if self.session.a.variable:
            console.line(f"{self.session.a.variable} may be set still; ./inv provision puts it back")

    def _measured(self) -> tuple[sessions.Measured, ...]:
        return sessions.measurements(self._folder, self.session)

    def _write(self, session: Session) -> None:
        self.session = session
        sessions.write(self._folder, session)

    def _prepare(self, inventory: Inventory) -> None:
        """Measure each variant once, which deploys it and shows that it can be measured; then save the machines' state."""
        console.line("each variant is measured once before the first boot; that is not counted")
        # Two values of a setting have the same files.
        sides: tuple[Side, ...] = ("A",) if self.session.is_same or self._task.setting else ("A", "B")
        machines: dict[str, Machine] = {}
        for side in sides:
            place = self._folder / TRIAL / side
            shutil.rmtree(place, ignore_errors=True)
            _, found = self._bench(side, inventory, place)
            machines |= {machine.name: machine for machine in found}
        if self._task.setting and not any([self._set("A", inventory), self._set("B", inventory)]):
            a, b = self.session.a, self.session.b
            raise BenchrigError(
                f"setting {a.variable} to {a.value} and to {b.value} changed nothing on the machines: they do not take it",
                "The two would be the same. Take values that the machines can have.",
            )
        if self.session.boot_by == "restore":
            console.line("the machines' state is saved, in place of a former snapshot")
            snapshots(self._task.machines, "saved").snapshot()
        self._write(replace(self.session, prepared=True, machines=tuple(machines.values())))

    def _boot(self, boot: int) -> None:
        """Boot the machines, and measure all pairs of a boot."""
        inventory = self._booted()
        for pair, side in sessions.turns(self.session, boot):
            if self._task.setting:
                self._set(side, inventory)
            place = sessions.boot_folder(self._folder, boot) / f"{pair}-{side}"
            cell, machines = self._bench(side, inventory, place)
            _see_in_force(self._task.choices[side].variant, cell, machines)
            if cell.status == "measured":
                self._seen.add(side)

    def _booted(self) -> Inventory:
        machines = self._task.machines
        match self.session.boot_by:
            case "restore":
                return snapshots(machines, "restored").restore()
            case "reboot":
                lifecycle(machines, "stopped").down()
                return machines.up()
            case _:
                return machines.reach()

    def _bench(self, side: Side, inventory: Inventory, place: Path) -> tuple[Cell, tuple[Machine, ...]]:
        """Measure a variant once; return its cell and its machines. Raises BenchrigError when it never could be measured."""
        choice = self._task.choices[side]
        outcome = bench(choice.on(inventory), choice.project, choice.plan, place=place, warned=self._warned)
        self._warned = True
        if isinstance(outcome.failure, ResultsError):
            raise outcome.failure
        run, cells = store.read(outcome.folder)
        if cells[-1].status != "measured" and side not in self._seen:
            raise BenchrigError(f"{side}, {choice.variant.named}, cannot be measured: {cells[-1].reason}")
        return cells[-1], run.machines

    def _set(self, side: Side, inventory: Inventory) -> bool:
        """Set a variant's role variable; return whether that changed anything on a machine. Raises ProvisionError."""
        return self._provision(inventory, self._task.choices[side].variables)

    def _put_back(self) -> None:
        """Set a varied role variable to the value that it has without a session."""
        if self._task.setting:
            self._provision(self._task.machines.reach(), {})

    def _provision(self, inventory: Inventory, variables: Mapping[str, object]) -> bool:
        # Late, because most sessions vary no setting.
        from benchrig.provision import prepare, provision

        setting = self._task.setting
        prepared = prepare(
            inventory,
            self._task.root / PLAYBOOK,
            tags=setting.roles if setting else (),
            extra_vars={**variables, "app_only": self._apps()},
        )
        return any(recap.changed for recap in provision(inventory, prepared))

    def _apps(self) -> list[str]:
        """Return the apps that the role `app` is to deploy, where it has a part in the setting."""
        return [app.name for app in self._task.choices["A"].plan.apps if app.is_ours]


def _see_in_force(variant: Variant, cell: Cell, machines: Sequence[Machine]) -> None:
    """Raise BenchrigError where a measurement recorded another value of its setting than the one that was set."""
    server = next((machine for machine in machines if machine.name == cell.host), None)
    recorded = {
        "tuning_somaxconn": server.sysctls.get("net.core.somaxconn", "") if server else "",
        "app_nofile": str(cell.server_open_files or ""),
    }
    found = recorded.get(variant.variable, "")
    if found and int(variant.value) and found != str(int(variant.value)):
        raise BenchrigError(
            f"{variant.variable} was set to {variant.value}, but {cell.host} had {found} in the measurement",
            "Take values that the machine can have, or machines that can be set.",
        )
