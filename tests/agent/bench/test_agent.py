"""The bench agent as a process of its own: one controller, each request done once, and what happens when nobody is there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchrig.agent.bench import facts, protocol
from benchrig.agent.bench.lines import (
    ALIVE,
    BYE,
    Envelope,
    Hello,
    is_news,
    read_envelope,
    read_news,
    request_line,
    welcome,
)
from benchrig.agent.lock import Owner, read_owner, take
from tests.support.waiting import until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")

AGENT = """
import sys
from agent import lock
from agent.bench import lines, serve
lock.PATH = serve.Path(sys.argv[1])
serve.BEAT_SECONDS = float(sys.argv[2])
serve._GONE_SECONDS = 5 * serve.BEAT_SECONDS
serve._KEPT_SECONDS, serve._KEPT_AFTER_END_SECONDS = map(float, sys.argv[3:])
raise SystemExit(serve.main())
"""
ANN = Hello("ann", "lab1", "ann@laptop, process 1", linger_seconds=60.0)
BOB = Hello("bob", "lab1", "bob@desk, process 2", linger_seconds=60.0)
AGAIN = Hello("ann", "lab1", "ann@laptop, process 1", linger_seconds=60.0, resume=True)


@contextmanager
def agent(
    folder: Path, beat: float = 5.0, kept: float = 0.0, kept_after_end: float = 0.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the agent as systemd starts it, in a folder of its own, and wait until it listens."""
    root = Path(facts.__file__).parents[2]
    argv = [sys.executable, "-c", AGENT, str(folder / "run" / "lock"), *map(str, (beat, kept, kept_after_end))]
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(folder)}
    with subprocess.Popen(argv, cwd=root, env=environment) as process:
        try:
            until(lambda: (folder / "socket").exists())
            yield process
        finally:
            process.kill()


class Controller:
    """A controller's end of the line."""

    def __init__(self, folder: Path, hello: Hello = ANN) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        # Listening comes a moment after the socket's file.
        until(lambda: self.socket.connect_ex(str(folder / "socket")) == 0)
        self.file = self.socket.makefile("rb")
        self.send(hello.line())

    def __enter__(self) -> Controller:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def send(self, line: bytes) -> None:
        self.socket.sendall(line)

    def line(self) -> bytes:
        """Return the next line that is no sign of life."""
        return next(line for line in iter(self.file.readline, None) if line != ALIVE)

    def answer(self) -> Envelope:
        return read_envelope(self.line())

    def ask(self, operation: protocol.Operation[object], number: int) -> Envelope:
        self.send(request_line(operation, number))
        return self.answer()

    def answer_of(self, operation: protocol.Operation[object], number: int) -> bytes:
        """Ask, and return the answer's line; news may come before it."""
        self.send(request_line(operation, number))
        return next(line for line in iter(self.line, None) if not is_news(line))

    def leave(self) -> None:
        self.file.close()
        self.socket.close()


class Counting(BaseHTTPRequestHandler):
    """Counts its requests, and answers slowly, with a body as long as the path says."""

    count = 0

    def do_GET(self) -> None:
        type(self).count += 1
        threading.Event().wait(0.5)
        body = b"x" * int(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def slow() -> Iterator[int]:
    """Yield the port of a server that takes half a second for each request, and counts them."""
    Counting.count = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


def fetch(port: int, length: int = 1) -> protocol.Fetch:
    return protocol.Fetch("127.0.0.1", port, f"/{length}", 5.0)


def running(*argv: str) -> bool:
    """Tell whether a program runs with exactly these words."""
    wanted = "\0".join(argv)
    return any(facts.read(path).strip("\0") == wanted for path in Path("/proc").glob("[0-9]*/cmdline"))


def test_it_answers_request_after_request_and_outlives_bad_ones(tmp_path: Path, slow: int) -> None:
    with agent(tmp_path) as process, Controller(tmp_path) as ann:
        assert ann.answer() == welcome()
        for bad in (b"nonsense", b"[]", b'{"operation": "Reboot", "id": 1}', b'{"value": {"a": NaN}}', b"[" * 9999):
            ann.send(bad + b"\n")
            assert ann.answer().error
        assert ann.ask(fetch(slow), 2).value["body"] == "x"
        failed = ann.ask(protocol.ResetData("no-such-set"), 3)
        assert (failed.id, "the data set 'no-such-set' is not on this machine" in failed.error) == (3, True)
        ann.send(BYE)
        assert ann.line() == BYE
        assert process.wait(10) == 0


def test_a_body_of_4_mib_comes_whole(tmp_path: Path, slow: int) -> None:
    with agent(tmp_path), Controller(tmp_path) as ann:
        ann.answer()
        assert len(str(ann.ask(fetch(slow, 4 << 20), 1).value["body"])) == 4 << 20


def test_a_request_is_done_once_however_often_it_comes(tmp_path: Path, slow: int) -> None:
    with agent(tmp_path):
        with Controller(tmp_path) as ann:
            ann.answer()
            ann.send(request_line(fetch(slow), 1))
            until(lambda: Counting.count == 1)
        # In work still, and then done.
        for _ in range(2):
            with Controller(tmp_path, AGAIN) as ann:
                assert ann.answer() == welcome()
                assert ann.ask(fetch(slow), 1).value["body"] == "x"
                assert ann.ask(fetch(slow), 1).value["body"] == "x"
        assert Counting.count == 1


def test_an_operation_in_work_is_not_disturbed_by_another_request(tmp_path: Path, slow: int) -> None:
    with agent(tmp_path), Controller(tmp_path) as ann:
        ann.answer()
        ann.send(request_line(fetch(slow), 1))
        assert ann.ask(protocol.FindCpuTimes(), 2).error == "another operation is in work"
        assert ann.answer().value["body"] == "x"


def test_a_connection_that_comes_again_replaces_a_half_open_one(tmp_path: Path) -> None:
    with agent(tmp_path), Controller(tmp_path) as dead, Controller(tmp_path, AGAIN) as ann:
        assert dead.answer() == ann.answer() == welcome()
        assert dead.socket.recv(1) == b""
        assert not ann.ask(protocol.FindCpuTimes(), 1).error


@as_root
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_load_goes_on_when_the_controller_is_gone_and_ends_with_its_goodbye(tmp_path: Path, sign: signal.Signals) -> None:
    sleeping = ("sleep", f"1234.{sign}")
    with agent(tmp_path):
        with Controller(tmp_path) as ann:
            ann.answer()
            ann.send(request_line(protocol.RunLoad(sleeping, "", 60.0), 1))
            until(lambda: running(*sleeping))
        with Controller(tmp_path, AGAIN) as ann:
            ann.answer()
            assert running(*sleeping)
            ann.send(b'{"half a li' + b"\n" + BYE)
            until(lambda: not running(*sleeping))


@as_root
def test_an_agent_whose_controller_stays_away_stops_its_load_and_ends(tmp_path: Path) -> None:
    sleeping = ("sleep", "1234.6")
    with agent(tmp_path, beat=0.1) as process:
        with Controller(tmp_path, Hello("ann", "lab1", "ann", linger_seconds=0.5)) as ann:
            ann.answer()
            ann.send(request_line(protocol.RunLoad(sleeping, "", 60.0), 1))
            until(lambda: running(*sleeping))
        assert process.wait(10) == 0
    until(lambda: not running(*sleeping))


def test_a_controller_that_gives_no_sign_of_life_counts_as_gone(tmp_path: Path) -> None:
    with agent(tmp_path, beat=0.1), Controller(tmp_path) as silent:
        silent.answer()
        assert silent.file.readline() == ALIVE
        until(lambda: (owner := read_owner(tmp_path / "run" / "lock")) is not None and owner.deserted)
        with Controller(tmp_path, AGAIN) as ann:
            assert ann.answer() == welcome()
            for _ in range(10):
                # Signs of life keep it.
                assert ann.file.readline() == ALIVE
                ann.send(ALIVE)


@pytest.mark.parametrize(
    "newcomer", [BOB, replace(ANN, client="lab2")], ids=["another controller", "the same under another name"]
)
def test_a_second_controller_is_refused_with_owner_and_age_while_the_first_is_there(tmp_path: Path, newcomer: Hello) -> None:
    with agent(tmp_path) as process, Controller(tmp_path) as ann:
        ann.answer()
        with Controller(tmp_path, newcomer) as bob:
            said = f"a bench by {ANN.who} has had this host for 0 s (process {process.pid} on the host)"
            assert bob.answer().error == said
        assert not ann.ask(protocol.FindCpuTimes(), 1).error


def test_a_newcomer_ends_an_agent_whose_own_controller_is_gone(tmp_path: Path) -> None:
    with agent(tmp_path) as process:
        with Controller(tmp_path) as ann:
            ann.answer()
        until(lambda: (owner := read_owner(tmp_path / "run" / "lock")) is not None and owner.deserted)
        with Controller(tmp_path, BOB) as bob:
            assert bob.file.readline() == b""
        assert process.wait(10) == 0


def test_a_silent_controller_is_waited_for_longer_than_one_whose_connection_ended(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run" / "lock"

    def kept() -> float:
        owner = read_owner(path)
        return owner.kept_seconds if owner else 0.0

    with agent(tmp_path, beat=0.1, kept=60.0, kept_after_end=1.0):
        with Controller(tmp_path) as ann:
            ann.answer()
            until(lambda: kept() > 30)
            with Controller(tmp_path, BOB) as bob:
                assert "; that controller may be back within" in bob.answer().error
            with Controller(tmp_path, AGAIN) as again:
                assert again.answer() == welcome()
                assert kept() == 0
        until(lambda: 0 < kept() <= 1)
        with Controller(tmp_path, BOB) as bob:
            assert "; that controller may be back within" in bob.answer().error
        until(lambda: kept() == 0)
        with Controller(tmp_path, BOB) as bob:
            assert bob.file.readline() == b""


def test_a_provision_that_has_the_host_keeps_a_bench_out(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    owner = Owner("provision", "bob", BOB.who, os.getpid(), 0.0)
    with take(path, owner), agent(tmp_path) as process:
        with Controller(tmp_path) as ann:
            assert "a provision by bob@desk, process 2 has had this host for" in ann.answer().error
        assert process.wait(10) == 0


def test_a_controller_of_another_version_ends_nobodys_bench(tmp_path: Path) -> None:
    other = Envelope("Hello", {"name": "bob"}).line()
    with agent(tmp_path) as process:
        with Controller(tmp_path) as ann, socket.socket(socket.AF_UNIX) as bob:
            ann.answer()
            bob.connect(str(tmp_path / "socket"))
            bob.sendall(other)
            assert b"a bench by ann@laptop" in bob.recv(1000)
            assert not ann.ask(protocol.FindCpuTimes(), 1).error
        until(lambda: (owner := read_owner(tmp_path / "run" / "lock")) is not None and owner.deserted)
        with socket.socket(socket.AF_UNIX) as bob:
            bob.connect(str(tmp_path / "socket"))
            bob.sendall(other)
            assert bob.recv(1000) == b""
        assert process.wait(10) == 0


@pytest.mark.parametrize("first", [b"\n\n{}\n", b"nonsense\n", request_line(protocol.FindCpuTimes(), 1), b"\xff\n"])
def test_who_does_not_greet_is_turned_away(tmp_path: Path, first: bytes) -> None:
    with agent(tmp_path):
        with socket.socket(socket.AF_UNIX) as stranger:
            until(lambda: stranger.connect_ex(str(tmp_path / "socket")) == 0)
            stranger.settimeout(10)
            stranger.sendall(first)
            assert stranger.recv(1) == b""
        with Controller(tmp_path) as ann:
            assert ann.answer() == welcome()


def test_only_root_can_talk_to_it(tmp_path: Path) -> None:
    with agent(tmp_path):
        assert (tmp_path / "socket").stat().st_mode & 0o777 == 0o600


def test_the_app_is_named_for_whoever_cleans_up(tmp_path: Path) -> None:
    with agent(tmp_path), Controller(tmp_path) as ann:
        ann.answer()
        # There is no such unit here, or no systemd at all.
        assert ann.ask(protocol.Start("benchrig-nobody.service"), 1).error
        assert (tmp_path / "app").read_text() == "benchrig-nobody.service\n"


def test_the_controller_hears_each_second_what_the_sampler_counts_and_what_it_asks_is_answered(tmp_path: Path) -> None:
    with agent(tmp_path), Controller(tmp_path) as ann:
        ann.answer()
        began = read_envelope(ann.answer_of(protocol.StartSampling("no-such.service"), 1))
        assert began.value.keys() == {"segments", "opened"}
        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
            first, second = (read_news(ann.line()) for _ in range(2))
        assert 0 <= first.seconds < second.seconds
        assert second.segments >= first.segments
        assert 0.9 < second.seconds - first.seconds < 3
        assert 0 <= second.idle_percent <= 100


def test_a_controller_that_lost_its_link_hears_news_again(tmp_path: Path) -> None:
    with agent(tmp_path):
        with Controller(tmp_path) as ann:
            ann.answer()
            ann.answer_of(protocol.StartSampling("no-such.service"), 1)
            assert is_news(ann.line())
        with Controller(tmp_path, AGAIN) as ann:
            assert ann.answer() == welcome()
            assert is_news(ann.line())
            seen = read_envelope(ann.answer_of(protocol.StopSampling(), 2))
            assert seen.value["samples"]
