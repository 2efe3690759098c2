"""The audit: each warning is detected when the values say so, and not otherwise; each has its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell, CpuShares, DatabaseLoad, MachineLoad, Network, Part, Run, Throttle
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import Number, Unit, Warning, number, over_repeats
from tests.support import caused_answers, caused_connections, caused_repeats
from tests.support.audits import RUN, a_sound_cell, found, slow, stalling
from tests.support.reports import GENERATOR, OF_TEXTS, SERVER, a_cell, a_load, on_machines
from tests.support.series import a_cell_of, flat, ramped


def said(code: Code, cell: Cell, run: Run = RUN) -> str:
    """Return the sentence of the warning that a cell must have."""
    return sentence(found(cell, run)[code])


def test_a_sound_cell_has_no_warnings() -> None:
    assert found(a_sound_cell()) == {}


def test_a_cell_that_was_not_measured_has_no_warnings() -> None:
    assert audit.warnings(replace(a_cell(), status="failed", load=None), RUN) == ()


def test_replies_past_the_timeout_are_counted() -> None:
    warnings = found(a_sound_cell(load=slow(a_load(50_000, timeout=40), mean_ms=200.0)))
    assert sentence(warnings[Code.TIMEOUTS]) == "40 of 50,000 replies came after the timeout of 10 s."
    assert not warnings[Code.LATENCY_CLIPPED].invalid


def test_latency_is_invalid_when_one_reply_in_a_hundred_is_late() -> None:
    warnings = found(a_sound_cell(load=slow(a_load(50_000, timeout=500), mean_ms=200.0)))
    assert warnings[Code.LATENCY_CLIPPED].invalid


def test_a_maximum_at_the_timeout_is_a_clipped_one() -> None:
    warnings = found(a_sound_cell(timeout_seconds=2.0, load=slow(a_load(50_000), mean_ms=200.0, max_ms=1_990.0)))
    assert "cut off at the timeout of 2 s" in sentence(warnings[Code.LATENCY_CLIPPED])


@pytest.mark.parametrize(("requests", "at_ceiling"), [(94_900, False), (95_000, True), (100_000, True)])
def test_throughput_near_connections_over_sleep_is_a_ceiling(requests: int, at_ceiling: bool) -> None:
    assert (Code.CEILING in found(a_cell(load=a_load(requests), server=SERVER))) == at_ceiling


@pytest.mark.parametrize(("requests", "wrong"), [(109_000, False), (111_000, True), (300_000, True)])
def test_throughput_well_above_connections_over_sleep_says_that_the_sleep_is_wrong(requests: int, wrong: bool) -> None:
    warnings = found(a_cell(load=a_load(requests), server=SERVER))
    assert (Code.SLEEP_WRONG in warnings, Code.CEILING in warnings) == (wrong, not wrong)
    if wrong:
        allowed = "2,000 connections with 0.1 s of waiting per request allow 20,000 requests/s"
        assert sentence(warnings[Code.SLEEP_WRONG]).startswith(f"'sleep_seconds' in app.yml is wrong: {allowed}, but ")


def test_an_app_that_does_not_wait_has_no_ceiling() -> None:
    assert found(a_cell(load=a_load(100_000), server=SERVER, sleep_seconds=0.0)) == {}


@pytest.mark.parametrize(
    ("mean_ms", "expected"),
    [
        (
            20.0,
            "Mean latency is understated: Little's law predicts 10 times as much. "
            "Slow or unanswered connections are missing from it.",
        ),
        (
            500.0,
            "Mean latency is overstated: it is 2.5 times what Little's law predicts. "
            "The load generator's correction adds latencies of requests that were never sent.",
        ),
    ],
)
def test_a_mean_that_contradicts_littles_law_says_how_far_off_it_is(mean_ms: float, expected: str) -> None:
    load = replace(slow(a_load(50_000), mean_ms, max_ms=600.0), measured=None)
    assert said(Code.LITTLES_LAW, a_sound_cell(load=load)) == expected


def test_connections_that_idle_on_purpose_are_not_held_to_littles_law() -> None:
    load = slow(a_load(50_000), mean_ms=20.0)
    assert found(a_sound_cell(load=replace(load, pauses=True))) == {}


def test_connections_that_never_got_a_reply_are_told() -> None:
    text = said(Code.UNANSWERED, a_sound_cell(load=slow(a_load(47), mean_ms=1_900.0)))
    assert text.startswith("At least 1,953 of 2,000 connections never got a reply.")


@pytest.mark.parametrize(("cores", "threads", "saturated"), [(1, 4, True), (4, 1, True), (2, 4, False)])
def test_the_generator_is_held_against_the_cores_it_can_use(cores: int, threads: int, saturated: bool) -> None:
    busy = replace(GENERATOR, wall_seconds=5.0, cpu_seconds=4.9)
    warnings = found(a_sound_cell(generator=busy, cores=cores, threads=threads, load_on_server=False))
    assert (Code.GENERATOR_SATURATED in warnings) == saturated
    assert all(warning.invalid for warning in warnings.values())


def test_figures_of_an_emulated_machine_are_invalid() -> None:
    server, other = replace(RUN.machines[0], emulated=True), replace(RUN.machines[0], name="other")
    warning = found(a_sound_cell(), replace(RUN, machines=(server, other)))[Code.EMULATED]
    assert warning == Warning(Code.EMULATED, "lab1", {"machines": ("lab1",)}, invalid=True)
    assert sentence(warning) == ("The values say nothing about real hardware, because these machines are emulated: lab1.")


def test_an_emulated_machine_that_had_no_part_in_a_cell_does_not_make_it_invalid() -> None:
    other = replace(RUN.machines[0], name="other", emulated=True)
    assert Code.EMULATED not in found(a_sound_cell(), replace(RUN, machines=(*RUN.machines, other)))


def test_a_service_that_is_not_ours_on_the_emulated_machine_that_loads_it_has_invalid_figures() -> None:
    cell = a_sound_cell(host="127.0.0.1:81", server=None)
    emulated = replace(RUN, machines=(replace(RUN.machines[0], emulated=True),))
    assert found(cell, emulated)[Code.EMULATED].invalid
    assert Code.EMULATED not in found(cell)


def test_an_overflowing_backlog_is_counted() -> None:
    assert "overflowed 13 times" in said(Code.LISTEN_BACKLOG, a_sound_cell(server=replace(SERVER, listen_overflows=13)))


def test_stolen_cpu_time_makes_a_row_invalid() -> None:
    assert found(a_sound_cell(server=replace(SERVER, machine_steal_percent=7.0)))[Code.STEAL].invalid


def test_a_full_machine_is_told_only_where_the_load_shares_it() -> None:
    full = replace(SERVER, machine_idle_percent=0.5, cpu_percent=180.0)
    assert Code.NO_IDLE_CPU in found(a_sound_cell(server=full))
    assert Code.NO_IDLE_CPU not in found(a_sound_cell(server=full, load_on_server=False))


def test_cpu_time_of_other_programs_is_told() -> None:
    text = said(Code.DISTURBED, a_sound_cell(server=replace(SERVER, machine_idle_percent=30.0)))
    assert text == "Something other than the app or the load generator used 31 % of the CPU time of lab1."


@pytest.mark.parametrize(("idle", "told"), [(51.5, []), (50.5, [False]), (36.5, [False]), (35.5, [True]), (0.5, [True])])
def test_from_a_quarter_of_the_cpu_time_on_what_others_used_makes_a_row_invalid(idle: float, told: list[bool]) -> None:
    # Of two cores for 5 s, the app used 61.5 % of one and the load generator 0.4 s; interrupts took 4 %: 38.75 % together.
    warnings = found(a_sound_cell(server=replace(SERVER, machine_idle_percent=idle)))
    assert [warning.invalid for code, warning in warnings.items() if code == Code.DISTURBED] == told


def stored(rows: int | None, cpu_seconds: float = 0.0, on_server: bool = True) -> DatabaseLoad:
    return DatabaseLoad(rows, sessions=20, commits=50_000, rollbacks=0, cpu_seconds=cpu_seconds, on_server=on_server)


def test_replies_that_said_yes_and_left_no_row_make_a_row_invalid() -> None:
    warning = found(a_sound_cell(database=stored(0)))[Code.NOT_STORED]
    assert warning.invalid
    assert sentence(warning) == "The database stored 0 of 50,000 rows that replies confirmed."


@pytest.mark.parametrize(("rows", "told"), [(49_999, True), (50_000, False), (50_020, False), (None, False)])
def test_every_reply_must_have_left_its_row_and_more_may_have_been_under_way(rows: int | None, told: bool) -> None:
    assert (Code.NOT_STORED in found(a_sound_cell(database=stored(rows)))) == told


@pytest.mark.parametrize(("on_server", "told"), [(True, False), (False, True)])
def test_the_databases_cpu_time_is_not_that_of_other_programs(on_server: bool, told: bool) -> None:
    server = replace(SERVER, machine_idle_percent=30.0)
    cell = a_sound_cell(server=server, database=stored(None, cpu_seconds=2.5, on_server=on_server))
    assert (Code.DISTURBED in found(cell, on_machines("existing", "lab1"))) == told


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


def test_three_quiet_machines_have_no_warnings() -> None:
    assert found(on_three(), EACH_ITS_OWN) == {}


def test_stolen_cpu_time_makes_a_row_invalid_on_whichever_machine_it_was_and_names_it() -> None:
    for cell, host in ((on_three(load_host=STOLEN), "load1"), (on_three(store=STOLEN), "db1")):
        warning = found(cell, EACH_ITS_OWN)[Code.STEAL]
        assert (sentence(warning), warning.host) == (f"The hypervisor took 7 % of the CPU time of {host} (steal).", host)
        assert warning.invalid
    server = replace(SERVER, machine_idle_percent=65.0, machine_steal_percent=7.0)
    assert "of lab1 (steal)" in said(Code.STEAL, on_three(server=server), EACH_ITS_OWN)


def test_cpu_time_of_other_programs_is_told_on_whichever_machine_it_was_and_names_it() -> None:
    server = replace(SERVER, machine_idle_percent=30.0)
    # Of two cores for 5 s, the load generator used 0.4 s, the database 0.1 s, the app 61.5 % of one.
    for cell, text in (
        (on_three(load_host=BUSY), "Something other than the load generator used 52 % of the CPU time of load1."),
        (on_three(store=BUSY), "Something other than the database used 55 % of the CPU time of db1."),
        (on_three(server=server), "Something other than the app used 35 % of the CPU time of lab1."),
    ):
        warning = found(cell, EACH_ITS_OWN)[Code.DISTURBED]
        assert (sentence(warning), warning.invalid) == (text, True)


def test_what_a_machine_ran_for_the_row_does_not_disturb_it() -> None:
    working = replace(GENERATOR, cpu_seconds=5.2)
    assert Code.DISTURBED not in found(on_three(load_host=BUSY, generator=working), EACH_ITS_OWN)
    busy_database = stored(None, cpu_seconds=5.2, on_server=False)
    assert Code.DISTURBED not in found(replace(on_three(store=BUSY), database=busy_database), EACH_ITS_OWN)


def test_a_load_host_that_keeps_the_data_has_the_work_of_both() -> None:
    both = (MachineLoad("load1", True, True, BUSY),)
    database = stored(None, cpu_seconds=2.0, on_server=False)
    text = said(Code.DISTURBED, replace(on_three(), beside=both, database=database), EACH_ITS_OWN)
    assert text == "Something other than the database or the load generator used 32 % of the CPU time of load1."


def test_machines_of_the_lab_are_one_computer_whose_cpus_each_of_them_sees() -> None:
    lab = on_machines("lab", *THREE)
    # Each sees 56 % in use; app, load generator and database together used as much.
    server = replace(SERVER, machine_idle_percent=40.0)
    busy = replace(GENERATOR, cpu_seconds=1.5)
    quiet = on_three(BUSY, BUSY, server=server, generator=busy, database=stored(None, 1.0, on_server=False))
    assert found(quiet, lab) == {}
    idle = replace(quiet, generator=GENERATOR)
    told = said(Code.DISTURBED, idle, lab)
    ours = "the app, the database or the load generator"
    assert told == f"Something other than {ours} used 11 % of the CPU time of lab1, load1 and db1."


def test_a_load_host_is_watched_for_a_service_that_is_not_ours() -> None:
    cell = a_sound_cell(host="10.0.0.9:81", server=None, load_on_server=False)
    beside = (MachineLoad("load1", True, False, BUSY),)
    assert "52 % of the CPU time of load1" in said(Code.DISTURBED, replace(cell, beside=beside), EACH_ITS_OWN)
    # In the lab the service may be what is seen.
    text = said(Code.SERVICE_NOT_WATCHED, replace(cell, beside=beside), on_machines("lab", "load1"))
    assert "10.0.0.9:81 is not ours" in text


def test_what_a_service_on_the_load_host_used_is_told_together_with_what_others_used() -> None:
    cell = a_sound_cell(host="127.0.0.1:81", server=None, load_on_server=True)
    busy = replace(cell, beside=(MachineLoad("load1", True, False, BUSY),))
    warning = found(busy, EACH_ITS_OWN)[Code.SERVICE_NOT_WATCHED]
    assert (sentence(warning), warning.host, warning.invalid) == (
        "The service at 127.0.0.1:81 is not ours, so that its CPU time is not known. It, or something else, used 52 % of "
        "the CPU time of load1.",
        "load1",
        False,
    )
    assert found(replace(cell, beside=(MachineLoad("load1", True, False, IDLE),)), EACH_ITS_OWN) == {}
    full = replace(cell, beside=(MachineLoad("load1", True, False, replace(BUSY, idle_percent=0.5)),))
    assert Code.NO_IDLE_CPU in found(full, EACH_ITS_OWN)
    assert said(Code.SERVICE_NOT_WATCHED, cell, EACH_ITS_OWN).endswith("What else used its CPUs is not known.")


def test_runs_from_before_load_hosts_were_watched_are_judged_by_what_they_have() -> None:
    old = replace(on_three(), beside=())
    assert found(old, EACH_ITS_OWN) == found(old, on_machines("lab", *THREE)) == {}
    busy = replace(SERVER, machine_idle_percent=30.0)
    assert "35 % of the CPU time of lab1" in said(Code.DISTURBED, replace(old, server=busy), EACH_ITS_OWN)


@pytest.mark.parametrize(
    ("kind", "count", "expected"),
    [
        ("connect", 2_001, "2,001 connections could not be opened."),
        ("read", 140, "140 connections broke while reading."),
        (
            "read",
            1_140,
            "1,140 connections broke while reading, 2 % of the requests: the server closes connections, and the throughput "
            "includes opening them anew.",
        ),
        ("write", 2, "2 connections broke while writing."),
    ],
)
def test_failed_connections_are_counted_by_what_failed(kind: str, count: int, expected: str) -> None:
    load = slow(a_load(50_000, **{kind: count}), mean_ms=200.0)
    assert said(Code.CONNECTION_ERRORS, a_sound_cell(load=load)) == expected


# Every warning

FULL = replace(SERVER, machine_idle_percent=0.5, cpu_percent=180.0)
NARROW = replace(RUN, networks=(Network("load1", "lab1", 85.0, 140.0, 1e6),))
EMULATED = replace(RUN, machines=(replace(RUN.machines[0], emulated=True),))
CAUSES: dict[Code, tuple[Cell, Run]] = {
    Code.FEWER_CONNECTIONS: (a_sound_cell(load=slow(a_load(50_000, connect=3), 200.0)), RUN),
    Code.LATENCY_IMPOSSIBLE: (a_sound_cell(load=slow(a_load(50_000), 200.0, max_ms=199.0)), RUN),
    Code.TIMEOUTS: (a_sound_cell(load=slow(a_load(50_000, timeout=1), 200.0)), RUN),
    Code.LATENCY_CLIPPED: (a_sound_cell(load=slow(a_load(50_000), 200.0, max_ms=9_990.0)), RUN),
    Code.CUT_BY_END: (a_sound_cell(load=slow(a_load(50_000), 200.0, max_ms=2_600.0)), RUN),
    Code.SILENT: (a_sound_cell(load=replace(slow(a_load(50_000), 200.0), silent_us=2_000_000)), RUN),
    Code.STALLED: (stalling(1.3), RUN),
    Code.UNANSWERED: (a_sound_cell(load=slow(a_load(1_999), 200.0)), RUN),
    Code.CEILING: (a_cell(load=a_load(96_000)), RUN),
    Code.SLEEP_WRONG: (a_cell(load=a_load(300_000)), RUN),
    Code.LITTLES_LAW: (a_sound_cell(load=slow(a_load(50_000), 20.0)), RUN),
    Code.CONNECTION_ERRORS: (a_sound_cell(load=slow(a_load(50_000, write=1), 200.0)), RUN),
    Code.NOT_STORED: (a_sound_cell(database=stored(0)), RUN),
    Code.GENERATOR_SATURATED: (a_sound_cell(generator=replace(GENERATOR, wall_seconds=5.0, cpu_seconds=9.9)), RUN),
    Code.LISTEN_BACKLOG: (a_sound_cell(server=replace(SERVER, listen_overflows=1)), RUN),
    Code.NO_IDLE_CPU: (a_sound_cell(server=FULL), RUN),
    Code.NETWORK_BOUND: (a_sound_cell(load_on_server=False), NARROW),
    Code.STEAL: (a_sound_cell(server=replace(SERVER, machine_steal_percent=7.0)), RUN),
    Code.DISTURBED: (a_sound_cell(server=replace(SERVER, machine_idle_percent=30.0)), RUN),
    Code.SERVICE_NOT_WATCHED: (a_sound_cell(server=None), RUN),
    Code.THROTTLED: (a_sound_cell(server=replace(SERVER, throttled={"/": Throttle(9, 1.0)})), RUN),
    Code.MEMORY_PRESSURE: (a_sound_cell(server=replace(SERVER, pressure={"memory": 9.0})), RUN),
    Code.EMULATED: (a_sound_cell(), EMULATED),
    **caused_answers.CAUSES,
    **caused_connections.CAUSES,
    Code.RAMP: (a_cell_of(ramped), RUN),
    Code.WARMING_UP: (a_cell_of(lambda at: min(1.0, 0.4 + 0.3 * at)), RUN),
    Code.DRIFT: (a_cell_of(lambda at: 1 - 0.05 * at), RUN),
    Code.STEP: (a_cell_of(lambda at: 1.0 if at < 3 else 0.6), RUN),
    Code.MEMORY_GROWS: (a_cell_of(flat, memory=lambda at: 5e7 + 4e6 * at), RUN),
}
"""A cell that has each warning, but those about several cells."""


def test_every_warning_is_caused_by_a_test() -> None:
    assert {*CAUSES, Code.REPEAT_MISSING, Code.RESUMED, *caused_repeats.OF_REPEATS, *OF_TEXTS} == set(Code)


@pytest.mark.parametrize("code", CAUSES, ids=lambda code: code.value)
def test_every_warning_has_a_sentence_with_all_its_values_and_says_what_it_spoils(code: Code) -> None:
    text = said(code, *CAUSES[code])
    assert not text[0].islower()
    assert text.endswith(".")
    assert not set("{}") & set(text)
    assert code.spoils
    assert code.spoils <= set(Spoils)


def test_repeats_that_were_not_measured_are_told_with_the_reason_of_the_first() -> None:
    failed = a_cell(repeat=2, status="failed", reason="the app died", load=None)
    (warning,) = audit.repeat_warnings([a_cell()], [replace(failed, load=None), failed], RUN)
    assert (sentence(warning), warning.invalid) == ("2 of 3 repeats were not measured: the app died", True)
    assert warning.spoils == {Spoils.RANK}
    assert not [*audit.repeat_warnings([a_cell()], [], RUN), *audit.repeat_warnings([], [failed], RUN)]


def test_warnings_of_several_repeats_are_one_with_the_range_of_their_values() -> None:
    cells = [a_sound_cell(repeat=n, database=stored(rows)) for n, rows in enumerate((4_200, 50_000, 500), 1)]
    (warning,) = over_repeats([warning for cell in cells for warning in audit.warnings(cell, RUN)], len(cells))
    assert warning.values["stored"] == Number(500, 4_200)
    assert (warning.seen_in, warning.repeats, warning.invalid) == (number(2), number(3), True)
    assert sentence(warning) == (
        "The database stored 500 to 4,200 of 50,000 rows that replies confirmed. Seen in 2 of 3 repeats."
    )


def test_warnings_about_different_machines_are_not_merged() -> None:
    both = on_three(load_host=STOLEN, store=STOLEN)
    merged = over_repeats([warning for _ in (1, 2) for warning in audit.warnings(both, EACH_ITS_OWN)], 2)
    assert [(one.host, one.seen_in) for one in merged] == [("load1", number(2)), ("db1", number(2))]


def test_a_number_is_written_with_its_unit_once() -> None:
    values = {"share": Number(7, 30.2, Unit.PERCENT), "machines": ("lab1",)}
    assert sentence(Warning(Code.STEAL, values=values)) == "The hypervisor took 7 to 30 % of the CPU time of lab1 (steal)."
    values = {"share": Number(7.1, 7.4, Unit.PERCENT), "machines": ("lab1",)}
    assert "took 7 % of" in sentence(Warning(Code.STEAL, values=values))


def resumed(*changed: str) -> Run:
    part = Part("2025-01-02T04:00:00Z", (), "", "0.2.0", changed)
    return replace(RUN, parts=(part,))


TWO_PARTS = [a_sound_cell(repeat=repeat, part=1 if repeat < 3 else 2) for repeat in (1, 2, 3, 5)]


def test_a_row_whose_repeats_are_of_two_parts_of_a_run_says_which() -> None:
    (warning,) = audit.repeat_warnings(TWO_PARTS, (), resumed())
    assert sentence(warning) == ("The run was interrupted and resumed: repeats 1 to 2 in part 1; repeats 3, 5 in part 2.")
    assert not warning.invalid
    assert not list(audit.repeat_warnings(TWO_PARTS[:2], (), resumed()))


def test_every_row_of_a_run_that_was_resumed_under_other_conditions_is_invalid() -> None:
    (warning,) = audit.repeat_warnings(TWO_PARTS[:1], (), resumed("lab1: kernel was 6.1, is 6.2"))
    assert warning.invalid
    assert sentence(warning) == (
        "The run was interrupted, and resumed under other conditions: lab1: kernel was 6.1, is 6.2. "
        "Of this row: repeat 1 in part 1."
    )
