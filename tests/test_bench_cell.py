"""A cell: its steps in their order, and what becomes of it when one of them goes wrong.

The host is a recording stand-in here, because the order of what it is asked is what is tested; tests/test_bench_lab.py
measures on a real one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent import bench_protocol as ask
from benchrig.bench.app import read_apps
from benchrig.bench.cell import Ends, measure
from benchrig.bench.host import OperationError
from benchrig.bench.suite import BenchRequest, Row, plan
from benchrig.errors import HostError
from benchrig.results.model import Cell
from benchrig.results.wrk_output import MARKER
from tests.test_report import SERVER
from tests.test_wrk import EXACT, TEXT

ROOT = Path(__file__).parent.parent
PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("sanic",)))
ROW = PLAN.rows[0]

FACTS = ask.Facts("CPU", 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {"wrk": "4.1.0"}, open_files=1 << 20, local_ports=64512)
OUTPUT = ask.LoadOutput(0, f"{TEXT}{MARKER}{EXACT}\n", "", wall_seconds=5.1, cpu_seconds=0.4, open_files=1 << 20)

SOUND: dict[type, Any] = {
    ask.FreePort: ask.Port(True),
    ask.Start: ask.Done(),
    ask.AwaitAnswer: ask.Readiness(True),
    ask.Fetch: ask.Reply(200, "ok"),
    ask.RunLoad: OUTPUT,
    ask.StartSampling: ask.Done(),
    ask.StopSampling: SERVER,
    ask.FindWhatRuns: ask.Ran(True, {"Python": "3.11.2", "sanic": "24.6.0"}, 1 << 20),
    ask.ReadJournal: ask.Journal("Traceback: it was the cable"),
    ask.Stop: ask.Port(True),
}


class RecordingHost:
    """Answers as told, and remembers what it was asked; an exception among the answers is raised."""

    def __init__(self, name: str, asked: list[str], **instead: Any) -> None:
        self._name = name
        self._asked = asked
        self._answers = {**SOUND, **{getattr(ask, operation): answer for operation, answer in instead.items()}}
        self.operations: list[Any] = []

    def ask(self, operation: Any) -> Any:
        self._asked.append(f"{self._name} {type(operation).__name__}")
        self.operations.append(operation)
        answer = self._answers[type(operation)]
        if isinstance(answer, Exception):
            raise answer
        return answer


def tried(row: Row = ROW, facts: ask.Facts = FACTS, **instead: Any) -> tuple[Cell, str, list[str]]:
    """Measure a row on recording hosts; return the cell, the raw text and what was asked of whom."""
    asked: list[str] = []
    server, generator = RecordingHost("server", asked, **instead), RecordingHost("loadgen", asked, **instead)
    ends = Ends(server, generator, "server", "loadgen", "10.0.0.1", facts, {row.app.name: 1 << 20})
    cell, raw = measure(ends, PLAN, row, 1, lambda _: None)
    return cell, raw, asked


ALL_STEPS = [
    "server FreePort",
    "server Start",
    "server AwaitAnswer",
    "loadgen Fetch",
    "loadgen RunLoad",
    "server StartSampling",
    "loadgen RunLoad",
    "server StopSampling",
    "server FindWhatRuns",
    "server Stop",
]


def test_a_cell_is_started_afresh_verified_warmed_up_loaded_sampled_and_stopped_in_this_order() -> None:
    cell, _, asked = tried()
    assert asked == ALL_STEPS
    assert cell.status == "measured"
    assert list(cell.phases) == [
        "free_port",
        "start",
        "wait",
        "verify",
        "warm_up",
        "sample",
        "measure",
        "look",
        "stop",
    ]


def test_the_warm_up_is_light_and_the_load_is_the_row() -> None:
    asked: list[str] = []
    host = RecordingHost("both", asked)
    measure(Ends(host, host, "both", "both", "127.0.0.1", FACTS, {"sanic": 1 << 20}), PLAN, ROW, 1, lambda _: None)
    warm_up, load = (operation.command for operation in host.operations if isinstance(operation, ask.RunLoad))
    assert warm_up[1:4] == ("-t1", "-c4", "-d1s")
    assert load[1:4] == ("-t4", "-c2000", "-d5s")
    assert warm_up[-1] == load[-1] == "http://127.0.0.1:8080/health"


def test_a_measured_cell_has_the_exact_figures_and_what_ran() -> None:
    cell, raw, _ = tried()
    assert cell.load is not None
    assert cell.load.requests == 3427
    assert cell.versions["sanic"] == "24.6.0"
    assert raw.startswith("$ wrk -t4 -c2000 -d5s --timeout 10s --latency -s raw/sanic.lua http://10.0.0.1:8080/health\n")
    assert TEXT in raw


NOT_STARTED = ask.Readiness(False, "it ended by itself (exit-code, exit status 1)")


@pytest.mark.parametrize(
    ("instead", "last_step", "reason"),
    [
        ({"FreePort": ask.Port(False, 4711, "nc -l 8080")}, 1, "port 8080 is taken by process 4711: nc -l 8080"),
        ({"Start": OperationError("server: Unit not found.")}, 2, "server: Unit not found."),
        ({"AwaitAnswer": NOT_STARTED}, 3, "the app did not start: it ended by itself (exit-code, exit status 1)"),
        (
            {"Fetch": ask.Reply(error="Connection refused")},
            4,
            "the load host gets no answer: Connection refused at 10.0.0.1:8080; does the app listen on more than 127.0.0.1?",
        ),
        (
            {"Fetch": ask.Reply(404, "Not Found")},
            4,
            "it answers wrongly: /health gave status 404 and 'Not Found', not 200 and 'ok'",
        ),
        ({"Fetch": ask.Reply(200, "no")}, 4, "it answers wrongly: /health gave status 200 and 'no', not 200 and 'ok'"),
        ({"FindWhatRuns": ask.Ran(False, {}, 0)}, 9, "the app died under the load"),
    ],
)
def test_a_step_that_fails_ends_the_cell_with_its_reason_the_journal_and_a_stop(
    instead: dict[str, Any], last_step: int, reason: str
) -> None:
    cell, raw, asked = tried(**instead)
    told = f"{reason}; the last it wrote: Traceback: it was the cable" if reason.startswith("the app d") else reason
    assert (cell.status, cell.reason) == ("failed", told)
    assert asked == [*ALL_STEPS[:last_step], "server ReadJournal", "server Stop"]
    assert "it was the cable" in raw


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exit_code": 1, "stderr": "unable to connect"}, "wrk ended with exit code 1: unable to connect"),
        ({"stderr": "check.lua:3: unexpected symbol"}, "wrk complained and went on: check.lua:3: unexpected symbol"),
        ({"stdout": TEXT}, "wrk printed no figures"),
        ({"killed": True, "wall_seconds": 40.0}, "wrk did not end: killed 40 s after the start of a run of 5 s"),
        ({"wall_seconds": 24.0}, "wrk took 24.0 s for a run of 5 s: it did not keep up with 2000 connections"),
    ],
)
def test_what_wrk_leaves_unsaid_fails_the_cell(changes: dict[str, Any], reason: str) -> None:
    cell, _, _ = tried(RunLoad=replace(OUTPUT, **changes))
    assert (cell.status, cell.reason) == ("failed", reason)


def with_figures(**changes: tuple[str, str]) -> ask.LoadOutput:
    text = f"{TEXT}{MARKER}{EXACT}\n"
    for there, instead in changes.values():
        assert there in text
        text = text.replace(there, instead)
    return replace(OUTPUT, stdout=text)


def test_wrong_replies_fail_the_cell_with_an_example() -> None:
    output = with_figures(
        wrong=('"replies_wrong": 0', '"replies_wrong": 12'),
        example=('"wrong_example": ""', '"wrong_example": "500 Internal Server Error"'),
    )
    cell, _, _ = tried(RunLoad=output)
    assert cell.reason == "12 of 3427 replies were wrong; the first began: 500 Internal Server Error"
    assert cell.load is not None


CONNECT_983 = with_figures(hook=('"connect": 0', '"connect": 983'), text=("connect 0", "connect 983"))


def test_a_generator_out_of_descriptors_is_named_with_the_counters_that_prove_it() -> None:
    cell, _, _ = tried(RunLoad=replace(CONNECT_983, open_files=1024))
    assert cell.reason == (
        "the load generator ran out of file descriptors: 2000 connections need 2032, it may have 1024 (connect 983); "
        "raise RLIMIT_NOFILE"
    )


def test_connections_that_fail_otherwise_are_told_with_the_ports_in_use() -> None:
    cell, _, _ = tried(RunLoad=CONNECT_983, StopSampling=replace(SERVER, time_wait_peak=28_000))
    assert "(connect 983; 28000 sockets were in TIME_WAIT" in cell.reason


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"open_files": 2031}, "2000 connections need 2032 file descriptors; the load generator on loadgen may have 2031"),
        ({"local_ports": 1999}, "2000 connections to one address need 2000 local ports; loadgen has 1999"),
    ],
)
def test_a_cell_that_the_host_cannot_hold_is_not_started(limits: dict[str, int], reason: str) -> None:
    cell, raw, asked = tried(facts=replace(FACTS, **limits))
    assert cell.status == "not_possible"
    assert reason in cell.reason
    assert "lifts it" in cell.reason
    assert (raw, asked) == ("", [])


def test_slow_connecting_is_put_down_to_the_port_range_where_it_is_narrow() -> None:
    cell, _, _ = tried(facts=replace(FACTS, local_ports=3999), RunLoad=replace(OUTPUT, wall_seconds=24.0))
    assert "connecting was slow, as 2000 connections are more than half of the 3999 local ports" in cell.reason


def test_a_lost_host_is_not_a_failed_cell() -> None:
    with pytest.raises(HostError, match="the connection was lost"):
        tried(AwaitAnswer=HostError("server: the connection was lost"))


def test_an_app_that_cannot_be_stopped_fails_the_cell() -> None:
    cell, _, _ = tried(Stop=ask.Port(False, 12, "python app.py"))
    assert (cell.status, cell.reason) == ("failed", "port 8080 is taken by process 12: python app.py")


def test_nginx_in_openrestys_place_is_named_by_what_ran() -> None:
    row = plan(ROOT, read_apps(ROOT), BenchRequest(only=("openresty-2000",))).rows[0]
    cell, _, _ = tried(row, FindWhatRuns=ask.Ran(True, {"nginx": "1.22.1", "nginx Lua module": "0.10.23"}, 1))
    assert cell.system == "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"
    cell, _, _ = tried(row, FindWhatRuns=ask.Ran(True, {"openresty": "1.25.3.2"}, 1))
    assert cell.system == "OpenResty"
