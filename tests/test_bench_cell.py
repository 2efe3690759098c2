"""A cell: its steps in their order, and what becomes of it when one of them goes wrong.

The host is a recording stand-in here, because the order of what it is asked is what is tested; tests/test_bench_lab.py
measures on a real one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent import bench_protocol as ask
from benchrig.bench.app import App, read_app, read_apps
from benchrig.bench.cell import Ends, last_words, measure
from benchrig.bench.data import read_data
from benchrig.bench.database import DatabaseEnd
from benchrig.bench.host import OperationError
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, plan
from benchrig.bench.traffic import Traffic
from benchrig.errors import HostError
from benchrig.results.model import Cell, DatabaseLoad
from benchrig.results.wrk_output import MARKER
from tests.cases.reports import SERVER
from tests.test_wrk import EXACT, TEXT

ROOT = Path(__file__).parent.parent
PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("sanic",)))
ROW = PLAN.rows[0]
FILMS = {row.name: row for row in plan(ROOT, read_apps(ROOT), BenchRequest(suite="quart-vs-flask")).rows}
REVIEW = FILMS["films-quart.review"]
DATA = read_data(ROOT, "films")

FACTS = ask.Facts("CPU", 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {"wrk": "4.1.0"}, open_files=1 << 20, local_ports=64512)
OUTPUT = ask.LoadOutput(0, f"{TEXT}{MARKER}{EXACT}\n", "", wall_seconds=5.1, cpu_seconds=0.4, open_files=1 << 20)

SOUND: dict[type, Any] = {
    ask.FreePort: ask.Port(True),
    ask.Start: ask.Done(),
    ask.AwaitAnswer: ask.Readiness(True),
    ask.Fetch: ask.Reply(200, "ok"),
    ask.ResetData: ask.Loaded(DATA.file.fingerprint),
    ask.FindDatabaseLoad: ask.DatabaseCounters(2, 10, 100, 1, 0.5),
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
    database = RecordingHost("database", asked, **instead)
    measured = measure(ends(row, server, generator, database, facts), PLAN, row, 1, lambda _: None)
    return measured.cell, measured.raw, asked


def ends(row: Row, server: Any, generator: Any, database: Any, facts: ask.Facts = FACTS) -> Ends:
    found = ask.DatabaseFacts("15.8", {}, 100, 3, DATA.file.fingerprint)
    return Ends(
        server=server,
        generator=generator,
        server_name="server",
        generator_name="loadgen",
        address="127.0.0.1" if server is generator else "10.0.0.1",
        generator_facts=facts,
        unit_open_files={row.app.name: 1 << 20},
        database=DatabaseEnd(database, "db", DATA, found) if row.app.file.database else None,
    )


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


DATABASE_STEPS = [
    "database ResetData",
    *ALL_STEPS[:5],
    "database FindDatabaseLoad",
    *ALL_STEPS[5:],
    "database FindDatabaseLoad",
]
STORED = ask.Reply(200, '{"rating": 4,  "film_id": 995}')


def test_a_cell_with_a_database_begins_with_its_data_and_ends_with_what_the_load_did_to_them() -> None:
    cell, _, asked = tried(REVIEW, Fetch=STORED)
    assert (cell.status, cell.reason) == ("measured", "")
    assert asked == DATABASE_STEPS
    assert next(iter(cell.phases)) == "reset_data"
    assert list(cell.phases)[-2:] == ["stop", "count_again"]


@pytest.fixture
def running(tmp_path: Path) -> App:
    """Return a service that runs already."""
    (tmp_path / "app.yml").write_text(
        "title: Mine\naddress: http://10.0.0.9:81\nroutes:\n  one: {path: /one, expect: {body: ok}}\n  two: {path: /two}\n"
    )
    return read_app(tmp_path)


def test_a_service_that_runs_already_is_verified_warmed_up_and_loaded_and_nothing_else(running: App) -> None:
    row = Row("mine", running, 20, Traffic(tuple(running.routes.values()), (3, 1)))
    cell, raw, asked = tried(row)
    assert asked == ["loadgen Fetch", "loadgen Fetch", "loadgen RunLoad", "loadgen RunLoad"]
    assert list(cell.phases) == ["verify", "warm_up", "measure"]
    assert (cell.status, cell.server, cell.host, cell.load_on_server) == ("measured", None, "10.0.0.9:81", False)
    assert cell.route == "3x GET /one, 1x GET /two"
    assert " http://10.0.0.9:81/one\n" in raw


def test_a_service_that_does_not_answer_is_told_without_a_journal(running: App) -> None:
    row = Row("mine", running, 20, Traffic(tuple(running.routes.values()), (3, 1)))
    cell, _, asked = tried(row, Fetch=ask.Reply(error="Connection refused"))
    assert cell.reason == "the load host gets no answer to GET /one: Connection refused at 10.0.0.9:81"
    assert asked == ["loadgen Fetch"]


def test_the_warm_up_is_light_and_the_load_is_the_row() -> None:
    host = RecordingHost("both", [])
    measure(ends(ROW, host, host, None), PLAN, ROW, 1, lambda _: None)
    warm_up, load = (operation for operation in host.operations if isinstance(operation, ask.RunLoad))
    assert warm_up.command[1:4] == ("-t1", "-c4", "-d1s")
    assert load.command[1:4] == ("-t4", "-c2000", "-d5s")
    assert warm_up.command[-1] == load.command[-1] == "http://127.0.0.1:8080/health"
    assert warm_up.script == load.script


def test_the_app_is_verified_and_loaded_with_the_requests_of_the_row() -> None:
    host = RecordingHost("both", [], Fetch=STORED)
    measured = measure(ends(REVIEW, host, host, host), PLAN, REVIEW, 1, lambda _: None)
    (sent,) = (operation for operation in host.operations if isinstance(operation, ask.Fetch))
    assert (sent.method, sent.path, sent.body) == ("POST", "/reviews/", '{"film_id": 995, "rating": 4}')
    assert sent.headers == {"Content-Type": "application/json"}
    # Under the load every reply has to be the very text that was found right.
    wanted = PLAN.generator.script(REVIEW.traffic, {"review": STORED.body})
    assert {operation.script for operation in host.operations if isinstance(operation, ask.RunLoad)} == {wanted}
    assert measured.script == wanted


def test_a_measured_cell_has_the_exact_figures_and_what_ran() -> None:
    cell, raw, _ = tried()
    assert cell.load is not None
    assert cell.load.requests == 3427
    assert cell.versions["sanic"] == "24.6.0"
    assert cell.route == "GET /health"
    assert raw.startswith("$ wrk -t4 -c2000 -d5s --timeout 10s --latency -s raw/sanic.lua http://10.0.0.1:8080/health\n")
    assert TEXT in raw


NOT_STARTED = ask.Readiness(False, "it ended by itself (exit-code, exit status 1)")


@pytest.mark.parametrize(
    ("instead", "last_step", "reason"),
    [
        (
            {"FreePort": ask.Port(False, 4711, "nc -l 8080", listens=True)},
            1,
            "port 8080 is taken by process 4711: nc -l 8080",
        ),
        ({"Start": OperationError("server: Unit not found.")}, 2, "server: Unit not found."),
        ({"AwaitAnswer": NOT_STARTED}, 3, "the app did not start: it ended by itself (exit-code, exit status 1)"),
        (
            {"Fetch": ask.Reply(error="Connection refused")},
            4,
            "the load host gets no answer to GET /health: Connection refused at 10.0.0.1:8080; "
            "does the app listen on more than 127.0.0.1?",
        ),
        (
            {"Fetch": ask.Reply(404, "Not Found")},
            4,
            "it answers wrongly: GET /health: status 404 and 'Not Found', not 200",
        ),
        ({"Fetch": ask.Reply(200, "no")}, 4, "it answers wrongly: GET /health: the body is 'no', without 'ok'"),
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


def test_connections_that_fail_otherwise_are_told_with_the_ports_in_use_where_those_are_the_load_hosts() -> None:
    many = {"RunLoad": CONNECT_983, "StopSampling": replace(SERVER, time_wait_peak=28_000)}
    host = RecordingHost("both", [], **many)
    cell = measure(ends(ROW, host, host, None), PLAN, ROW, 1, lambda _: None).cell
    assert "(connect 983; 28000 sockets were in TIME_WAIT" in cell.reason
    elsewhere, _, _ = tried(**many)
    assert elsewhere.reason.endswith("(connect 983)")


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
    cell, _, _ = tried(Stop=ask.Port(False, 12, "python app.py", listens=True))
    assert (cell.status, cell.reason) == ("failed", "port 8080 is taken by process 12: python app.py")


JOURNAL = """\
Started benchrig-mine.service - benchrig: Mine.
Traceback (most recent call last):
  File "app.py", line 10, in <module>
KeyError: 'POOL'
[4697] [ERROR] Shutting down
benchrig-mine.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED
benchrig-mine.service: Failed with result 'exit-code'.
"""


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (JOURNAL, "KeyError: 'POOL'"),
        (JOURNAL.replace("KeyError", "Key"), "[4697] [ERROR] Shutting down"),
        (JOURNAL.splitlines()[0] + "\n" + JOURNAL.splitlines()[-1], ""),
        ("", ""),
    ],
)
def test_the_last_words_of_an_app_are_its_own_and_not_systemds(journal: str, said: str) -> None:
    assert last_words(journal, "benchrig-mine.service") == said


def test_a_port_that_a_clients_connection_got_is_told_with_what_keeps_it_free() -> None:
    cell, _, _ = tried(FreePort=ask.Port(False, 12, "wget http://example.com"))
    assert cell.reason == (
        "port 8080 is taken by process 12: wget http://example.com; it is not a server's, but a client's own end: "
        "keep it from clients: sysctl net.ipv4.ip_local_reserved_ports=8080"
    )


class CountingHost(RecordingHost):
    """A database that has counted more each time it is asked."""

    counters = (ask.DatabaseCounters(2, 10, 100, 1, 0.5), ask.DatabaseCounters(1002, 13, 1100, 4, 2.0))

    def ask(self, operation: Any) -> Any:
        answer = super().ask(operation)
        if not isinstance(operation, ask.FindDatabaseLoad):
            return answer
        return replace(self.counters[operation.ended], **({} if operation.table else {"rows": None}))


def counted(row: Row) -> Cell:
    host, database = RecordingHost("both", [], Fetch=STORED), CountingHost("database", [])
    return measure(ends(row, host, host, database), PLAN, row, 1, lambda _: None).cell


def test_what_the_load_did_to_the_database_is_the_difference_of_what_was_counted_before_and_after() -> None:
    cell = counted(REVIEW)
    assert cell.database == DatabaseLoad(1000, sessions=3, commits=1000, rollbacks=3, cpu_seconds=1.5, on_server=False)
    assert cell.versions["PostgreSQL"] == "15.8"


def test_rows_are_not_counted_for_requests_that_store_none() -> None:
    row = replace(FILMS["films-quart.film"], traffic=Traffic((replace(REVIEW.traffic.routes[0], stores=""),)))
    load = counted(row).database
    assert load is not None
    assert load.stored is None
    assert load.sessions == 3


def test_data_that_loading_does_not_bring_into_their_state_fail_the_cell_before_anything_is_started() -> None:
    cell, _, asked = tried(REVIEW, ResetData=ask.Loaded("999 films"))
    place = DATA.where("fingerprint")
    assert cell.reason == f"the data set on db is '999 films' after loading, not '{DATA.file.fingerprint}' ({place})"
    assert asked == ["database ResetData", "server ReadJournal", "server Stop"]


def test_a_database_that_is_gone_after_the_load_fails_the_cell_and_keeps_its_figures() -> None:
    class Dying(RecordingHost):
        def ask(self, operation: Any) -> Any:
            if getattr(operation, "ended", False):
                raise OperationError("db: PostgreSQL does not answer: No such file or directory")
            return super().ask(operation)

    host, database = RecordingHost("both", [], Fetch=STORED), Dying("database", [])
    cell = measure(ends(REVIEW, host, host, database), PLAN, REVIEW, 1, lambda _: None).cell
    assert (cell.status, cell.reason) == ("failed", "db: PostgreSQL does not answer: No such file or directory")
    assert cell.load is not None


def test_a_wrong_film_is_told_by_its_first_difference() -> None:
    film = {**dict(FILMS["films-quart.film"].traffic.routes[0].json), "title": "X"}  # type: ignore[call-overload]
    cell, _, _ = tried(FILMS["films-quart.film"], Fetch=ask.Reply(200, json.dumps(film)))
    assert cell.reason.startswith("it answers wrongly: GET /films/995/: title is 'X', not '")


def test_nginx_in_openrestys_place_is_named_by_what_ran() -> None:
    row = plan(ROOT, read_apps(ROOT), BenchRequest(only=("openresty-2000",))).rows[0]
    cell, _, _ = tried(row, FindWhatRuns=ask.Ran(True, {"nginx": "1.22.1", "nginx Lua module": "0.10.23"}, 1))
    assert cell.system == "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"
    cell, _, _ = tried(row, FindWhatRuns=ask.Ran(True, {"openresty": "1.25.3.2"}, 1))
    assert cell.system == "OpenResty"


def test_statuses_that_are_expected_are_no_errors() -> None:
    text = OUTPUT.stdout.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec").replace(
        '"status": 0', '"status": 7'
    )
    (route,) = ROW.traffic.routes
    missing = replace(ROW, traffic=Traffic((replace(route, status=404),)))
    reply = ask.Reply(404, "ok")
    for row, fetched, errors in ((ROW, SOUND[ask.Fetch], 7), (missing, reply, 0)):
        cell, _, _ = tried(row, RunLoad=replace(OUTPUT, stdout=text), Fetch=fetched)
        assert cell.load is not None, cell.reason
        assert cell.load.errors.status == errors
