"""The audit: each doubt is raised when its figures say so, and not otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.results import audit
from benchrig.results.model import Cell, CpuShares, DatabaseLoad, Load, MachineLoad, Remark, Run
from tests.support.reports import GENERATOR, SERVER, a_cell, a_load, a_run, on_machines


def a_sound_cell(**changes: object) -> Cell:
    cell = a_cell(load=slow(a_load(50_000), mean_ms=200.0), server=SERVER)
    return replace(cell, **changes)


def slow(load: Load, mean_ms: float, max_ms: float = 300.0) -> Load:
    return replace(load, latency=replace(load.latency, mean_us=mean_ms * 1e3, max_us=max_ms * 1e3))


RUN = a_run()


def found(cell: Cell, run: Run = RUN) -> dict[str, Remark]:
    return {remark.code: remark for remark in audit.remarks(cell, run)}


def test_a_sound_cell_has_no_remarks() -> None:
    assert found(a_sound_cell()) == {}


def test_a_cell_that_was_not_measured_has_no_remarks() -> None:
    assert audit.remarks(replace(a_cell(), status="failed", load=None), RUN) == ()


def test_replies_past_the_timeout_are_counted() -> None:
    remarks = found(a_sound_cell(load=slow(a_load(50_000, timeout=40), mean_ms=200.0)))
    assert remarks["timeouts"].text == "40 of 50000 replies came after the timeout of 10 s"
    assert not remarks["latency_clipped"].invalid


def test_latency_is_invalid_when_one_reply_in_a_hundred_is_late() -> None:
    remarks = found(a_sound_cell(load=slow(a_load(50_000, timeout=500), mean_ms=200.0)))
    assert remarks["latency_clipped"].invalid


def test_a_maximum_at_the_timeout_is_a_clipped_one() -> None:
    remarks = found(a_sound_cell(timeout_seconds=2.0, load=slow(a_load(50_000), mean_ms=200.0, max_ms=1_990.0)))
    assert "clipped at the timeout of 2 s" in remarks["latency_clipped"].text


@pytest.mark.parametrize(("requests", "at_ceiling"), [(94_900, False), (95_000, True), (100_000, True)])
def test_throughput_near_connections_over_sleep_is_a_ceiling(requests: int, at_ceiling: bool) -> None:
    assert ("ceiling" in found(a_cell(load=a_load(requests), server=SERVER))) == at_ceiling


@pytest.mark.parametrize(("requests", "wrong"), [(109_000, False), (111_000, True), (300_000, True)])
def test_throughput_well_above_connections_over_sleep_says_that_the_sleep_is_wrong(requests: int, wrong: bool) -> None:
    remarks = found(a_cell(load=a_load(requests), server=SERVER))
    assert ("sleep_wrong" in remarks, "ceiling" in remarks) == (wrong, not wrong)
    if wrong:
        assert remarks["sleep_wrong"].text.endswith("(20000): 'sleep_seconds' in app.yml is wrong")


def test_an_app_that_does_not_wait_has_no_ceiling() -> None:
    assert found(a_cell(load=a_load(100_000), server=SERVER, sleep_seconds=0.0)) == {}


@pytest.mark.parametrize(("mean_ms", "contradicts"), [(149.0, True), (151.0, False), (249.0, False), (251.0, True)])
def test_the_mean_must_be_connections_over_throughput(mean_ms: float, contradicts: bool) -> None:
    assert ("littles_law" in found(a_sound_cell(load=slow(a_load(50_000), mean_ms)))) == contradicts


@pytest.mark.parametrize(("seconds", "contradicts"), [(29.9, False), (30.0, True)])
def test_a_long_run_is_held_to_littles_law_more_closely(seconds: float, contradicts: bool) -> None:
    cell = a_sound_cell(load=slow(a_load(50_000), mean_ms=188.0), duration_seconds=seconds)
    assert ("littles_law" in found(cell)) == contradicts


@pytest.mark.parametrize(("mean_ms", "told"), [(20.0, "20 ms is too low"), (500.0, "500 ms is too high")])
def test_how_far_a_mean_is_from_littles_law_is_told_as_a_factor(mean_ms: float, told: str) -> None:
    text = found(a_sound_cell(load=slow(a_load(50_000), mean_ms)))["littles_law"].text
    factor = f"{mean_ms / 200:.2f} times what 2000 connections at 10000 requests/s mean"
    assert text == f"mean latency {told} for Little's law: {factor}"


def test_connections_that_idle_on_purpose_are_not_held_to_littles_law() -> None:
    load = slow(a_load(50_000), mean_ms=20.0)
    assert found(a_sound_cell(load=replace(load, pauses=True))) == {}


def test_connections_that_never_got_a_reply_are_told() -> None:
    text = found(a_sound_cell(load=slow(a_load(47), mean_ms=1_900.0)))["unanswered"].text
    assert text.startswith("at least 1953 of 2000 connections never got a reply")


@pytest.mark.parametrize(("cores", "threads", "saturated"), [(1, 4, True), (4, 1, True), (2, 4, False)])
def test_the_generator_is_held_against_the_cores_it_can_use(cores: int, threads: int, saturated: bool) -> None:
    busy = replace(GENERATOR, wall_seconds=5.0, cpu_seconds=4.9)
    remarks = found(a_sound_cell(generator=busy, cores=cores, threads=threads, load_on_server=False))
    assert ("generator_saturated" in remarks) == saturated
    assert all(remark.invalid for remark in remarks.values())


def test_figures_of_an_emulated_machine_are_invalid() -> None:
    server, other = replace(RUN.machines[0], emulated=True), replace(RUN.machines[0], name="other")
    remark = found(a_sound_cell(), replace(RUN, machines=(server, other)))["emulated"]
    assert remark == Remark("emulated", "lab1 is emulated: its figures mean nothing for any real machine", invalid=True)


def test_an_emulated_machine_that_had_no_part_in_a_cell_does_not_make_it_invalid() -> None:
    other = replace(RUN.machines[0], name="other", emulated=True)
    assert "emulated" not in found(a_sound_cell(), replace(RUN, machines=(*RUN.machines, other)))


def test_a_service_that_is_not_ours_on_the_emulated_machine_that_loads_it_has_invalid_figures() -> None:
    cell = a_sound_cell(host="127.0.0.1:81", server=None)
    emulated = replace(RUN, machines=(replace(RUN.machines[0], emulated=True),))
    assert found(cell, emulated)["emulated"].invalid
    assert "emulated" not in found(cell)


def test_an_overflowing_backlog_is_counted() -> None:
    assert "overflowed 13 times" in found(a_sound_cell(server=replace(SERVER, listen_overflows=13)))["listen_backlog"].text


def test_stolen_cpu_time_makes_a_row_invalid() -> None:
    assert found(a_sound_cell(server=replace(SERVER, machine_steal_percent=7.0)))["steal"].invalid


def test_a_full_machine_is_told_only_where_the_load_shares_it() -> None:
    full = replace(SERVER, machine_idle_percent=0.5, cpu_percent=180.0)
    assert "no_idle_cpu" in found(a_sound_cell(server=full))
    assert "no_idle_cpu" not in found(a_sound_cell(server=full, load_on_server=False))


def test_cpu_time_of_other_programs_is_told() -> None:
    text = found(a_sound_cell(server=replace(SERVER, machine_idle_percent=30.0)))["disturbed"].text
    assert text == "something else used 31 % of the CPU time, neither the app nor the load generator"


@pytest.mark.parametrize(("idle", "told"), [(51.5, []), (50.5, [False]), (36.5, [False]), (35.5, [True]), (0.5, [True])])
def test_from_a_quarter_of_the_cpu_time_on_what_others_used_makes_a_row_invalid(idle: float, told: list[bool]) -> None:
    # Of two cores for 5 s, the app used 61.5 % of one and the load generator 0.4 s; interrupts took 4 %: 38.75 % together.
    remarks = found(a_sound_cell(server=replace(SERVER, machine_idle_percent=idle)))
    assert [remark.invalid for code, remark in remarks.items() if code == "disturbed"] == told


def stored(rows: int | None, cpu_seconds: float = 0.0, on_server: bool = True) -> DatabaseLoad:
    return DatabaseLoad(rows, sessions=20, commits=50_000, rollbacks=0, cpu_seconds=cpu_seconds, on_server=on_server)


def test_replies_that_said_yes_and_left_no_row_make_a_row_invalid() -> None:
    remark = found(a_sound_cell(database=stored(0)))["not_stored"]
    assert remark.invalid
    assert remark.text == "the database has 0 rows of 50,000 that replies said were stored"


@pytest.mark.parametrize(("rows", "told"), [(49_999, True), (50_000, False), (50_020, False), (None, False)])
def test_every_reply_must_have_left_its_row_and_more_may_have_been_under_way(rows: int | None, told: bool) -> None:
    assert ("not_stored" in found(a_sound_cell(database=stored(rows)))) == told


@pytest.mark.parametrize(("on_server", "told"), [(True, False), (False, True)])
def test_the_databases_cpu_time_is_not_that_of_other_programs(on_server: bool, told: bool) -> None:
    server = replace(SERVER, machine_idle_percent=30.0)
    cell = a_sound_cell(server=server, database=stored(None, cpu_seconds=2.5, on_server=on_server))
    assert ("disturbed" in found(cell, on_machines("existing", "lab1"))) == told


# Several machines: the server lab1, the load host load1, the database's machine db1.

THREE = ("lab1", "load1", "db1")
IDLE, BUSY = CpuShares(5.0, 95.0, 0.0, 1.0), CpuShares(5.0, 40.0, 0.0, 4.0)
STOLEN = CpuShares(5.0, 90.0, 7.0, 1.0)


def on_three(load_host: CpuShares = IDLE, store: CpuShares = IDLE, **changes: object) -> Cell:
    """Return a cell of three machines, of which the server was used by the app alone."""
    beside = (MachineLoad("load1", True, False, load_host), MachineLoad("db1", False, True, store))
    server = replace(SERVER, machine_idle_percent=65.0)
    ours = {"server": server, "database": stored(None, cpu_seconds=0.1, on_server=False)}
    return a_sound_cell(load_on_server=False, beside=beside, **{**ours, **changes})


EACH_ITS_OWN = on_machines("existing", *THREE)


def test_three_quiet_machines_have_no_remarks() -> None:
    assert found(on_three(), EACH_ITS_OWN) == {}


def test_stolen_cpu_time_makes_a_row_invalid_on_whichever_machine_it_was_and_names_it() -> None:
    for cell, host in ((on_three(load_host=STOLEN), "load1"), (on_three(store=STOLEN), "db1")):
        remark = found(cell, EACH_ITS_OWN)["steal"]
        assert (remark.text, remark.invalid) == (f"the hypervisor took 7 % of the CPU time of {host} (steal)", True)
    server = replace(SERVER, machine_idle_percent=65.0, machine_steal_percent=7.0)
    assert "of lab1 (steal)" in found(on_three(server=server), EACH_ITS_OWN)["steal"].text


def test_cpu_time_of_other_programs_is_told_on_whichever_machine_it_was_and_names_it() -> None:
    server = replace(SERVER, machine_idle_percent=30.0)
    # Of two cores for 5 s, the load generator used 0.4 s, the database 0.1 s, the app 61.5 % of one.
    for cell, text in (
        (on_three(load_host=BUSY), "something else used 52 % of the CPU time of load1, not the load generator"),
        (on_three(store=BUSY), "something else used 55 % of the CPU time of db1, not the database"),
        (on_three(server=server), "something else used 35 % of the CPU time of lab1, not the app"),
    ):
        remark = found(cell, EACH_ITS_OWN)["disturbed"]
        assert (remark.text, remark.invalid) == (text, True)


def test_what_a_machine_ran_for_the_row_does_not_disturb_it() -> None:
    working = replace(GENERATOR, cpu_seconds=5.2)
    assert "disturbed" not in found(on_three(load_host=BUSY, generator=working), EACH_ITS_OWN)
    busy_database = stored(None, cpu_seconds=5.2, on_server=False)
    assert "disturbed" not in found(replace(on_three(store=BUSY), database=busy_database), EACH_ITS_OWN)


def test_a_load_host_that_keeps_the_data_has_the_work_of_both() -> None:
    both = (MachineLoad("load1", True, True, BUSY),)
    database = stored(None, cpu_seconds=2.0, on_server=False)
    text = found(replace(on_three(), beside=both, database=database), EACH_ITS_OWN)["disturbed"].text
    assert text == "something else used 32 % of the CPU time of load1, neither the database nor the load generator"


def test_machines_of_the_lab_are_one_computer_whose_cpus_each_of_them_sees() -> None:
    lab = on_machines("lab", *THREE)
    # Each sees 56 % in use; app, load generator and database together used as much.
    server = replace(SERVER, machine_idle_percent=40.0)
    busy = replace(GENERATOR, cpu_seconds=1.5)
    quiet = on_three(BUSY, BUSY, server=server, generator=busy, database=stored(None, 1.0, on_server=False))
    assert found(quiet, lab) == {}
    idle = replace(quiet, generator=GENERATOR)
    told = found(idle, lab)["disturbed"].text
    shared = "of the CPU time that lab1, load1 and db1 share, neither the app, the database nor the load generator"
    assert told == f"something else used 11 % {shared}"


def test_a_load_host_is_watched_for_a_service_that_is_not_ours() -> None:
    cell = a_sound_cell(host="10.0.0.9:81", server=None, load_on_server=False)
    beside = (MachineLoad("load1", True, False, BUSY),)
    assert "52 % of the CPU time of load1" in found(replace(cell, beside=beside), EACH_ITS_OWN)["disturbed"].text
    # In the lab the service may be what is seen.
    assert found(replace(cell, beside=beside), on_machines("lab", "load1")) == {}


def test_runs_from_before_load_hosts_were_watched_are_judged_by_what_they_have() -> None:
    old = replace(on_three(), beside=())
    assert found(old, EACH_ITS_OWN) == found(old, on_machines("lab", *THREE)) == {}
    busy = replace(SERVER, machine_idle_percent=30.0)
    assert "35 % of the CPU time of lab1" in found(replace(old, server=busy), EACH_ITS_OWN)["disturbed"].text


def test_broken_connections_are_counted() -> None:
    text = found(a_sound_cell(load=slow(a_load(50_000, read=114), mean_ms=200.0)))["connection_errors"].text
    assert text == "114 connections broke while reading"
