"""The bench on a real lab machine: what the generator's script counts, and what a host does when something is in the way."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from benchrig.agent.bench import protocol
from benchrig.bench.app import App, read_app
from benchrig.bench.generators.base import Shape
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.generators.wrk.output import read_load
from benchrig.bench.host import AgentHost, Agents, OperationError
from benchrig.bench.runtimes import probes
from benchrig.bench.traffic import Route, Traffic
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import ssh
from benchrig.results.audit import warnings
from benchrig.results.codes import Code
from benchrig.results.store import find_run, read
from tests.support.clone import Clone, Done

pytestmark = pytest.mark.lab

URL = "http://127.0.0.1:8080/health"
SHORT = Shape(threads=1, connections=10, duration_seconds=1.0, timeout_seconds=5.0)


@contextmanager
def on(machine: Host) -> Iterator[AgentHost]:
    with Agents(60.0) as agents:
        yield agents.start(machine)


@pytest.fixture
def go(clone: Clone, main_job: Done) -> App:
    """Return the Go app, which is deployed."""
    assert main_job.code == 0
    return read_app(clone.root / "apps" / "go")


@contextmanager
def started(host: AgentHost, app: App) -> Iterator[None]:
    assert host.ask(protocol.FreePort(8080)).free
    host.ask(protocol.Start(app.unit))
    assert host.ask(protocol.AwaitAnswer(app.unit, 8080, app.routes["health"].path, 10.0)).ready
    yield
    assert host.ask(protocol.Stop(app.unit, 8080)).port.free


def script(route: Route) -> str:
    return WRK.script(Traffic((route,)), {})


def load(host: AgentHost, script: str) -> protocol.LoadOutput:
    return host.ask(protocol.RunLoad(WRK.command(SHORT, URL), script, 30.0))


def test_every_reply_is_checked_and_a_wrong_body_is_counted_with_an_example(lab1: Host, go: App) -> None:
    health = go.routes["health"]
    with on(lab1) as host, started(host, go):
        right = read_load(load(host, script(health)).stdout)
        wrong = read_load(load(host, script(replace(health, body="no"))).stdout)
        status = read_load(load(host, script(replace(health, status=201))).stdout)
    assert right.requests == right.replies_checked > 0
    assert (right.replies_wrong, right.wrong_example) == (0, "")
    assert wrong.replies_wrong == wrong.replies_checked
    assert wrong.wrong_example == status.wrong_example == "200 ok"


def test_a_script_that_cannot_be_loaded_is_told_by_wrk_on_stderr_only(lab1: Host, go: App) -> None:
    with on(lab1) as host, started(host, go):
        output = load(host, "function (")
    assert output.exit_code == 0
    assert "script:" in output.stderr


def test_cpu_time_of_the_app_is_its_units_and_that_of_the_sampler_is_small(lab1: Host, go: App) -> None:
    with on(lab1) as host, started(host, go):
        host.ask(protocol.StartSampling(go.unit))
        load(host, script(go.routes["health"]))
        busy = host.ask(protocol.StopSampling())
        host.ask(protocol.StartSampling(go.unit))
        time.sleep(1.0)
        idle = host.ask(protocol.StopSampling())
    assert busy.processes == idle.processes == 1
    assert busy.cpu_percent > idle.cpu_percent
    assert idle.cpu_percent < 5
    assert busy.memory_peak_bytes > 1 << 20
    assert busy.sampler_cpu_seconds < 0.01 * busy.seconds


def test_what_runs_is_read_from_the_processes(lab1: Host, go: App) -> None:
    with on(lab1) as host, started(host, go):
        ran = host.ask(protocol.FindWhatRuns(go.name, go.unit, go.file.port, (), probes("go")))
    assert ran.alive
    assert ran.versions["Go"].startswith("1.22")
    assert ran.open_files >= 1024


def test_a_unit_that_is_not_there_is_the_hosts_own_words(lab1: Host, main_job: Done) -> None:
    assert main_job.code == 0
    with on(lab1) as host, pytest.raises(OperationError, match=r"lab1: .*benchrig-nobody\.service not found"):
        host.ask(protocol.Start("benchrig-nobody.service"))


def test_a_second_bench_on_the_machine_is_refused_and_the_first_goes_on(lab1: Host, main_job: Done) -> None:
    assert main_job.code == 0
    with on(lab1) as first:
        first.ask(protocol.FindMachineFacts({}))
        with (
            on(lab1) as second,
            pytest.raises(HostError, match=r"^lab1: a bench by .+ has had this host for \d+ s \(process \d+ on the host\)$"),
        ):
            second.ask(protocol.FindMachineFacts({}))
        assert first.ask(protocol.FindMachineFacts({})).cores > 0
    with on(lab1) as third:
        assert third.ask(protocol.FindMachineFacts({})).cores > 0


def test_a_port_that_a_stranger_holds_fails_the_cell_and_names_them(clone: Clone, lab1: Host, main_job: Done) -> None:
    assert main_job.code == 0
    with ssh.connect(lab1) as remote, remote.open(["python3", "-m", "http.server", "8080"]):
        time.sleep(1.0)
        done = clone.inv("bench", "--only", "go-2000", "--duration", "1s")
        remote.run(["pkill", "-f", "http.server 8080"])
    assert done.code == 1
    assert "port 8080 is taken by process" in done.stderr
    assert "python3 -m http.server 8080" in done.stderr


def test_an_app_that_dies_under_the_load_fails_its_cell(clone: Clone, lab1: Host, main_job: Done) -> None:
    assert main_job.code == 0
    bench = subprocess.Popen(
        ["./inv", "bench", "--only", "go-2000", "--duration", "3s"], cwd=clone.root, stderr=subprocess.PIPE
    )
    with ssh.connect(lab1) as remote:
        # The warm-up has one thread; the load is the wrk with four.
        while remote.run(["pgrep", "-f", "^wrk -t4 "]).code:
            assert bench.poll() is None
            time.sleep(0.1)
        remote.run(["systemctl", "kill", "--signal=KILL", "benchrig-go.service"])
    assert bench.wait(60) == 1
    (cell,) = read(find_run(clone.root / "reports"))[1]
    assert (cell.status, cell.reason) == ("failed", "the app died under the load (exit status 0, or signal 9)")


def test_replies_that_stored_nothing_are_found_by_counting_the_rows(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    rows = ("films-flask-published.review", "films-quart.review")
    assert clone.inv("bench", "--suite", "quart-vs-flask", "--only", ",".join(rows), "--duration", "2s").code == 0
    run, cells = read(find_run(clone.root / "reports"))
    published, quart = (cell.database for cell in cells)
    assert published
    assert quart
    assert [Code.NOT_STORED in {warning.code for warning in warnings(cell, run)} for cell in cells] == [True, False]
    assert published.stored == 0
    # Its pool keeps one connection and closes all others after use.
    assert published.sessions > 20 >= quart.sessions
    assert run.database
    assert run.database.settings["max_connections"] == "100"


def test_a_postgresql_that_is_stopped_is_told_before_anything_is_measured(clone: Clone, lab1: Host, main_job: Done) -> None:
    assert main_job.code == 0
    bench = ("bench", "--suite", "quart-vs-flask", "--only", "films-quart.film", "--duration", "1s")
    # Deployed first, for to deploy starts it again.
    assert clone.inv(*bench).code == 0
    with ssh.connect(lab1) as remote:
        remote.run(["systemctl", "stop", "postgresql@15-main"])
        done = clone.inv(*bench)
        remote.run(["systemctl", "start", "postgresql@15-main"])
    assert done.code == 1
    assert done.stderr == (
        "to measure: 1 cell, about 4 s\n"
        "error: lab1: PostgreSQL does not answer: it does not run, for its socket is not there; "
        "./inv provision --tags postgresql starts it\n"
        "More: docs/troubleshooting.md#postgresql-does-not-answer\n"
    )
