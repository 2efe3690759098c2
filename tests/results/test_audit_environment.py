"""Warnings about what the kernel held back: detected from the values, and silent without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell, CpuShares, MachineLoad, Run, Throttle
from benchrig.results.warnings import Warning
from tests.support.reports import SERVER, a_cell, a_run, on_machines

ONE = on_machines("existing", "lab1")


def found(cell: Cell, run: Run = ONE) -> dict[Code, Warning]:
    return {
        warning.code: warning
        for warning in audit.warnings(cell, run)
        if warning.code in (Code.THROTTLED, Code.MEMORY_PRESSURE)
    }


def held(group: str, seconds: float = 1.5, *, load_on_server: bool = True) -> Cell:
    server = replace(SERVER, throttled={group: Throttle(30, seconds)})
    return a_cell(server=server, load_on_server=load_on_server)


@pytest.mark.parametrize(
    ("group", "load_on_server", "invalid"),
    [
        ("/system.slice/benchrig-go.service", True, False),
        ("/benchrig.slice/benchrigd.service", True, True),
        ("/", True, True),
        ("/", False, False),
    ],
)
def test_a_quota_that_holds_up_the_load_generator_makes_the_row_invalid(
    group: str, load_on_server: bool, invalid: bool
) -> None:
    warning = found(held(group, load_on_server=load_on_server))[Code.THROTTLED]
    assert warning.invalid == invalid
    assert f"control group {group} of lab1 used up its quota of CPU time 30 times and was held up for 1.5 s." in sentence(
        warning
    )


@pytest.mark.parametrize(("seconds", "warned"), [(0.049, False), (0.05, True)])
def test_a_quota_that_was_hardly_reached_is_none(seconds: float, warned: bool) -> None:
    assert (Code.THROTTLED in found(held("/system.slice", seconds))) == warned


def test_the_load_hosts_quota_is_told_of_the_load_host() -> None:
    cpu = CpuShares(5.0, 50.0, 0.0, 0.0, throttled={"/": Throttle(10, 1.0)})
    cell = a_cell(load_on_server=False, beside=(MachineLoad("gen1", generator=True, database=False, cpu=cpu),))
    warning = found(cell, on_machines("existing", "lab1", "gen1"))[Code.THROTTLED]
    assert (warning.host, warning.invalid) == ("gen1", True)


@pytest.mark.parametrize(("percent", "warned"), [(4.9, False), (5.0, True)])
def test_waiting_for_memory_is_told(percent: float, warned: bool) -> None:
    cell = a_cell(server=replace(SERVER, pressure={"memory": percent, "cpu": 99.0, "io": 80.0}))
    warnings = found(cell)
    assert (Code.MEMORY_PRESSURE in warnings) == warned
    if warned:
        assert sentence(warnings[Code.MEMORY_PRESSURE]) == "Programs on lab1 waited for memory in 5 % of the time."


def test_containers_on_one_kernel_wait_for_the_same_memory() -> None:
    cpu = CpuShares(5.0, 50.0, 0.0, 0.0, pressure={"memory": 50.0})
    beside = (MachineLoad("lab2", generator=True, database=False, cpu=cpu),)
    cell = a_cell(server=replace(SERVER, pressure={"memory": 50.0}), load_on_server=False, beside=beside)
    warnings = audit.warnings(cell, on_machines("lab", "lab1", "lab2"))
    assert [one.host for one in warnings if one.code is Code.MEMORY_PRESSURE] == ["lab1"]


def test_a_run_of_an_earlier_version_has_no_such_warning() -> None:
    assert found(a_cell(), a_run()) == {}
