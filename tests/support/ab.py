"""Sessions of `./inv ab` without a machine: machines that count their boots, and a bench that makes up what it measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchrig import inventory as inventories
from benchrig.ab import start
from benchrig.ab.commits import Projects
from benchrig.ab.run import Task, measure
from benchrig.ab.start import Numbers, Words
from benchrig.bench.run import Outcome
from benchrig.bench.suite import BenchRequest, Plan
from benchrig.inventory import Inventory
from benchrig.machines.base import MachineStatus
from benchrig.results import store
from benchrig.results.model.session import Session
from tests.support import ROOT
from tests.support.reports import a_cell, a_load, a_run

REQUESTS = 90_000

Value = Callable[[int, str], float]
"""Returns the throughput of a side in a boot, as a multiple of the usual one."""


class Existing:
    """Machines that nobody can stop. Not real ones: they only count what is asked of them."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.done: list[str] = []

    def up(self, *, tell: bool = False) -> Inventory:
        self.done += ["up"] * (1 + tell)
        return self.inventory

    def status(self) -> tuple[MachineStatus, ...]:
        return ()

    def reach(self) -> Inventory:
        return self.inventory


class Stoppable(Existing):
    """Machines that can be stopped and started."""

    def work(self, verb: str) -> None:
        self.done.append(f"work {verb}")

    def down(self) -> None:
        self.done.append("down")

    def destroy(self) -> None:
        self.done.append("destroy")


class Saved(Stoppable):
    """Machines that have snapshots, too."""

    def snapshot(self) -> None:
        self.done.append("snapshot")

    def restore(self) -> Inventory:
        self.done.append("restore")
        return self.inventory


@dataclass
class Bench:
    """Stands in for `bench`: it stores a run with one made-up cell, and says when to stop or fail."""

    value: Value = lambda _boot, _side: 1.0
    fails: Callable[[str], str] = lambda _place: ""
    """Returns why the measurement of a place, such as `boot-1/1-A`, fails."""
    interrupts_at: int = 0
    """The measurement at which the user presses Ctrl-C; 0 for none."""
    sysctls: Mapping[str, str] = field(default_factory=lambda: {"net.core.somaxconn": "65535"})
    """Of the machine in each measurement, as its run records them."""
    places: list[str] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)

    def __call__(self, inventory: Inventory, _project: Path, plan: Plan, *, place: Path, warned: bool) -> Outcome:
        if len(self.places) + 1 == self.interrupts_at:
            self.interrupts_at = 0
            raise KeyboardInterrupt
        name = f"{place.parent.name}/{place.name}"
        self.places.append(name)
        assert warned == (len(self.places) > 1)
        self.servers.append(",".join(inventory.groups["servers"]))
        boot, side = place.parent.name, place.name[-1]
        requests = round(REQUESTS * self.value(int(boot.removeprefix("boot-")) if boot != "trial" else 0, side))
        reason = self.fails(name)
        cell = a_cell(plan.rows[0].name, load=a_load(requests), sleep_seconds=0.0)
        if reason:
            cell = replace(cell, status="failed", reason=reason, load=None)
        run = replace(a_run(plan.rows[0].name), name=place.name, servers=("lab1",))
        run = replace(run, machines=(replace(run.machines[0], sysctls=self.sysctls),))
        folder = store.create(place.parent, run.suite, place.name)
        store.write_run(folder, run)
        store.append(folder, cell)
        store.finish(folder, run)
        return Outcome(folder, run.name, None)


@dataclass(frozen=True)
class Sessions:
    """Makes sessions below a folder, of rows of this project."""

    root: Path
    """The folder that has `reports/`."""
    machines: Existing
    inventory: Inventory

    def begin(self, *variants: str, boots: int = 4, pairs: int = 2, seed: int = 7, vary: str = "") -> tuple[Task, Session]:
        """Return a session that was not measured yet, and what it works on."""
        words = Words(variants, (vary,) if vary else ())
        with Projects(ROOT) as projects:
            choices, setting = start.choices(ROOT, self.inventory, words, BenchRequest(duration="5s"), projects)
            session = start.begin(ROOT, self.inventory, self.machines, choices, Numbers(boots, pairs, seed))
        return Task(self.root, self.machines, choices, setting), session

    def measure(self, *variants: str, boots: int = 4, pairs: int = 2, vary: str = "") -> tuple[Path, Session]:
        """Begin a session and measure it."""
        return measure(*self.begin(*variants, boots=boots, pairs=pairs, vary=vary))


def sessions_in(folder: Path, kind: type[Existing] = Saved, inventory: str = "lab") -> Sessions:
    """Return what makes sessions below a folder."""
    hosts = inventories.read(inventory, ROOT)
    return Sessions(folder, kind(hosts), hosts)


def wave(boot: int, side: str) -> float:
    """Return values of boots that differ by some percent, of which both sides have the same."""
    return math.exp(0.03 * math.sin(2 * boot)) * (1.0 + (side == "B") * 0.0005 * math.cos(3 * boot))
