"""Conditions that differ between two runs, or between a run and published figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report import Report, compare, load
from benchrig.report.compare import terminal
from benchrig.report.table import make
from benchrig.report.verdict import Answer, Cause
from benchrig.results.model import Activity, Database, Environment, Process
from tests.support.reports import PUBLISHED, ROOT, a_cell, a_report, a_run, missing


def doubts(a: Report, b: Report) -> tuple[str, ...]:
    """Return the conditions that differ, a line each."""
    (pairing,) = compare([a, b]).pairings
    return tuple(condition.line() for condition in pairing.conditions)


def test_the_same_conditions_raise_no_doubt() -> None:
    assert doubts(a_report("go-2000"), a_report("go-2000", name="later", started_at="2025-02-02")) == ()


def test_each_part_of_the_environment_that_differs_is_a_line() -> None:
    quiet = Activity(0.2, 0.0, foreign_percent=1.0, pressure={"cpu": 3.0, "memory": 0.0})
    busy = Activity(
        0.2, 2.0, foreign_percent=50.0, processes=(Process("stress", 99.0),), pressure={"cpu": 9.0, "memory": 30.0}
    )
    one = Environment("performance", "off", "on", 1, mitigations={"retbleed": "Vulnerable"}, activity=quiet)
    other = Environment("powersave", "on", "", 2, mitigations={"retbleed": "Mitigation: IBRS"}, activity=busy)
    a, b = a_run("go-2000"), a_run("go-2000")
    a = replace(a, machines=(replace(a.machines[0], environment=one),), digests={"app go": "1" * 64, "row go-2000": "x"})
    b = replace(b, machines=(replace(b.machines[0], environment=other),), digests={"app go": "2" * 64, "row go-2000": "y"})
    assert doubts(Report(make(a, [a_cell()])), Report(make(b, [a_cell()]))) == (
        "files of app go: A 111111111111; B 222222222222",
        "CPU governor of machine lab1: A performance; B powersave",
        "turbo of machine lab1: A off; B on",
        "NUMA nodes of machine lab1: A 1; B 2",
        "mitigation of retbleed of machine lab1: A Vulnerable; B Mitigation: IBRS",
        "CPU used by other programs of machine lab1 before the start: A under 10 %; B about 50 %",
        "memory pressure of machine lab1 before the start: A under 10 %; B about 30 %",
        "definition in the suite: A x; B y (go-2000)",
    )


def test_each_condition_that_differs_is_a_line_before_the_table() -> None:
    a, b = a_run("go-2000"), a_run("go-2000")
    machine = replace(
        b.machines[0],
        cpu="Other CPU",
        kernel="6.12.1",
        sysctls={**b.machines[0].sysctls, "net.core.somaxconn": "4096"},
    )
    a = replace(a, machines=(replace(a.machines[0], sysctls={"net.core.somaxconn": "128"}),))
    b = replace(
        b,
        settings=replace(b.settings, duration_seconds=60.0, threads=2, warm_up_seconds=5.0, repeats=3),
        machines=(machine,),
    )
    other = a_cell(timeout_seconds=2.0, connections=50, route="GET /", versions={"go": "1.23.0", "uvloop": "0.21.0"})
    reports = Report(make(a, [a_cell(route="GET /health")])), Report(make(b, [other]))
    assert doubts(*reports) == (
        "duration: A 5 s; B 60 s",
        "warm-up: A 1 s; B 5 s",
        "threads: A 4; B 2",
        "repeats: A 1; B 3",
        "timeout: A 10 s; B 2 s",
        "machine lab1: A Example CPU @ 2.0 GHz, 2 cores, 8.0 GiB; B Other CPU, 2 cores, 8.0 GiB",
        "kernel of machine lab1: A 6.1.0-26-amd64; B 6.12.1",
        "net.core.somaxconn of machine lab1: A 128; B 4096",
        "connections: A 2,000; B 50 (go-2000)",
        "route: A GET /health; B GET / (go-2000)",
        "go: A 1.22.12; B 1.23.0 (go-2000)",
        "uvloop: A none; B 0.21.0 (go-2000)",
    )
    text = terminal.render(compare(reports)).text
    assert text.index("duration: A 5 s; B 60 s") < text.index("requests/s")


def test_a_difference_that_rows_share_is_one_line() -> None:
    few = [a_cell("go-2000", connections=50), a_cell("sanic", connections=50)]
    found = doubts(a_report("go-2000", "sanic"), a_report("go-2000", "sanic", cells=few))
    assert found == ("connections: A 2,000; B 50 (all rows)",)


def test_what_would_have_run_in_a_row_that_failed_is_not_known_to_differ() -> None:
    failed = a_report("go-2000", cells=[missing("go-2000", "failed", "it died")])
    failed = Report(replace(failed.table, rows=tuple(replace(row, versions={}) for row in failed.table.rows)))
    assert doubts(a_report("go-2000"), failed) == ()


STAND_IN = "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"


def test_a_system_that_another_one_stood_in_for_is_told_before_the_table() -> None:
    names = ("openresty-2000", "go-2000", "flask-sync")
    systems = (STAND_IN, "Go", "Flask, sync")
    ran = a_report(*names, cells=[a_cell(name, system=system) for name, system in zip(names, systems, strict=True)])
    document = load("web-frameworks", ROOT)
    found = [line for line in doubts(ran, document) if line.startswith("system: ")]
    # The document calls Go `Golang`, and has the other in Chinese: these are the same.
    assert found == [f"system: A {STAND_IN}; B OpenResty (openresty-2000)"]
    (line,) = [line for line in doubts(document, ran) if line.startswith("system: ")]
    assert line == f"system: A OpenResty; B {STAND_IN} (openresty-2000)"


def test_between_runs_each_other_name_of_a_system_is_told() -> None:
    a, b = (a_report("go-2000", cells=[a_cell(system=system)]) for system in ("Go", "Go, tuned"))
    assert doubts(a, b) == ("system: A Go; B Go, tuned (go-2000)",)


def test_a_row_that_was_not_measured_has_no_system_to_differ_in() -> None:
    failed = missing("go-2000", "failed", "it died", system="Other", versions={})
    assert doubts(a_report("go-2000"), a_report("go-2000", cells=[failed])) == ()


def test_a_route_that_one_side_does_not_tell_is_not_another_one() -> None:
    (pairing,) = compare([a_report("go-2000", cells=[a_cell(route="GET /health")]), a_report("go-2000")]).pairings
    assert pairing.conditions == ()
    assert Answer.NOT_COMPARABLE not in {change.verdict for change in pairing.changes}


def test_another_database_is_a_condition() -> None:
    database = Database("db1", "films", "15.8", {"shared_buffers": "128MB"}, "f00d")
    other = replace(database, settings={"shared_buffers": "1GB"}, fingerprint="beef")
    found = doubts(a_report("go-2000", database=database), a_report("go-2000", database=other))
    assert found == (
        "data set: A films, fingerprint f00d; B films, fingerprint beef",
        "PostgreSQL's shared_buffers: A 128MB; B 1GB",
    )


def test_a_run_against_a_document_has_ratios_and_no_verdict() -> None:
    run = a_report("go-2000", "sanic", cells=[a_cell(versions={"Go": "1.22.12"}), a_cell("sanic", versions={})])
    document = load("web-frameworks", ROOT)
    (pairing,) = compare([run, document]).pairings
    assert {change.cause for change in pairing.changes} == {Cause.AT_CEILING, Cause.OTHER_DURATION}
    assert pairing.changes[0].ratio == pytest.approx(PUBLISHED.rows["go-2000"].figures["requests_per_second"] / 19_200)
    found = doubts(run, document)
    assert "go: A 1.22.12; B 1.22.4 (go-2000)" in found
    assert not any(line.startswith(("kernel", "python", "sanic")) for line in found)
    assert "flask-sync" in pairing.only_b


def test_another_version_of_benchrig_is_a_condition_where_both_are_known() -> None:
    runs = [a_report("go-2000", benchrig_version=version) for version in ("0.1.0", "0.2.0", "")]
    assert doubts(runs[0], runs[1]) == ("benchrig: A 0.1.0; B 0.2.0",)
    assert doubts(runs[0], runs[2]) == ()


def test_a_version_told_with_less_is_not_another_one() -> None:
    run = a_report("sanic", cells=[a_cell("sanic", versions={"python": "3.11.2"})])
    assert not any(line.startswith("python") for line in doubts(run, load("web-frameworks", ROOT)))


def test_a_version_that_only_begins_like_another_is_another_one() -> None:
    run = a_report("sanic", cells=[a_cell("sanic", versions={"python": "3.110"})])
    assert "python: A 3.110; B 3.11 (sanic)" in doubts(run, load("web-frameworks", ROOT))


def test_programs_on_cores_of_their_own_name_the_machine_and_files_are_listed_once() -> None:
    a, b = a_run("go-2000"), a_run("go-2000")
    b = replace(b, machines=(replace(b.machines[0], pinned={"app": "0"}),))
    a = replace(a, digests={"app go": "1" * 64, "app go: main.go": "3" * 64, "app zoo": "5" * 64})
    b = replace(b, digests={"app go": "2" * 64, "app go: main.go": "4" * 64, "app zoo": "6" * 64})
    assert doubts(Report(make(a, [a_cell()])), Report(make(b, [a_cell()]))) == (
        "files of app go: main.go: A 333333333333; B 444444444444",
        "files of app zoo: A 555555555555; B 666666666666",
        "programs with CPUs of their own on machine lab1: A none; B app on 0",
    )


def test_what_cells_were_measured_with_and_the_load_generators_version_are_conditions() -> None:
    a, b = a_run("go-2000"), a_run("go-2000")
    b = replace(b, machines=(replace(b.machines[0], versions={"wrk": "4.2.0"}),))
    known = a_cell(server_open_files=20_000)
    other = replace(known, duration_seconds=1.0, threads=1, cores=1, server_open_files=100)
    assert known.load
    other = replace(other, load=replace(known.load, depth=16))
    known = replace(known, load=replace(known.load, depth=1))
    assert doubts(Report(make(a, [known])), Report(make(b, [other]))) == (
        "version of wrk on machine lab1: A 4.1.0; B 4.2.0",
        "duration: A 5 s; B 1 s (go-2000)",
        "threads: A 4; B 1 (go-2000)",
        "cores of the load generator: A 2; B 1 (go-2000)",
        "open files of the server: A 20,000; B 100 (go-2000)",
        "requests sent at once: A 1; B 16 (go-2000)",
    )


def test_what_one_side_does_not_know_of_its_cells_is_no_condition() -> None:
    known, unknown = a_cell(server_open_files=20_000), a_cell(cores=0)
    assert doubts(a_report("go-2000", cells=[known]), a_report("go-2000", cells=[unknown])) == ()


def test_a_program_that_rows_tell_of_is_told_once() -> None:
    a, b = a_run("go-2000"), a_run("go-2000")
    one, other = (replace(run.machines[0], versions={"go": version}) for run, version in ((a, "1.22.12"), (b, "1.23.0")))
    tables = (
        make(replace(a, machines=(one,)), [a_cell()]),
        make(replace(b, machines=(other,)), [a_cell(versions={"go": "1.23.0"})]),
    )
    assert doubts(*map(Report, tables)) == ("go: A 1.22.12; B 1.23.0 (go-2000)",)
