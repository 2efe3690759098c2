"""The relay between a controller and its agent, as a process of its own. The agent is a real one; systemd is left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.agent.bench import daemon, facts, protocol
from benchrig.agent.bench.lines import ALIVE, BYE, WAIT, Envelope, Hello, read_envelope, request_line, welcome
from benchrig.agent.lock import read_owner
from tests.support.waiting import until

FRONT = """
import os, subprocess, sys, time
from pathlib import Path
from agent import lock
from agent.bench import daemon, front
folder = Path(sys.argv[1])
lock.PATH = folder / "run" / "lock"
connect = daemon.connect
daemon.connect = lambda: connect(folder)
daemon.ending = lambda: "it was the cable"
serve = "from agent import lock; from agent.bench import serve; lock.PATH = serve.Path({!r}); "
serve += "serve._KEPT_AFTER_END_SECONDS = 6.0; serve.main()"

def start(program_folder):
    argv = [sys.executable, "-c", serve.format(str(lock.PATH))]
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(folder)}
    agent = subprocess.Popen(argv, cwd=program_folder, env=environment, stdout=2, start_new_session=True)
    (folder / "pid").write_text(str(agent.pid))
    while agent.poll() is None and not (found := daemon.connect()):
        time.sleep(0.01)
    return subprocess.CompletedProcess(argv, agent.returncode or 0, stderr=b"no agent today")

def stop():
    pid = int((folder / "pid").read_text())
    subprocess.run(["kill", "-KILL", str(pid)], stderr=subprocess.DEVNULL)
    while Path(f"/proc/{pid}/fd").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split():
        time.sleep(0.01)
    (folder / "socket").unlink(missing_ok=True)

def is_active():
    return (folder / "pid").exists() and Path("/proc", (folder / "pid").read_text(), "cwd").exists()

daemon.start, daemon.stop, daemon.is_active = start, stop, is_active
front._HELLO_SECONDS = float(sys.argv[2])
raise SystemExit(front.main())
"""
ROOT = Path(facts.__file__).parents[2]
ANN = Hello("ann", "lab1", "ann@laptop, process 1", linger_seconds=60.0)
AGAIN = Hello("ann", "lab1", "ann@laptop, process 1", linger_seconds=60.0, resume=True)
BOB = Hello("bob", "lab1", "bob@desk, process 2", linger_seconds=60.0)


class Relay:
    """A relay that a controller has started."""

    def __init__(self, folder: Path, hello: Hello) -> None:
        argv = [sys.executable, "-c", FRONT, str(folder), "1"]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send(hello.line())

    def send(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def line(self) -> bytes:
        """Return the next line that is no sign of life."""
        assert self.process.stdout
        return next(line for line in iter(self.process.stdout.readline, None) if line != ALIVE)

    def answer(self) -> Envelope:
        return read_envelope(self.line())

    def ask_cpu(self) -> Envelope:
        self.send(request_line(protocol.FindCpuTimes(), 1))
        return self.answer()


@contextmanager
def relay(folder: Path, hello: Hello = ANN) -> Iterator[Relay]:
    made = Relay(folder, hello)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield the agent's folder; the agent is ended."""
    yield tmp_path
    if (tmp_path / "pid").exists():
        subprocess.run(["kill", "-KILL", (tmp_path / "pid").read_text()], stderr=subprocess.DEVNULL, check=False)


def pid_of(folder: Path) -> int:
    return int((folder / "pid").read_text())


def deserted(folder: Path) -> bool:
    owner = read_owner(folder / "run" / "lock")
    return owner is not None and owner.deserted


def test_it_starts_an_agent_and_ends_with_it(folder: Path) -> None:
    with relay(folder) as ann:
        assert ann.answer() == welcome()
        ann.send(request_line(protocol.FindCpuTimes(), 1))
        assert ann.answer().id == 1
        ann.send(BYE)
        assert ann.line() == BYE
        assert ann.process.wait(10) == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, None])
def test_an_agent_outlives_its_relay_and_is_found_again(folder: Path, sign: signal.Signals | None) -> None:
    with relay(folder) as ann:
        ann.answer()
        if sign:
            ann.process.send_signal(sign)
        else:
            assert ann.process.stdin
            ann.process.stdin.close()
        ann.process.wait(10)
    before = pid_of(folder)
    until(lambda: deserted(folder))
    with relay(folder, AGAIN) as ann:
        assert ann.answer() == welcome()
        assert pid_of(folder) == before


def test_who_wants_the_agent_that_is_gone_is_told_why(folder: Path) -> None:
    with relay(folder, AGAIN) as ann:
        assert ann.answer().error == "the agent ended: it was the cable"
        assert ann.process.wait(10) == 1


def test_an_agent_whose_socket_is_gone_is_stopped_and_that_is_told(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
    until(lambda: deserted(folder))
    (folder / "socket").unlink()
    with relay(folder, AGAIN) as ann:
        said = "the agent could not be reached, and was stopped: its socket /run/benchrigd/socket is gone"
        assert ann.answer().error == said
    assert not Path("/proc", str(pid_of(folder)), "cwd").exists()


STARTED = "Starting benchrigd.service - benchrig's agent...\nStarted benchrigd.service - benchrig's agent.\n"
STOPPING = "Stopping benchrigd.service - benchrig's agent...\n"
KILLED = "benchrigd.service: Main process exited, code=killed, status=9/KILL\n"
FAILED = "benchrigd.service: Failed with result 'signal'.\n"


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (STARTED + STOPPING + KILLED + FAILED, "Stopping benchrigd.service - benchrig's agent"),
        (STARTED + KILLED + FAILED, "Main process exited, code=killed, status=9/KILL"),
        (
            STARTED + STOPPING + KILLED + FAILED + STARTED + KILLED + FAILED,
            "Main process exited, code=killed, status=9/KILL",
        ),
        (STARTED + "benchrigd.service: Watchdog timeout (limit 30s)!\n" + KILLED, "Watchdog timeout (limit 30s)"),
        (STARTED, "it is not there any more"),
        ("", "it is not there any more"),
    ],
)
def test_the_journals_most_telling_line_says_how_an_agent_ended(journal: str, said: str) -> None:
    assert daemon._ending(journal) == said


def told_to_wait(newcomer: Relay) -> bool:
    """Read the next answer; return whether it says for whom the host is kept."""
    answer = newcomer.answer()
    return answer.operation == WAIT and "; that controller may be back within" in answer.error


def test_a_newcomer_gets_an_agent_of_its_own_when_the_others_controller_stays_away(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
    until(lambda: deserted(folder))
    before = pid_of(folder)
    with relay(folder, BOB) as bob:
        assert told_to_wait(bob)
        assert pid_of(folder) == before
        assert bob.answer() == welcome()
        assert pid_of(folder) != before


def test_a_newcomer_who_waits_is_refused_when_the_others_controller_comes_back(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
    until(lambda: deserted(folder))
    with relay(folder, BOB) as bob:
        assert told_to_wait(bob)
        with relay(folder, AGAIN) as ann:
            assert ann.answer() == welcome()
            assert bob.answer().error.startswith("a bench by ann@laptop, process 1 has had this host for")
            assert not ann.ask_cpu().error


def test_a_newcomer_who_goes_while_it_waits_changes_nothing(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
    until(lambda: deserted(folder))
    before = pid_of(folder)
    with relay(folder, BOB) as bob:
        assert told_to_wait(bob)
        assert bob.process.stdin
        bob.process.stdin.close()
        assert bob.process.wait(1) == 1
    with relay(folder, AGAIN) as ann:
        assert ann.answer() == welcome()
        assert pid_of(folder) == before


def test_of_two_who_come_at_once_one_is_refused(folder: Path) -> None:
    with relay(folder, ANN) as ann, relay(folder, BOB) as bob:
        errors = sorted((ann.answer().error, bob.answer().error))
    assert errors[0] == ""
    assert "has had this host for" in errors[1]


def test_an_agent_that_hangs_is_replaced_for_a_newcomer_and_told_to_its_own_controller(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
    until(lambda: deserted(folder))
    os.kill(pid_of(folder), signal.SIGSTOP)
    with relay(folder, AGAIN) as ann:
        assert ann.answer().error == "the agent shows no sign of life"
    before = pid_of(folder)
    with relay(folder, BOB) as bob:
        assert not told_to_wait(bob) or bob.answer() == welcome()
        assert pid_of(folder) != before


def test_an_agent_that_hangs_is_not_stopped_by_a_newcomer_while_its_controller_is_there(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
        os.kill(pid_of(folder), signal.SIGSTOP)
        with relay(folder, BOB) as bob:
            assert bob.answer().error.startswith("the agent there does not answer: a bench by ann@laptop, process 1 has had")
        os.kill(pid_of(folder), signal.SIGCONT)
        assert not ann.ask_cpu().error


def test_who_waits_for_an_answer_gets_signs_of_life(folder: Path) -> None:
    with relay(folder) as ann:
        ann.answer()
        os.kill(pid_of(folder), signal.SIGSTOP)
        argv = [sys.executable, "-c", f"from agent.bench import front; front.BEAT_SECONDS = 0.2\n{FRONT}", str(folder), "2"]
        done = subprocess.run(argv, cwd=ROOT, input=AGAIN.line(), capture_output=True, timeout=60, check=False)
    assert done.stdout.count(ALIVE) in range(5, 11)


@pytest.mark.parametrize("first", [b"", b"x" * 100_000, b"nonsense\n"])
def test_a_controller_that_says_nothing_of_use_gets_nothing(folder: Path, first: bytes) -> None:
    argv = [sys.executable, "-c", FRONT, str(folder), "1"]
    done = subprocess.run(argv, cwd=ROOT, input=first, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
