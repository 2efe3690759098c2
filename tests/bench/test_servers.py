"""Load from another machine, and several servers: who loads whom, whose turn it is, and what is deployed for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig import inventory
from benchrig.agent.bench import protocol
from benchrig.bench import deploy, run
from benchrig.bench.app import App, read_apps
from benchrig.bench.cell import Measurement, measure
from benchrig.bench.host import Hosts, Pair
from benchrig.bench.measuring import measure_all
from benchrig.bench.order import turns
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.bench.topology import Topology
from benchrig.errors import InputError
from benchrig.inventory import Host
from benchrig.machines import machines_of
from benchrig.report.load import load
from benchrig.results import store
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.cell import FACTS, PLAN, ROW, RecordingHost
from tests.support.clone import copy_project
from tests.support.reports import a_cell, a_run

APPS = read_apps(ROOT)
GO = plan(ROOT, APPS, BenchRequest(only=("go-2000", "openresty-2000")))


# Which load host loads which server, and in what order.


def written(tmp_path: Path, servers: str, loadgens: str) -> inventory.Inventory:
    path = tmp_path / "mine.yml"
    path.write_text(f"all:\n  children:\n    servers: {{hosts: {{{servers}}}}}\n    loadgens: {{hosts: {{{loadgens}}}}}\n")
    return inventory.read(str(path), tmp_path)


@pytest.mark.parametrize(
    ("servers", "loadgens", "pairs"),
    [
        ("a: , b: ", "c: , d: ", [("a", "c"), ("b", "d")]),
        ("a: , b: ", "c: ", [("a", "c"), ("b", "c")]),
        ("a: , b: ", "a: , b: ", [("a", "a"), ("b", "b")]),
        ("a: ", "c: , d: ", [("a", "c")]),
    ],
)
def test_each_server_has_its_own_load_host_or_all_have_the_first(
    tmp_path: Path, servers: str, loadgens: str, pairs: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = run._pairs(written(tmp_path, servers, loadgens), GO)
    assert [(server.name, generator.name) for server, generator in found] == pairs
    assert ("not used" in capsys.readouterr().err) == (loadgens.count(":") > len(pairs))


def test_an_address_that_means_the_load_host_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the load host c would look for a at 127.0.0.1, which is itself"):
        run._pairs(written(tmp_path, "a: {ansible_host: 127.0.0.1, ansible_port: 2222}", "c: "), GO)
    told = "a: {ansible_host: 127.0.0.1, ansible_port: 2222, benchrig_address: 10.0.0.1}"
    assert run._pairs(written(tmp_path, told, "c: "), GO)


def test_an_address_of_the_database_that_means_the_server_itself_is_refused(tmp_path: Path) -> None:
    films = plan(ROOT, APPS, BenchRequest(suite="quart-vs-flask", only=("films-flask",)))
    path = tmp_path / "mine.yml"

    def found(databases: str) -> Host | None:
        path.write_text(f"all:\n  children:\n    servers: {{hosts: {{a: }}}}\n    databases: {{hosts: {{{databases}}}}}\n")
        read = inventory.read(str(path), tmp_path)
        return run._database(read, films, read.group("servers"))

    with pytest.raises(InputError, match=r"the server a would look for d at 127.0.0.1, which is itself") as error:
        found("d: {ansible_host: 127.0.0.1}")
    assert "benchrig_address of d" in str(error.value.hint)
    assert found("d: {ansible_host: 127.0.0.1, benchrig_address: 10.0.0.4}")
    assert found("a: {ansible_host: 127.0.0.1}")


def a_service(app: App) -> App:
    return replace(app, file=replace(app.file, address="http://10.0.0.9:80", runtime=""))


def test_services_that_run_already_need_a_load_host_alone(tmp_path: Path) -> None:
    wanted = replace(GO, rows=tuple(replace(row, app=a_service(row.app)) for row in GO.rows))
    ((server, generator),) = run._pairs(written(tmp_path, "a: , b: ", "c: , d: "), wanted)
    assert (server.name, generator.name) == ("c", "c")


def topology(name: str, server: Any = None, generator: Any = None) -> Topology:
    return Topology(server or object(), generator, name, "load1", "10.0.0.1", FACTS, {"sanic": 1 << 20}, one_of_many=True)


BOTH = (topology("web1"), topology("web2"))


def test_rows_go_round_the_servers_and_another_one_begins_each_time() -> None:
    order = [(turn.title, turn.repeat) for turn in turns(replace(GO, repeats=2), BOTH)]
    assert order == [
        ("go-2000 on web1", 1),
        ("go-2000 on web2", 1),
        ("openresty-2000 on web2", 1),
        ("openresty-2000 on web1", 1),
        ("go-2000 on web2", 2),
        ("go-2000 on web1", 2),
        ("openresty-2000 on web1", 2),
        ("openresty-2000 on web2", 2),
    ]


def test_a_service_that_runs_already_is_measured_once() -> None:
    wanted = replace(GO, rows=(replace(GO.rows[0], app=a_service(GO.rows[0].app)),))
    assert [turn.title for turn in turns(wanted, BOTH)] == ["go-2000"]


def test_what_the_load_generator_wrote_is_kept_for_each_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(topology: Topology, *_: object) -> Measurement:
        return Measurement(a_cell(host=topology.server_name), f"raw of {topology.server_name}", "script")

    monkeypatch.setattr("benchrig.bench.cell.measure", measured)
    wanted = replace(GO, rows=GO.rows[:1])
    recorder = Recorder(tmp_path, a_run("go-2000"))
    measure_all(turns(wanted, BOTH), wanted, recorder)
    folder = recorder.folder
    assert folder
    cells = store.read(folder)[1]
    assert {cell.host: cell.raw for cell in cells} == {name: f"raw/{name}/go-2000-1.txt" for name in ("web1", "web2")}
    assert (folder / cells[1].raw).read_text() == "raw of web2"
    assert (folder / "raw" / "web2" / "go-2000.lua").exists()


def test_the_command_of_a_row_names_the_script_that_lies_there() -> None:
    found = measure(topology("web1", RecordingHost("s", []), RecordingHost("g", [])), PLAN, ROW, 1, lambda _: None)
    assert " -s raw/web1/sanic.lua http://10.0.0.1:8080/health\n" in found.raw


# What is deployed on hosts that lack something.


class Provisioned:
    """Takes the place of provisioning: keeps what was asked for, and has it deployed from then on."""

    def __init__(self, wanted: Plan, before: protocol.Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
        after = protocol.Deployed({app.name: protocol.DeployedApp(app.digests(), 1024) for app in wanted.apps}, {}, ("wrk",))
        self.asked: dict[str, Any] = {}
        self._found = [before, after]
        monkeypatch.setattr("benchrig.provision.prepare", self.prepare)
        monkeypatch.setattr("benchrig.provision.provision", lambda *_: None)
        host: Any = self
        self.name = "web1"
        self.hosts = Hosts((Pair(host, host),), None)

    def ask(self, _: object) -> protocol.Deployed:
        return self._found.pop(0)

    def prepare(self, *_: object, **asked: object) -> None:
        self.asked = asked


BARE = protocol.Deployed({}, {}, ())
LAB = inventory.read("lab", ROOT)


def test_a_host_that_never_was_provisioned_gets_what_the_rows_need_and_it_is_said_what_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Provisioned(GO, BARE, monkeypatch)
    deploy.deploy(LAB, ROOT, GO, None, site.hosts)
    assert site.asked == {
        "limit": ("web1",),
        "tags": (),
        "skip_tags": ("python", "postgresql"),
        "extra_vars": {"app_only": ["go", "openresty"]},
    }
    others = len(APPS) - 2
    assert (
        f"deployed only what these rows need, without the {others} other apps and the roles python, postgresql; "
        "./inv provision deploys all" in capsys.readouterr().err
    )


def test_a_host_that_was_provisioned_keeps_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Provisioned(GO, replace(BARE, programs=("wrk",)), monkeypatch)
    deploy.deploy(LAB, ROOT, GO, None, site.hosts)
    assert "tuning" not in site.asked["tags"]
    assert "app" in site.asked["tags"]
    assert "deployed only" not in capsys.readouterr().err


def test_for_a_service_that_runs_already_no_app_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(GO, rows=(replace(GO.rows[0], app=a_service(GO.rows[0].app)),))
    site = Provisioned(wanted, BARE, monkeypatch)
    deploy.deploy(LAB, ROOT, wanted, None, site.hosts)
    # An empty list of apps would mean all of them.
    assert {"app", "golang", "python", "openresty"} <= set(site.asked["skip_tags"])


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("Connection refused", "; does the app listen on more than 127.0.0.1?"),
        ("timed out", "; is a firewall between them, or did it need more than 10 s?"),
    ],
)
def test_an_app_that_only_its_own_machine_reaches_is_told_with_what_may_be_the_cause(error: str, hint: str) -> None:
    server, generator = RecordingHost("s", []), RecordingHost("g", [], Fetch=protocol.Reply(error=error))
    cell = measure(topology("web1", server, generator), PLAN, ROW, 1, lambda _: None).cell
    assert cell.reason == f"the load host gets no answer to GET /health: {error} at 10.0.0.1:8080{hint}"


def test_connections_are_bound_by_the_load_hosts_ports_and_by_the_servers_descriptors() -> None:
    server, generator = RecordingHost("s", []), RecordingHost("g", [])
    few = replace(topology("web1", server, generator), unit_open_files={"sanic": 1024})
    assert "the app's process on web1 may have 1024" in measure(few, PLAN, ROW, 1, lambda _: None).cell.reason
    narrow = replace(few, unit_open_files={"sanic": 4096}, generator_facts=replace(FACTS, local_ports=1000))
    assert "; load1 has 1000 (net.ipv4" in measure(narrow, PLAN, ROW, 1, lambda _: None).cell.reason


# On real machines.

TINY_APP = """\
title: Python's own server
runtime: system
source: [serve.py]
command: /usr/bin/python3 serve.py
routes:
  health: {path: /, expect: {body: ok}}
"""
TINY_SERVER = """\
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
TINY_SUITE = """\
title: Tiny
profiles:
  quick: {duration: 1s, threads: 1}
rows:
  - {name: tiny, connections: 4}
"""
THREE = """\
all:
  vars: {benchrig_machine: lab, ansible_user: root}
  children:
    servers: {hosts: {web1: , web2: }}
    loadgens: {hosts: {load1: }}
"""


@pytest.mark.lab
def test_two_servers_are_measured_from_a_third_machine_and_compared(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "clone").root
    for path, text in {
        "apps/tiny/app.yml": TINY_APP,
        "apps/tiny/serve.py": TINY_SERVER,
        "configs/suites/tiny.yml": TINY_SUITE,
        "inventory/servers.yml": THREE,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    hosts = inventory.read("servers", root)
    machines = machines_of(hosts, root)
    try:
        outcome = run.bench(machines.up(), root, plan(root, read_apps(root), BenchRequest(suite="tiny", repeats=2)))
    finally:
        machines.destroy()
    assert outcome.failure is None
    folder = root / outcome.shown
    found, cells = store.read(folder)
    assert found.servers == ("web1", "web2")
    assert [(between.load_host, between.server) for between in found.networks] == [("load1", "web1"), ("load1", "web2")]
    assert all(between.bandwidth_bits_per_second > 1e6 for between in found.networks)
    assert [(cell.host, cell.repeat) for cell in cells] == [("web1", 1), ("web2", 1), ("web2", 2), ("web1", 2)]
    assert not any(cell.load_on_server for cell in cells)
    table = load(folder, root).table
    assert [row.label for row in table.rows] == ["tiny on web1", "tiny on web2"]
    assert table.rows[1].beside is not None
    assert table.rows[1].beside.ratio
