"""Two runs, or a run and published figures, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wcwidth import wcswidth

from benchrig.report import Report, compare, load, render_comparison
from benchrig.report.sentences import outcome as words_of
from benchrig.report.table import make
from benchrig.report.verdict import Answer
from benchrig.results.model import Activity, Database, Environment, Process
from tests.support.reports import PUBLISHED, ROOT, a_cell, a_load, a_report, a_run, missing


def repeated(*requests: int, name: str = "go-2000", **changes: object) -> Report:
    """Return the report of one row with a repeat for each of these counts of requests."""
    defaults: dict[str, object] = {"sleep_seconds": 0.0}
    cells = [a_cell(name, repeat, load=a_load(count), **{**defaults, **changes}) for repeat, count in enumerate(requests, 1)]
    return Report(make(a_run(name), cells))


SLOW = (50_000, 50_100, 50_200, 50_300, 50_400, 50_500)
FAST = tuple(2 * count for count in SLOW)


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        (SLOW, FAST, "faster"),
        (FAST, SLOW, "slower"),
        (SLOW, SLOW, "no difference shown"),
        (SLOW, (50_500, *FAST[1:]), "no difference shown"),
        (SLOW, (50_501, *FAST[1:]), "faster"),
        (SLOW, FAST[:5], "not known (5 repeats; 6 are needed)"),
        (SLOW[:1], FAST, "not known (1 repeat; 6 are needed)"),
    ],
)
def test_a_difference_is_one_where_the_intervals_do_not_overlap(a: tuple[int], b: tuple[int], outcome: str) -> None:
    (pair,) = compare(repeated(*a), repeated(*b)).pairs
    assert words_of(pair.outcome) == outcome


def test_one_row_at_the_ceiling_is_still_faster_than_one_below_it() -> None:
    below, at = (50_000,) * 6, (96_000,) * 6
    (pair,) = compare(repeated(*below, sleep_seconds=0.1), repeated(*at, sleep_seconds=0.1)).pairs
    assert (pair.b.at_ceiling, words_of(pair.outcome)) == (True, "faster")


def test_the_ratio_is_of_the_medians_b_over_a() -> None:
    (pair,) = compare(repeated(*SLOW), repeated(*FAST)).pairs
    assert pair.ratio == pytest.approx(2.0)


def test_rows_are_matched_by_name_and_the_others_are_listed() -> None:
    comparison = compare(a_report("go-2000", "sanic"), a_report("flask-sync", "go-2000"))
    assert [pair.a.name for pair in comparison.pairs] == ["go-2000"]
    assert (comparison.only_a, comparison.only_b) == (("sanic",), ("flask-sync",))
    text = render_comparison(comparison)
    assert "only in A: sanic" in text
    assert "only in B: flask-sync" in text


def test_two_runs_without_a_common_row_say_so() -> None:
    text = render_comparison(compare(a_report("sanic"), a_report("go-2000")))
    assert "no row is in both" in text


def test_invalid_and_missing_rows_and_those_at_the_ceiling_get_no_outcome() -> None:
    late = a_load(900, timeout=40)
    rows = {
        "invalid": (a_cell("invalid"), a_cell("invalid", load=late)),
        "failed": (missing("failed", "failed", "it died"), a_cell("failed")),
        "ceiling": (a_cell("ceiling", load=a_load(96_000)), a_cell("ceiling", load=a_load(97_000))),
        "other": (a_cell("other"), a_cell("other", connections=50)),
    }
    a, b = (a_report(*rows, cells=[cells[side] for cells in rows.values()]) for side in (0, 1))
    outcomes = {pair.a.name: words_of(pair.outcome) for pair in compare(a, b).pairs}
    assert outcomes == {
        "invalid": "not known (invalid in B: latency clipped, littles law)",
        "failed": "not known (not measured in A)",
        "ceiling": "no difference shown (both at the ceiling)",
        "other": "not comparable (different load)",
    }


def test_the_same_conditions_raise_no_doubt() -> None:
    assert compare(a_report("go-2000"), a_report("go-2000", name="later", started_at="2025-02-02")).doubts == ()


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
    assert compare(Report(make(a, [a_cell()])), Report(make(b, [a_cell()]))).doubts == (
        "files of app go: A 111111111111; B 222222222222",
        "CPU governor of machine lab1: A performance; B powersave",
        "turbo of machine lab1: A off; B on",
        "NUMA nodes of machine lab1: A 1; B 2",
        "mitigation of retbleed of machine lab1: A Vulnerable; B Mitigation: IBRS",
        "CPU used by other programs of machine lab1 before the start: A under 10 %; B about 50 %",
        "memory pressure of machine lab1 before the start: A under 10 %; B about 30 %",
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
    comparison = compare(Report(make(a, [a_cell(route="GET /health")])), Report(make(b, [other])))
    assert comparison.doubts == (
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
    text = render_comparison(comparison)
    assert text.index("duration: A 5 s; B 60 s") < text.index("requests/s")


def test_a_difference_that_rows_share_is_one_line() -> None:
    few = [a_cell("go-2000", connections=50), a_cell("sanic", connections=50)]
    doubts = compare(a_report("go-2000", "sanic"), a_report("go-2000", "sanic", cells=few)).doubts
    assert doubts == ("connections: A 2,000; B 50 (all rows)",)


def test_what_would_have_run_in_a_row_that_failed_is_not_known_to_differ() -> None:
    failed = a_report("go-2000", cells=[missing("go-2000", "failed", "it died")])
    failed = Report(replace(failed.table, rows=tuple(replace(row, versions={}) for row in failed.table.rows)))
    assert compare(a_report("go-2000"), failed).doubts == ()


STAND_IN = "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"


def test_a_system_that_another_one_stood_in_for_is_told_before_the_table() -> None:
    names = ("openresty-2000", "go-2000", "flask-sync")
    systems = (STAND_IN, "Go", "Flask, sync")
    ran = a_report(*names, cells=[a_cell(name, system=system) for name, system in zip(names, systems, strict=True)])
    document = load("web-frameworks", ROOT)
    doubts = [line for line in compare(ran, document).doubts if line.startswith("system: ")]
    # The document calls Go `Golang`, and has the other in Chinese: these are the same.
    assert doubts == [f"system: A {STAND_IN}; B OpenResty (openresty-2000)"]
    (line,) = [line for line in compare(document, ran).doubts if line.startswith("system: ")]
    assert line == f"system: A OpenResty; B {STAND_IN} (openresty-2000)"


def test_between_runs_each_other_name_of_a_system_is_told() -> None:
    a, b = (a_report("go-2000", cells=[a_cell(system=system)]) for system in ("Go", "Go, tuned"))
    assert compare(a, b).doubts == ("system: A Go; B Go, tuned (go-2000)",)


def test_a_row_that_was_not_measured_has_no_system_to_differ_in() -> None:
    failed = missing("go-2000", "failed", "it died", system="Other", versions={})
    assert compare(a_report("go-2000"), a_report("go-2000", cells=[failed])).doubts == ()


def test_columns_without_any_figure_are_left_out() -> None:
    text = render_comparison(compare(load("web-frameworks", ROOT), load("web-frameworks", ROOT)))
    assert "interval" not in text
    assert "p99" not in text


def test_a_route_that_one_side_does_not_tell_is_not_another_one() -> None:
    comparison = compare(a_report("go-2000", cells=[a_cell(route="GET /health")]), a_report("go-2000"))
    assert comparison.doubts == ()
    assert comparison.pairs[0].outcome.answer is not Answer.NOT_COMPARABLE


def test_another_database_is_a_condition() -> None:
    database = Database("db1", "films", "15.8", {"shared_buffers": "128MB"}, "f00d")
    other = replace(database, settings={"shared_buffers": "1GB"}, fingerprint="beef")
    doubts = compare(a_report("go-2000", database=database), a_report("go-2000", database=other)).doubts
    assert doubts == (
        "data set: A films, fingerprint f00d; B films, fingerprint beef",
        "PostgreSQL's shared_buffers: A 128MB; B 1GB",
    )


def test_a_run_against_a_document_has_ratios_and_no_outcome() -> None:
    run = a_report("go-2000", "sanic", cells=[a_cell(versions={"Go": "1.22.12"}), a_cell("sanic", versions={})])
    comparison = compare(run, load("web-frameworks", ROOT))
    assert [pair.outcome for pair in comparison.pairs] == [None, None]
    assert comparison.pairs[0].ratio == pytest.approx(PUBLISHED.rows["go-2000"].figures["requests_per_second"] / 19_200)
    assert "go: A 1.22.12; B 1.22.4 (go-2000)" in comparison.doubts
    assert not any(line.startswith(("kernel", "python", "sanic")) for line in comparison.doubts)
    assert "flask-sync" in comparison.only_b


def test_a_version_told_with_less_is_not_another_one() -> None:
    run = a_report("sanic", cells=[a_cell("sanic", versions={"python": "3.11.2"})])
    assert not any(line.startswith("python") for line in compare(run, load("web-frameworks", ROOT)).doubts)


def test_a_version_that_only_begins_like_another_is_another_one() -> None:
    run = a_report("sanic", cells=[a_cell("sanic", versions={"python": "3.110"})])
    assert "python: A 3.110; B 3.11 (sanic)" in compare(run, load("web-frameworks", ROOT)).doubts


def test_errors_that_a_document_does_not_tell_are_left_open() -> None:
    run = a_report("films-quart.film", cells=[a_cell("films-quart.film")])
    text = render_comparison(compare(run, load("quart-vs-flask", ROOT)))
    (line,) = [line for line in text.splitlines() if line.startswith("films-quart.film")]
    assert line.split() == ["films-quart.film", "19,200", "1,160.00", "0.06", "108.0ms", "0", "–"]
    assert text.count("errors") == 1


def test_p99_and_errors_stand_beside_the_throughput() -> None:
    text = render_comparison(compare(repeated(*SLOW), repeated(*FAST)))
    (line,) = [line for line in text.splitlines() if line.startswith("go-2000")]
    assert line.split() == [
        "go-2000", "10,050", "-0.4%/+0.4%", "20,100", "-0.4%/+0.4%", "2.00", "108.0ms", "108.0ms", "0", "0", "faster",
    ]  # fmt: skip


def test_a_narrow_terminal_keeps_throughput_ratio_and_outcome() -> None:
    text = render_comparison(compare(repeated(*SLOW), repeated(*FAST)), width=70)
    assert max(wcswidth(line) for line in text.splitlines()) <= 70
    (line,) = [line for line in text.splitlines() if line.startswith("go-2000")]
    assert (line.split()[1], line.split()[-1]) == ("10,050", "faster")
    assert "2.00" in line.split()
    assert "Hidden columns (terminal too narrow): A p99, B p99" in " ".join(text.split())
    assert "./inv compare 2025-01-02T03-04-05 2025-01-02T03-04-05 | less -S" in text


@pytest.mark.parametrize("width", range(60, 140, 4))
def test_a_narrow_terminal_hides_a_metric_of_both_or_of_none(width: int) -> None:
    late = [a_cell(repeat=n, load=a_load(50_000, read=3), sleep_seconds=0.0) for n in range(1, 7)]
    text = render_comparison(compare(Report(make(a_run("go-2000"), late)), repeated(*FAST)), width)
    table = text.split("go-2000")[0].rpartition("\n\n")[2]
    for heading in ("p99", "errors", "interval"):
        assert table.count(heading) in (0, 2)


def test_programs_on_cores_of_their_own_name_the_machine_and_files_are_listed_once() -> None:
    a, b = a_run("go-2000"), a_run("go-2000")
    b = replace(b, machines=(replace(b.machines[0], pinned={"app": "0"}),))
    a = replace(a, digests={"app go": "1" * 64, "app go: main.go": "3" * 64, "app zoo": "5" * 64})
    b = replace(b, digests={"app go": "2" * 64, "app go: main.go": "4" * 64, "app zoo": "6" * 64})
    assert compare(Report(make(a, [a_cell()])), Report(make(b, [a_cell()]))).doubts == (
        "files of app go: main.go: A 333333333333; B 444444444444",
        "files of app zoo: A 555555555555; B 666666666666",
        "programs with CPUs of their own on machine lab1: A none; B app on 0",
    )
