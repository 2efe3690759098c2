"""`--pin`: which programs share a machine, and what is asked of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from benchrig.agent.bench import protocol
from benchrig.bench import pinning
from benchrig.bench.cell import measure
from benchrig.bench.host import AgentHost, Hosts, Pair
from benchrig.bench.pinning import Pins
from benchrig.report.describe import sharing_lines
from benchrig.report.table import make
from tests.support.cell import PLAN, REVIEW, ROW, STORED, RecordingHost, topology
from tests.support.reports import SERVER, a_cell, a_run


class Machine:
    """A machine with some CPUs, one for each program at most."""

    def __init__(self, name: str, cpus: int) -> None:
        self.name = name
        self.cpus = cpus
        self.asked: list[tuple[str, ...]] = []

    def ask(self, operation: protocol.FindCpuParts) -> protocol.CpuParts:
        self.asked.append(operation.parts)
        enough = len(operation.parts) <= self.cpus
        return protocol.CpuParts({part: str(cpu) for cpu, part in enumerate(operation.parts)} if enough else {})


def _hosts(server: Machine, generator: Machine, database: Machine | None = None) -> Hosts:
    one, other, third = (cast(AgentHost, machine) for machine in (server, generator, database))
    return Hosts((Pair(one, other),), third)


def test_programs_on_one_machine_are_kept_apart() -> None:
    machine = Machine("one", 4)
    (pins,) = pinning.find(_hosts(machine, machine, machine), has_app=True, shares_kernel=False)
    assert pins == Pins("0", "1", "2")
    assert pinning.of_machines(_hosts(machine, machine, machine), [pins]) == {
        "one": {"app": "0", "database": "1", "load generator": "2"}
    }


def test_a_machine_with_one_program_or_too_few_cores_is_left_alone_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    server, generator = Machine("server", 1), Machine("loadgen", 8)
    (pins,) = pinning.find(_hosts(server, generator, server), has_app=True, shares_kernel=False)
    assert pins.named == {}
    assert generator.asked == []
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "server: nothing is pinned: app, database need a core each, and it has fewer",
        "loadgen: nothing is pinned: of server, database and load generator, only the load generator runs there",
    ]


def test_machines_that_share_a_kernel_share_its_cores() -> None:
    server, generator = Machine("server", 4), Machine("loadgen", 4)
    (pins,) = pinning.find(_hosts(server, generator), has_app=True, shares_kernel=True)
    assert (pins.app, pins.generator) == ("0", "1")
    assert pinning.of_machines(_hosts(server, generator), [pins]) == {
        "server": {"app": "0"},
        "loadgen": {"load generator": "1"},
    }


def test_a_cell_asks_for_the_cpus_of_each_program_and_says_which_they_were() -> None:
    host = RecordingHost("both", [], Fetch=STORED, PinDatabase=protocol.Done())
    pinned = replace(topology(REVIEW, host, host, host), pins=Pins("0-1", "2", "3"))
    cell = measure(pinned, PLAN, REVIEW, 1, lambda _: None).cell
    asked: dict[type, Any] = {type(operation): operation for operation in host.operations}
    assert asked[protocol.Start].cpus == "0-1"
    assert asked[protocol.PinDatabase].cpus == "2"
    assert asked[protocol.RunLoad].cpus == "3"
    assert cell.pinned == {"app": "0-1", "database": "2", "load generator": "3"}


def test_a_report_says_whose_figures_they_are() -> None:
    run = a_run("go-2000")
    (line,) = sharing_lines(make(run, (a_cell(server=SERVER),)))
    assert line.startswith("server and load generator shared their CPUs: each figure is one of both.")
    assert line.endswith("or --pin where there are cores enough")
    (line,) = sharing_lines(make(run, (a_cell(host="127.0.0.1:81", server=None),)))
    assert line.endswith("Another load host separates them")
    pinned = {"app": "0", "load generator": "1"}
    run = replace(run, machines=(replace(run.machines[0], pinned=pinned),))
    table = make(run, (a_cell(server=SERVER, pinned=pinned),))
    assert sharing_lines(table) == ("CPUs of lab1: app on 0, load generator on 1",)


def test_without_pins_no_cpus_are_asked_for() -> None:
    host = RecordingHost("both", [])
    cell = measure(topology(ROW, host, host, None), PLAN, ROW, 1, lambda _: None).cell
    assert not any(getattr(operation, "cpus", "") for operation in host.operations)
    assert cell.pinned == {}
