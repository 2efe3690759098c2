"""A cell: its steps in their order, what each is asked, and what is kept of it.

The host is a recording stand-in here, because the order of what it is asked is what is tested; tests/test_bench_lab.py
measures on a real one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent.bench import protocol
from benchrig.bench.app import App, read_app, read_apps
from benchrig.bench.cell import measure
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, plan
from benchrig.bench.traffic import Traffic
from benchrig.results.model import CpuShares, MachineLoad
from tests.support.cell import ALL_STEPS, OUTPUT, PLAN, REVIEW, ROOT, ROW, SOUND, STORED, RecordingHost, topology, tried
from tests.support.wrk import TEXT


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
        "connections",
        "look",
        "stop",
    ]


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
    of_load_host = [step for step in ALL_STEPS[7:14] if step.startswith("loadgen")]
    assert asked == [*("loadgen Fetch",) * 2, "loadgen RunLoad", *of_load_host, "loadgen Fetch"]
    assert list(cell.phases) == ["verify", "warm_up", "measure", "connections", "after"]
    assert (cell.status, cell.server, cell.host, cell.load_on_server) == ("measured", None, "10.0.0.9:81", False)
    assert cell.route == "3x GET /one, 1x GET /two"
    assert " http://10.0.0.9:81/one\n" in raw


def test_a_service_that_does_not_answer_is_told_without_a_journal(running: App) -> None:
    row = Row("mine", running, 20, Traffic(tuple(running.routes.values()), (3, 1)))
    cell, _, asked = tried(row, Fetch=protocol.Reply(error="Connection refused"))
    assert cell.reason == "the load host gets no answer to GET /one: Connection refused at 10.0.0.9:81"
    assert asked == ["loadgen Fetch"] * 2


def test_the_warm_up_is_light_and_the_load_is_the_row() -> None:
    host = RecordingHost("both", [])
    measure(topology(ROW, host, host, None), PLAN, ROW, 1, lambda _: None)
    warm_up, load = (operation for operation in host.operations if isinstance(operation, protocol.RunLoad))
    assert warm_up.command[1:4] == ("-t1", "-c4", "-d1s")
    assert load.command[1:4] == ("-t4", "-c2000", "-d10s")
    assert warm_up.command[-1] == load.command[-1] == "http://127.0.0.1:8080/health"
    assert warm_up.script == load.script


def test_the_app_is_verified_and_loaded_with_the_requests_of_the_row() -> None:
    host = RecordingHost("both", [], Fetch=STORED)
    measured = measure(topology(REVIEW, host, host, host), PLAN, REVIEW, 1, lambda _: None)
    sent, again, *_ = (operation for operation in host.operations if isinstance(operation, protocol.Fetch))
    assert (sent.split, again) == ("head", replace(sent, split="body"))
    assert (sent.method, sent.path, sent.body) == ("POST", "/reviews/", '{"film_id": 995, "rating": 4}')
    assert sent.headers == {"Content-Type": "application/json"}
    # Under the load every reply has to be the very text that was found right.
    wanted = PLAN.generator.script(REVIEW.traffic, {"review": (STORED.body,)})
    assert {operation.script for operation in host.operations if isinstance(operation, protocol.RunLoad)} == {wanted}
    assert measured.script == wanted


class Forgetful(RecordingHost):
    """An app that answers each body with itself, and once it was loaded all of them with the same text."""

    def ask(self, operation: Any) -> Any:
        answer = super().ask(operation)
        if not isinstance(operation, protocol.Fetch):
            return answer
        loads = sum(isinstance(one, protocol.RunLoad) for one in self.operations)
        return protocol.Reply(200, operation.body if loads < 2 else "two")


@pytest.mark.parametrize(("host", "wrong"), [(Forgetful, True), (RecordingHost, False)])
def test_the_request_after_the_load_is_held_against_the_reply_to_its_own_body(
    running: App, host: type[RecordingHost], wrong: bool
) -> None:
    """Each body is expected to come back; the sound app knows one only."""
    bodies = ("one", "two") if wrong else ("ok", "ok")
    route = replace(running.routes["one"], method="POST", bodies=bodies, replies=bodies, body=None)
    row = Row("mine", running, 20, Traffic((route,)))
    one = host("both", [])
    cell = measure(topology(row, one, one, None), PLAN, row, 1, lambda _: None).cell
    assert cell.wrong_after == ("POST /one: the body is 'two', not 'one'" if wrong else "")


class Working(RecordingHost):
    """A machine whose two CPUs have done more each time it is asked: half of the time idle, a tenth stolen."""

    def ask(self, operation: Any) -> Any:
        answer = super().ask(operation)
        if not isinstance(operation, protocol.FindCpuTimes):
            return answer
        times = sum(isinstance(one, protocol.FindCpuTimes) for one in self.operations)
        return protocol.CpuTimes(
            at=5.0 * times, total=10.0 * times, idle=5.0 * times, steal=1.0 * times, interrupts=0.5 * times
        )


SHARES = CpuShares(5.0, idle_percent=50.0, steal_percent=10.0, interrupt_percent=5.0)


def beside(server: Any, generator: Any, database: Any, row: Row = REVIEW) -> tuple[MachineLoad, ...]:
    return measure(topology(row, server, generator, database), PLAN, row, 1, lambda _: None).cell.beside


def test_the_cpus_of_the_machines_beside_the_server_are_watched_while_the_load_runs() -> None:
    server, generator, database = (Working(name, [], Fetch=STORED) for name in ("server", "loadgen", "database"))
    load_host, store = MachineLoad("loadgen", True, False, SHARES), MachineLoad("db", False, True, SHARES)
    assert beside(server, generator, database) == (load_host, store)
    assert beside(server, server, database) == (store,)
    assert beside(server, generator, server) == (load_host,)
    assert beside(server, generator, generator) == (MachineLoad("loadgen", True, True, SHARES),)
    assert beside(server, server, server) == ()


def test_a_database_that_a_row_has_no_use_for_is_not_watched() -> None:
    server, generator, database = (Working(name, []) for name in ("server", "loadgen", "database"))
    assert [one.host for one in beside(server, generator, database, ROW)] == ["loadgen"]
    assert database.operations == []


def test_the_load_host_is_watched_for_a_service_on_it(running: App) -> None:
    here = replace(running, file=replace(running.file, address="http://127.0.0.1:81"))
    cell, _, asked = tried(Row("mine", here, 20, Traffic(tuple(running.routes.values()), (3, 1))))
    assert (cell.status, cell.load_on_server) == ("measured", True)
    assert [(one.host, one.generator) for one in cell.beside] == [("loadgen", True)]
    assert asked.count("loadgen FindCpuTimes") == 2


def test_a_measured_cell_has_the_exact_figures_and_what_ran() -> None:
    cell, raw, _ = tried()
    assert cell.load is not None
    assert cell.load.requests == 3427
    assert cell.versions["sanic"] == "24.6.0"
    assert cell.route == "GET /health"
    assert raw.startswith("$ wrk -t4 -c2000 -d10s --timeout 8s --latency -s raw/sanic.lua http://10.0.0.1:8080/health\n")
    assert TEXT in raw


def test_nginx_in_openrestys_place_is_named_by_what_ran() -> None:
    row = plan(ROOT, read_apps(ROOT), BenchRequest(only=("openresty-2000",))).rows[0]
    cell, _, _ = tried(row, FindWhatRuns=protocol.Ran(True, {"nginx": "1.22.1", "nginx Lua module": "0.10.23"}, 1))
    assert cell.system == "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"
    cell, _, _ = tried(row, FindWhatRuns=protocol.Ran(True, {"openresty": "1.25.3.2"}, 1))
    assert cell.system == "OpenResty"


def test_statuses_that_are_expected_are_no_errors() -> None:
    text = OUTPUT.stdout.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec").replace(
        '"status": 0', '"status": 7'
    )
    text = text.replace('"wrong_example": ""', '"wrong_example": "", "statuses": {"200": 3420, "404": 7}')
    (route,) = ROW.traffic.routes
    missing = replace(ROW, traffic=Traffic((replace(route, status=404),)))
    reply = protocol.Reply(404, "ok")
    for row, fetched, errors in ((ROW, SOUND[protocol.Fetch], 7), (missing, reply, 0)):
        cell, _, _ = tried(row, RunLoad=replace(OUTPUT, stdout=text), Fetch=fetched)
        assert cell.load is not None, cell.reason
        assert cell.load.errors.status == errors


def test_what_an_app_wrote_is_kept_when_it_is_stopped_and_cut_to_its_end() -> None:
    host = RecordingHost("both", [], Stop=protocol.Stopped(protocol.Port(True), "x" * 100_000 + "the end"))
    measured = measure(topology(ROW, host, host, None), PLAN, ROW, 1, lambda _: None)
    assert len(measured.journal) == 64 << 10
    assert measured.journal.endswith("xthe end")
    assert (measured.cell.status, measured.cell.journal) == ("measured", "")
