"""A failed cell names its cause, on a real machine: memory, workers, ports, PostgreSQL, wrk, disk."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.inventory import Host
from tests.support.clone import Clone, Done
from tests.support.faults import fault
from tests.support.mine import give, on

pytestmark = pytest.mark.lab

SERVER = """
import os, socket, sys, threading
what = sys.argv[1]
if what == "writer":
    open("/tmp/file", "wb").write(b"x" * (1 << 20))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
server.bind(("0.0.0.0", 8080))
server.listen(1024)
kept = []


def work():
    def serve(connection):
        count = 0
        with connection, connection.makefile("rb") as requests:
            for line in requests:
                if line.strip():
                    continue
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
                count += 1
                if what == "worker" and count > 500:
                    os._exit(1)
                if what == "memory" and threading.active_count() > 10:  # more than the warm-up's
                    kept.append(bytearray(400 << 20))
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


if what != "worker":
    work()
for _ in range(2):
    os.fork() or work()
while True:
    os.wait()
    os.fork() or work()
"""


def bench(clone: Clone, what: str) -> Done:
    """Bench an app that does `what`."""
    routes = {"look": {"path": "/", "expect": {"body": "ok"}}}
    give(clone, SERVER, {"command": f"python3 server.py {what}", "routes": routes})
    return clone.inv("bench", "--suite", "mine", "--duration", "3s")


@contextlib.contextmanager
def in_small_group(command: bytes, limit: int) -> Iterator[None]:
    """Move a process with this command line into a control group of little memory, as soon as it runs on this computer."""
    if not Path("/sys/fs/cgroup/memory").is_dir():
        pytest.skip("the lab's machines have memory groups of their own only with cgroup v1")
    ended = threading.Event()
    groups: list[Path] = []

    def move() -> None:
        while not groups and not ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if command in (process / "cmdline").read_bytes():
                        groups.append(small(process, limit))

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for group in groups:
            group.rmdir()


def small(process: Path, limit: int) -> Path:
    """Make a group below the one that a process is in, which its machine can see, and move it there."""
    (line,) = [line for line in (process / "cgroup").read_text().split("\n") if ":memory:" in line]
    group = Path("/sys/fs/cgroup/memory") / line.rpartition(":")[2].lstrip("/") / f"benchrig-test-{os.getpid()}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(limit))
    (group / "cgroup.procs").write_text(process.name)
    return group


@fault(
    "Causes",
    done="an app that needs more memory under load than its control group has",
    promised="the cell fails, with the OOM kill, the memory used and the limit",
    seen="`the app died under the load (…): the kernel killed 1 for lack of memory (OOM): the app may use 64 MiB`",
)
def test_an_app_that_is_killed_for_memory_under_load_is_named(restored: Clone) -> None:
    with in_small_group(b"server.py\0memory", 64 << 20):
        done = bench(restored, "memory")
    assert done.code == 1
    assert "the kernel killed 1 for lack of memory (OOM): the app may use 64 MiB; " in done.stdout + done.stderr


@fault(
    "Causes",
    done="workers of an app that end after 500 requests of a connection, and are replaced by others",
    promised="the cell is invalid, because processes of the app ended during the measurement",
    seen="`2 processes of the app ended during the measurement, and 2 were started anew`",
)
def test_workers_that_are_replaced_under_load_make_the_cell_invalid(restored: Clone) -> None:
    done = bench(restored, "worker")
    assert done.code == 1
    assert "of the app ended during the measurement, and " in done.stdout + done.stderr


@fault(
    "Causes",
    done="a second server that joins the app's port with SO_REUSEPORT after the app has started",
    promised="the cell fails, and the other server is named with host, process and command",
    seen="`lab1: process … listens on port 8080 too and takes a part of the app's requests (SO_REUSEPORT): python3 /tmp/…`",
)
def test_a_second_server_on_the_port_fails_the_cell(restored: Clone, deployed_host: Host) -> None:
    join = (
        "import socket, time\\n"
        "while not any(line.split()[1].endswith(':1F90') for line in open('/proc/net/tcp')): time.sleep(0.01)\\n"
        "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\\n"
        "s.bind(('0.0.0.0', 8080)); s.listen()\\n"
        "time.sleep(60)\\n"
    )
    assert bench(restored, "plain").code == 0
    on(deployed_host, f'printf "{join}" > /tmp/join.py; systemd-run --quiet --uid=benchrig --unit=join python3 /tmp/join.py')
    done = bench(restored, "plain")
    assert done.code == 1
    assert "listens on port 8080 too and takes a part of the app's requests (SO_REUSEPORT): " in done.stdout + done.stderr
    assert "/tmp/join.py" in done.stdout + done.stderr


@fault(
    "Causes",
    done="a full disk of the server's /tmp",
    promised="the cell fails and names the full file system, beside what the app said",
    seen="`it ended by itself (exit status 1); no space is left on /tmp: free some (df -h, df -i)`",
)
def test_a_full_disk_is_named_where_an_app_fails_by_it(restored: Clone, deployed_host: Host) -> None:
    assert bench(restored, "writer").code == 0
    on(deployed_host, "mount -t tmpfs -o size=1m,mode=1777 tmpfs /tmp; head -c 2M /dev/zero > /tmp/full 2>/dev/null || true")
    done = bench(restored, "writer")
    on(deployed_host, "umount -l /tmp")
    assert done.code == 1
    assert "; no space is left on /tmp: free some (df -h, df -i)" in done.stdout + done.stderr


@fault(
    "Causes",
    done="/usr/bin/wrk deleted on the load host",
    promised="the next bench notices, provisions it anew and measures",
    seen="package installed again, cell measured, exit code 0",
)
def test_a_deleted_wrk_is_installed_again(restored: Clone, deployed_host: Host) -> None:
    on(deployed_host, "rm /usr/bin/wrk")
    done = restored.inv("bench", "--only", "go-2000", "--duration", "1s", "--connections", "16", timeout=300)
    assert done.code == 0, done.stderr
    assert "wrk" in done.stdout + done.stderr


HOLD = (
    "import socket, time\\n"
    "a = socket.socket(); a.bind(('127.0.0.1', 7)); a.listen()\\n"
    "c = socket.socket(); c.bind(('127.0.0.1', 5432)); c.connect(('127.0.0.1', 7)); time.sleep(600)\\n"
)


@fault(
    "Apps and units",
    done="PostgreSQL started while a client's own port is 5432 on 127.0.0.1",
    promised="provision fails, although the unit is active, and names the process; it mends it as soon as that has ended",
    seen="PostgreSQL listened on [::1] only; `port 5432, which is held by process … (python3)`; then mended",
)
@fault(
    "Causes",
    done="PostgreSQL stopped while a row of an app with a database is measured",
    promised="the cell fails, and PostgreSQL comes first in its reason, with host and cure",
    seen="`lab1: PostgreSQL does not answer: …; ./inv provision --tags postgresql starts it; …`",
)
@fault(
    "Causes",
    done="a bench of an app with a database, whose PostgreSQL does not listen for IPv4 because a client had its port",
    promised="the bench ends with the host, the cause and the cure",
    seen="`lab1: PostgreSQL runs, but does not listen on port 5432, which process … has (python3 /tmp/hold.py)`",
)
def test_postgresql_without_its_port_is_found_by_provision_and_bench(restored: Clone, deployed_host: Host) -> None:
    first = restored.inv("provision", "--tags", "postgresql,tuning", timeout=500)
    assert first.code == 0, first.stderr
    assert "5432" in on(deployed_host, "sysctl -n net.ipv4.ip_local_reserved_ports")
    on(
        deployed_host,
        f'printf "{HOLD}" > /tmp/hold.py; systemctl stop postgresql@15-main; systemd-run --quiet --unit=hold '
        "python3 /tmp/hold.py; sleep 0.5; systemctl start postgresql@15-main; systemctl is-active postgresql@15-main",
    )
    row = ("bench", "--suite", "quart-vs-flask", "--only", "films-flask.film", "--connections", "16")
    benched = restored.inv(*row, "--duration", "1s", timeout=500)
    assert benched.code != 0
    assert "does not listen on port 5432, which" in benched.stdout + benched.stderr
    failed = restored.inv("provision", "--tags", "postgresql")
    assert failed.code == 1
    assert "does not listen on port 5432, which is held by process " in failed.stdout + failed.stderr
    on(deployed_host, "systemctl stop hold")
    assert restored.inv("provision", "--tags", "postgresql").code == 0
    assert "127.0.0.1:5432" in on(deployed_host, "ss -Htln sport = :5432")
    assert restored.inv(*row, "--duration", "1s", timeout=500).code == 0

    on(deployed_host, "systemd-run --quiet --on-active=6 systemctl stop postgresql@15-main")
    stopped = restored.inv(*row, "--duration", "12s")
    assert stopped.code == 1
    assert "lab1: PostgreSQL does not answer: " in stopped.stdout + stopped.stderr
    assert "; ./inv provision --tags postgresql starts it" in stopped.stdout + stopped.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "ExecStart=\\nExecStart=/no/such/program",
            "Failed to locate executable /no/such/program: No such file or directory",
        ),
        (
            "WorkingDirectory=/no/such/folder",
            "Changing to the requested working directory failed: No such file or directory",
        ),
        (
            "BindPaths=/no/such/folder",
            "this machine cannot apply its sandbox (NAMESPACE): set 'sandbox: false' in its app.yml",
        ),
    ],
    ids=["program", "folder", "sandbox"],
)
@fault(
    "Causes",
    done="a unit whose program or folder is gone, or whose sandbox cannot be made",
    promised="the cell fails with what systemd could not do, and not only that a job failed",
    seen="`lab1: systemd cannot start the app: Failed to locate executable /no/such/program: No such file or directory`",
)
def test_what_systemd_could_not_do_is_told(restored: Clone, deployed_host: Host, setting: str, said: str) -> None:
    folder = "/run/systemd/system/benchrig-go.service.d"
    on(deployed_host, f"mkdir -p {folder}; printf '[Service]\\n{setting}\\n' > {folder}/test.conf; systemctl daemon-reload")
    done = restored.inv("bench", "--only", "go-2000", "--duration", "1s", "--connections", "16")
    assert done.code == 1
    assert "lab1: systemd cannot start the app: " in done.stderr
    assert said in done.stderr
