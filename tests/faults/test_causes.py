"""A failed cell names its cause: processes that ended, memory, another server on the port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchrig.agent.bench import ports, sampler, unit
from benchrig.agent.bench.memory import OomKills
from tests.support.faults import fault

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")
LIMIT = 48 << 20


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@pytest.fixture
def small_group() -> Iterator[Path]:
    """Yield a control group of little memory: of cgroup v1 or v2, whichever counts memory here."""
    root, name, value = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", str(LIMIT)
    if not root.is_dir():
        root, name = Path("/sys/fs/cgroup"), "memory.max"
    group = root / f"benchrig-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(value)
    except OSError as error:
        pytest.skip(f"this machine limits the memory of no control group: {error}")
    with contextlib.suppress(OSError):
        (group / "memory.swap.max").write_text("0")
    yield group
    until(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()


@as_root
@fault(
    "Causes",
    done="an app needs more memory than its control group has",
    promised="the cell fails: the OOM kill is counted, with the memory used and the limit",
    seen="a process of 200 MiB in a group of 48 MiB ended by signal 9; 1 OOM kill, limit 48 MiB",
)
def test_an_oom_kill_is_counted_in_the_control_group_of_the_app(small_group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.stdin.readline(); bytearray(200 << 20); sys.stdin.readline()"
    monkeypatch.setattr(sampler, "CGROUP_ROOTS", (small_group.parent,))
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdin=subprocess.PIPE) as app:
        assert app.stdin
        (small_group / "cgroup.procs").write_text(str(app.pid))
        watched = sampler.Sampler(small_group.name)
        watched.start()
        app.stdin.write(b"\n")
        app.stdin.flush()
        assert app.wait(20) == -9
    seen = watched.stop()
    assert (seen.ended, seen.replaced, seen.oom_kills, seen.memory_limit_bytes) == (1, 0, 1, LIMIT)


@as_root
@fault(
    "Causes",
    done="an app is killed with SIGKILL, and memory is not the reason",
    promised="the cell fails, and memory is not blamed",
    seen="0 OOM kills, 1 process ended",
)
def test_a_killed_app_is_not_said_to_lack_memory(small_group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "CGROUP_ROOTS", (small_group.parent,))
    with subprocess.Popen(["sleep", "60"]) as app:
        (small_group / "cgroup.procs").write_text(str(app.pid))
        kills = OomKills([app.pid])
        watched = sampler.Sampler(small_group.name)
        watched.start()
        app.kill()
    assert (kills.count(), watched.stop().ended) == (0, 1)


WORKERS = """
import os, signal, time
def worker():
    pid = os.fork()
    if not pid:
        signal.pause()
    return pid
worker(), worker()
while True:
    os.wait()
    worker()
"""


@as_root
@fault(
    "Causes",
    done="a worker of an app is killed in the measurement, and the app starts another",
    promised="the cell is invalid: a worker of the app ended and was replaced",
    seen="of 3 processes 1 had ended and was replaced, although 3 were there before and after",
)
def test_a_worker_that_is_replaced_is_noticed(small_group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "CGROUP_ROOTS", (small_group.parent,))
    with subprocess.Popen(
        ["sh", "-c", 'echo $$ > "$0"; exec "$@"', str(small_group / "cgroup.procs"), sys.executable, "-S", "-c", WORKERS]
    ) as app:
        processes = sampler.UnitProcesses(small_group.name)
        until(lambda: len(processes.pids()) == 3)
        watched = sampler.Sampler(small_group.name)
        watched.start()
        worker = next(pid for pid in processes.pids() if pid != app.pid)
        os.kill(worker, 9)
        until(lambda: len(processes.pids()) == 3 and worker not in processes.pids())
        seen = watched.stop()
        for pid in processes.pids():
            os.kill(pid, 9)
    assert (seen.ended, seen.replaced) == (1, 1)


SHARES = """
import socket, sys
server = socket.socket(socket.AF_INET6 if sys.argv[2] == "6" else socket.AF_INET)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
server.bind(("", int(sys.argv[1])))
server.listen()
print(flush=True)
sys.stdin.read()
"""


@as_root
@pytest.mark.parametrize("family", ["4", "6"])
@fault(
    "Causes",
    done="another program listens on the app's port with SO_REUSEPORT",
    promised="the cell fails, before the load or after it, and the program is named",
    seen="the kernel gives both a part of the connections; the second is named by process and command",
)
def test_a_stranger_on_the_port_of_the_app_is_named(family: str) -> None:
    with socket.socket() as app:
        app.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        app.bind(("127.0.0.1", 0))
        app.listen()
        port = app.getsockname()[1]
        assert ports.stranger(lambda: [os.getpid()], port) is None
        with subprocess.Popen(
            [sys.executable, "-S", "-c", SHARES, str(port), family], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout
            other.stdout.readline()
            found = ports.stranger(lambda: [os.getpid()], port)
            assert found
            assert (found.pid, found.listens) == (other.pid, True)
            assert "SO_REUSEPORT" in found.command
            assert ports.stranger(lambda: [os.getpid(), other.pid], port) is None
            other.communicate()


@as_root
@fault(
    "Apps and units",
    done="a unit was changed so that its app runs as root",
    promised="the app is stopped at once, and the cell fails with the user's name",
    seen="a process of root is found by its Uid in /proc: `the app ran as user root, not as nobody (process …)`",
)
def test_an_app_that_runs_as_another_user_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd is left out: `kill` is recorded. The lab test of units has it too, with a real unit."""
    killed: list[str] = []
    monkeypatch.setattr(unit, "USER", "nobody")
    monkeypatch.setattr(unit, "kill", killed.append)
    with subprocess.Popen(["sleep", "60"], user="nobody") as right, subprocess.Popen(["sleep", "60"]) as wrong:
        unit._check_user("benchrig-x.service", [0, right.pid])
        assert killed == []
        with pytest.raises(unit.UnitError, match=f"ran as user root, not as nobody .process {wrong.pid}."):
            unit._check_user("benchrig-x.service", [right.pid, wrong.pid])
        right.kill()
        wrong.kill()
    assert killed == ["benchrig-x.service"]
