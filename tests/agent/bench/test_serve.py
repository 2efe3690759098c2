"""The agent's side of a bench: what it reads of a machine, runs and watches. It is done for real, on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchrig.agent.bench import facts as bench_facts
from benchrig.agent.bench import ports, processes, protocol, sampler, series, unit
from benchrig.agent.bench.fetch import fetch
from benchrig.agent.bench.lines import read_envelope, read_operation, request_line
from benchrig.agent.bench.load import LoadRunner
from tests.support.waiting import until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def reserved() -> Iterator[Path]:
    """Yield where the kernel keeps its reserved ports; what was there is put back."""
    path = Path(ports.RESERVED_PORTS)
    before = path.read_text()
    yield path
    path.write_text(before)


@as_root
def test_port_of_an_app_is_kept_from_clients_once(reserved: Path) -> None:
    reserved.write_text("5432,9000-9010")
    for port in (8090, 9005, 8090):
        ports.reserve(port)
    assert reserved.read_text().strip() == "5432,8090,9000-9010"


OPERATIONS = [
    protocol.FindMachineFacts({"wrk": ("wrk", "-v")}),
    protocol.FreePort(8080),
    protocol.RunLoad(("wrk", "-t4"), "x = 1\n", 5.0),
    protocol.Fetch("::1", 80, "/", 1.0, "POST", {"X-Key": "k"}, "größe"),
    protocol.FindDatabaseLoad("films", "review", ended=True),
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_arrives_as_it_was_sent(operation: protocol.Operation[object]) -> None:
    envelope = read_envelope(request_line(operation, 7))
    assert (envelope.id, read_operation(envelope)) == (7, operation)


@pytest.mark.parametrize("line", [b"", b"[]", b'{"operation": "Reboot"}', b'{"operation": "FreePort", "value": {}}'])
def test_a_line_that_asks_for_nothing_known_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_operation(read_envelope(line))


def test_facts_are_those_of_this_machine() -> None:
    facts = bench_facts.facts({"kept": ("sh", "-c", "echo it is 4.1.0"), "absent": ("no-such-program",)})
    assert facts.cores == len(os.sched_getaffinity(0))
    assert facts.memory_bytes > 1 << 28
    assert facts.sysctls["net.core.somaxconn"].isdigit()
    assert facts.open_files == bench_facts.raise_open_files()
    assert facts.versions["python3"].startswith("3.")
    assert (facts.versions["kept"], "absent" in facts.versions) == ("4.1.0", False)


def test_what_the_cpus_of_this_machine_did_is_the_difference_of_two_readings() -> None:
    before = sampler.read_cpu_times()
    began = time.process_time()
    while time.process_time() < began + 0.2:
        pass
    shares = sampler.read_cpu_times().since(before)
    assert shares.seconds >= 0.2
    # The loop alone is more than a quarter of its share.
    assert 0 <= shares.idle_percent < 100 - 25 * 0.2 / shares.seconds / (os.cpu_count() or 1)
    assert 0 <= shares.steal_percent + shares.interrupt_percent <= 100 - shares.idle_percent


def test_shares_of_the_cpus_time_are_those_since_the_earlier_reading() -> None:
    before = protocol.CpuTimes(at=100.0, total=400.0, idle=200.0, steal=10.0, interrupts=20.0)
    after = protocol.CpuTimes(at=105.0, total=420.0, idle=215.0, steal=11.0, interrupts=20.5)
    assert after.since(before) == protocol.CpuShares(5.0, idle_percent=75.0, steal_percent=5.0, interrupt_percent=2.5)
    assert before.since(before) == protocol.CpuShares(0.0, 0.0, 0.0, 0.0)


def test_a_port_that_somebody_listens_on_is_taken_and_they_are_named() -> None:
    with listening() as port:
        assert not ports.is_free(port)
        found = ports.holder(port)
        assert (found.free, found.pid, found.listens) == (False, os.getpid(), True)
        assert Path(sys.executable).name in found.command
    assert ports.is_free(port)


def test_a_port_that_is_a_clients_own_end_is_taken_and_the_client_is_named() -> None:
    with listening() as server, socket.create_connection(("127.0.0.1", server)) as client:
        port = client.getsockname()[1]
        assert not ports.is_free(port)
        found = ports.holder(port)
        assert (found.free, found.pid, found.listens) == (False, os.getpid(), False)


def test_an_app_that_listens_on_another_port_or_on_none_is_told() -> None:
    us = [os.getpid()]
    with listening() as port:
        assert ports.listens_elsewhere(us, port) == ""
        assert f" {port}" in ports.listens_elsewhere(us, 1)
    with subprocess.Popen(["sleep", "60"]) as silent:
        assert ports.listens_elsewhere([silent.pid], port) == "; it listens on no port"
        silent.kill()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}, "exit status 3"),
        ({"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"}, "signal 9"),
        ({"Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9"}, "oom-kill, signal 9"),
        ({"Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0"}, "exit status 0"),
        ({"Result": "success", "ExecMainCode": "2", "ExecMainStatus": "9"}, "signal 9"),
        ({"Result": "success", "ExecMainCode": "0", "ExecMainStatus": "0"}, "exit status 0, or signal 9"),
        ({"Result": "timeout", "ExecMainCode": "2", "ExecMainStatus": "9"}, "timeout, signal 9"),
    ],
)
def test_how_an_app_ended_is_told_as_systemd_saw_it(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, str], told: str
) -> None:
    monkeypatch.setattr(unit, "show", lambda _unit, *names: {name: state[name] for name in names})
    assert unit._ending("benchrig-x.service") == told


def test_a_port_that_nobody_answers_on_is_an_answer() -> None:
    with listening() as port:
        pass
    assert "refused" in fetch(protocol.Fetch("127.0.0.1", port, "/", 1.0)).error


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, or with a body as long as the path says."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(201, f"{self.command} {self.path} {self.headers['X-Key']} ".encode() + sent)

    def do_GET(self) -> None:
        self.answer(200, b"x" * int(self.path[1:]))

    def do_PUT(self) -> None:
        """Answer drop by drop: the body, or the headers."""
        self.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"\r\n" if self.path == "/body" else b"X-Long: "))
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def echo() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_request_is_sent_with_its_method_headers_and_body(echo: int) -> None:
    reply = fetch(protocol.Fetch("127.0.0.1", echo, "/a?b", 5.0, "POST", {"X-Key": "k"}, '{"title": "größe"}'))
    assert reply == protocol.Reply(201, 'POST /a?b k {"title": "größe"}')


@pytest.mark.parametrize(
    ("length", "read", "cut"), [(70_000, 70_000, False), (4 << 20, 4 << 20, False), (5 << 20, 4 << 20, True)]
)
def test_a_body_is_read_whole_up_to_4_mib(echo: int, length: int, read: int, cut: bool) -> None:
    reply = fetch(protocol.Fetch("127.0.0.1", echo, f"/{length}", 5.0))
    assert (len(reply.body), reply.cut, reply.error) == (read, cut, "")


@pytest.mark.parametrize("path", ["/body", "/headers"])
def test_a_reply_that_comes_drop_by_drop_is_ended(echo: int, path: str) -> None:
    began = time.monotonic()
    reply = fetch(protocol.Fetch("127.0.0.1", echo, path, 0.5, "PUT"))
    assert reply == protocol.Reply(error="no whole reply within 1 s")
    assert time.monotonic() - began < 3


def test_a_request_that_cannot_be_sent_is_an_answer_too(echo: int) -> None:
    reply = fetch(protocol.Fetch("127.0.0.1", echo, "/", 5.0, headers={"X-Key": "two\nlines"}))
    assert reply.error.startswith("Invalid header value")


@as_root
def test_a_load_generator_is_run_unprivileged_with_its_script_timed_and_accounted() -> None:
    code = "import os, sys; s = open(sys.argv[1]).read(); x = sum(range(10**6)); print(os.getuid(), s)"
    # Pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        output = LoadRunner(Path(folder)).run(("/usr/bin/python3", "-S", "-c", code, "{script}"), "the script", 20.0)
    assert (output.exit_code, output.stderr) == (0, "")
    uid, script = output.stdout.strip().split(" ", 1)
    assert uid != "0"
    assert script == "the script"
    assert 0 < output.cpu_seconds <= output.wall_seconds + 0.05
    assert output.open_files == bench_facts.raise_open_files()


@as_root
def test_a_load_generator_that_hangs_is_killed(tmp_path: Path) -> None:
    output = LoadRunner(tmp_path).run(("sleep", "60"), "", 0.1)
    assert output.killed
    assert output.exit_code == -9
    assert output.wall_seconds < 5


@as_root
def test_a_load_generator_that_is_not_there_is_named_with_what_brings_it(tmp_path: Path) -> None:
    with pytest.raises(
        OSError, match=r"the program '/no/such/program' is not on this machine; \./inv provision installs it"
    ):
        LoadRunner(tmp_path).run(("/no/such/program",), "", 1.0)


def test_the_sampler_counts_what_its_machine_and_itself_use() -> None:
    watched = sampler.Sampler("/no/such/group")
    watched.start()
    time.sleep(0.2)
    seen = watched.stop()
    assert seen.seconds >= 0.2
    assert (seen.cpu_percent, seen.processes) == (0.0, 0)
    assert 0 <= seen.machine_idle_percent <= 100
    assert seen.samples >= 1
    assert 0 < seen.sampler_cpu_seconds < 0.1


def test_a_process_that_has_ended_still_counts_where_there_is_no_group_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "CGROUP_ROOTS", (tmp_path,))
    with subprocess.Popen([sys.executable, "-S", "-c", "sum(range(10**7)); input()"], stdin=subprocess.PIPE) as busy:
        (tmp_path / "cgroup.procs").write_text(f"{busy.pid}\n")
        watch = series.Watch(processes.UnitProcesses("/"))
        until(lambda: watch.read().app_cpu_seconds >= 0.05)
        until(lambda: watch.read().memory_bytes > 1 << 20)
        assert watch.read().processes == 1
        busy.kill()
    time.sleep(series.HELD_SECONDS)
    after = watch.read()
    watch.close()
    assert after.app_cpu_seconds >= 0.05
    assert (after.memory_bytes, after.processes) == (0, 0)
