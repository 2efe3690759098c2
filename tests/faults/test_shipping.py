"""Agents that are damaged on the host, and hosts on which none can be installed or started: each cause is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import ship, ssh
from tests.support.faults import fault
from tests.support.lab import run
from tests.support.sshd import machine

pytestmark = pytest.mark.lab

AGENT = f"{ship.AGENT_ROOT}/{ship.agent_hash()}"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a lab machine that has the agent."""
    with machine(tmp_path_factory.mktemp("clone")) as one:
        execs(one)
        yield one


@pytest.fixture
def bare(host: Host) -> Iterator[Host]:
    """Yield the machine as if it had no Python and no agent."""
    run(host, f"rm -rf {ship.AGENT_ROOT}; mv /usr/bin/python3 /usr/bin/python3.away")
    yield host
    run(host, "mv /usr/bin/python3.away /usr/bin/python3")


def execs(host: Host) -> int:
    """Start the agent and end it; return the programs that this started."""
    with ssh.connect(host) as remote, ship.start(remote, "play") as channel:
        channel.end_input()
        assert list(channel.lines()) == []
        channel.finish()
        return remote.execs


def refusal(host: Host) -> HostError:
    with ssh.connect(host) as remote, pytest.raises(HostError) as caught:
        ship.start(remote, "play")
    assert str(caught.value).startswith("lab1: ")
    assert "\n" not in str(caught.value)
    return caught.value


DAMAGES = {
    "a module cut short": f"truncate -s 300 {AGENT}/agent/play/session.pyc",
    "an empty module": f"truncate -s 0 {AGENT}/agent/spec.pyc",
    "a module of zeros": f"s=$(stat -c %s {AGENT}/agent/spec.pyc); head -c $s /dev/zero > {AGENT}/agent/spec.pyc",
    "other bytes in the same size and time": f"cd {AGENT}/jinja2; touch -r lexer.pyc /tmp/time;"
    " printf x | dd of=lexer.pyc bs=1 seek=500 conv=notrunc 2>/dev/null; touch -r /tmp/time lexer.pyc",
    "a module gone": f"rm {AGENT}/jinja2/lexer.pyc",
    "the manifest cut short": f"truncate -s 700 {AGENT}/manifest",
    "the manifest empty": f"truncate -s 0 {AGENT}/manifest",
    "the folder empty": f"rm -r {AGENT}/*",
    "a file in its place": f"rm -r {AGENT}; touch {AGENT}",
    "the files of another Python": f"sed -i '1s/^./x/' {AGENT}/manifest",
}


@fault(
    "Provisioning",
    done="the agent's files on the host damaged in ten ways: cut short, empty, zeros, other bytes in the same "
    "size and time, gone, another version of Python",
    promised="each start verifies them; a damaged agent is sent anew, once, for three execs more",
    seen="sent anew each time, in 0.3 to 0.5 s; verified in 3 ms (84 files, 1.2 MB)",
)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_agent_is_sent_anew(host: Host, damage: str) -> None:
    assert execs(host) == 1
    run(host, DAMAGES[damage])
    assert execs(host) == 4
    assert execs(host) == 1


@fault(
    "Provisioning",
    done="the program that unpacks the agent killed in the middle; two controllers that send the agent at the same time",
    promised="no half agent is ever started; both get theirs",
    seen="the next start sent it anew; both started",
)
def test_half_an_agent_is_never_started(host: Host) -> None:
    run(host, f"rm -rf {ship.AGENT_ROOT}")
    with ssh.connect(host) as remote:
        argv = ["python3", "-c", ship._program("install"), ship.AGENT_ROOT, ship.agent_hash()]
        with remote.open(argv) as channel:
            channel.send(ship.agent_archive()[:100_000])
            time.sleep(0.5)
            remote.run(["pkill", "-KILL", "-f", ship.AGENT_ROOT])
        assert remote.run(["ls", "-A", ship.AGENT_ROOT]).stdout != b""
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(execs(host))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) in ([1, 4], [4, 4])
    assert execs(host) == 1


@contextmanager
def mounted(host: Host, options: str) -> Iterator[None]:
    run(host, f"rm -rf {ship.AGENT_ROOT}; mkdir -p /var/lib/benchrig; mount -t tmpfs -o {options} none /var/lib/benchrig")
    try:
        yield
    finally:
        run(host, "umount /var/lib/benchrig")


@fault(
    "Causes",
    done="sending the agent to a disk that is full (a tmpfs of 400 kB), without inodes, read-only or noexec",
    promised="full and read-only are named, with what to do; noexec is no obstacle",
    seen="`…/agent/play/…: No space left on device` and `Make room on this host`; `Read-only file system`; started",
)
@pytest.mark.parametrize(
    ("options", "cause", "cure"),
    [
        ("size=400k", "No space left on device", "Make room on this host"),
        ("nr_inodes=20", "No space left on device", "Make room on this host"),
        ("ro", "Read-only file system", "`dmesg`"),
        ("noexec", "", ""),
    ],
)
def test_a_disk_that_does_not_take_the_agent_is_told(host: Host, options: str, cause: str, cure: str) -> None:
    with mounted(host, options):
        if cause:
            error = refusal(host)
            assert "the agent could not be installed: /var/lib/benchrig" in str(error)
            assert cause in str(error)
            assert cure in str(error.hint)
            assert "root" not in str(error.hint)
        else:
            assert execs(host) == 4


@contextmanager
def mirror(host: Host, kind: str) -> Iterator[None]:
    """Have the machine's apt ask a mirror of ours, on its own loopback, that is broken in a certain way."""
    program = f"""
import http.server, socketserver, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = {kind!r}
        if kind == "slow":
            time.sleep(300)
        self.send_response({{"404": 404, "500": 500}}.get(kind, 200))
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"Origin: Debian")
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
Server(("127.0.0.1", {8098 if kind == "dead" else 8099}), Answer).serve_forever()
"""
    run(host, "mv /etc/apt/sources.list.d /root/parts; mkdir /etc/apt/sources.list.d; cp /etc/apt/sources.list /root/list")
    run(host, "mv /var/lib/apt/lists /var/lib/apt/away; mkdir -p /var/lib/apt/lists/partial")
    run(host, "echo 'deb [trusted=yes] http://127.0.0.1:8099/debian bookworm main' > /etc/apt/sources.list")
    try:
        with ssh.connect(host) as remote, remote.open(["python3.11", "-c", program]):
            time.sleep(0.5)
            yield
            remote.run(["pkill", "-f", "socketserver"])
    finally:
        run(host, "rm -r /etc/apt/sources.list.d; mv /root/parts /etc/apt/sources.list.d")
        run(host, "cp /root/list /etc/apt/sources.list")
        run(host, "rm -r /var/lib/apt/lists; mv /var/lib/apt/away /var/lib/apt/lists")


@fault(
    "Causes",
    done="a host without python3, whose package mirror is dead, answers 404 or 500, cuts answers short, or is silent",
    promised="a line has the mirror's own cause and says to look at the mirror; a silent one is given up",
    seen="`Failed to fetch http://…` with `404  Not Found`, `500  Internal Server Error`, `Could not connect to …`,"
    " `Undetermined Error`; a silent one `Connection failed` after 82 s",
)
@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("dead", "Could not connect"),
        ("404", "404"),
        ("500", "500"),
        ("short", "Undetermined Error"),
        pytest.param("slow", "Connection failed", marks=pytest.mark.long),
    ],
)
def test_a_mirror_that_does_not_deliver_python_is_told(bare: Host, kind: str, cause: str) -> None:
    with mirror(bare, kind):
        started = time.monotonic()
        error = refusal(bare)
    assert "python3 could not be installed: " in str(error)
    assert "Failed to fetch http://127.0.0.1:8099/" in str(error)
    assert cause in str(error)
    assert "package mirror" in str(error.hint)
    assert time.monotonic() - started < 100


@fault(
    "Causes",
    done="a host without python3 where dpkg was cut off (its journal in /var/lib/dpkg/updates is left)",
    promised="dpkg is completed first, then python3 is installed and the agent started",
    seen="dpkg completed, python3 installed and the agent started in 7.9 s",
)
def test_python_is_installed_where_dpkg_was_interrupted(host: Host) -> None:
    run(host, f"rm -rf {ship.AGENT_ROOT}; apt-get -qy update && apt-get -qy purge 'python3*' 'libpython3*'")
    run(host, "sed -n '1,/^$/p' /var/lib/dpkg/status > /var/lib/dpkg/updates/0001; ! command -v python3")
    assert execs(host) == 5
    assert run(host, "ls /var/lib/dpkg/updates; dpkg --audit") == ""


@fault(
    "Causes",
    done="no sudo, a sudo that needs a password, a user who may not use it, a login that only tells to use another",
    promised="each is named, with what to do",
    seen="`sudo: not found`; `a password is required`; `Permission denied`, with `Log in as root, or set ansible_become`;"
    " `Please login as the user debian`",
)
def test_a_user_who_is_not_root_is_told_why(host: Host) -> None:
    run(host, "useradd -m worker; install -o worker -D -t ~worker/.ssh /root/.ssh/authorized_keys; chmod 755 ~worker")
    run(host, f"rm -rf {ship.AGENT_ROOT}")
    user = replace(host, variables={**host.variables, "ansible_user": "worker"})
    become = replace(user, variables={**user.variables, "ansible_become": True})
    error = refusal(user)
    assert "ermission denied" in str(error)
    assert "Log in as root" in str(error.hint)
    assert "a password is required" in str(refusal(become))
    assert "--ask-become-pass" in str(refusal(become).hint)
    run(host, "mv /usr/bin/sudo /usr/bin/sudo.away")
    try:
        assert "sudo: not found" in str(refusal(become))
        assert "Install sudo" in str(refusal(become).hint)
    finally:
        run(host, "mv /usr/bin/sudo.away /usr/bin/sudo")
    run(host, "sed -i 's/^/command=\"echo Please login as the user debian; exit 1\" /' ~worker/.ssh/authorized_keys")
    assert "Please login as the user debian" in str(refusal(user))
    run(host, "userdel -rf worker 2>/dev/null")


@fault(
    "Causes",
    done="an agent whose start hangs (its Python waits for ever); a login script that writes without end",
    promised="the host is given up after 30 s, or with the bound that was passed",
    seen="`no answer for 30 s`; `the program wrote a line of more than 32 MB`",
)
def test_an_agent_that_never_gets_ready_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ship, "START_SECONDS", 2.0)
    execs(host)
    run(host, "mv /usr/bin/python3 /usr/bin/python3.away; install -m 755 /dev/null /usr/bin/python3")
    run(host, "printf '#!/bin/sh\\nsleep 60\\n' > /usr/bin/python3")
    try:
        assert "no answer for 2 s" in str(refusal(host))
        run(host, "printf '#!/bin/sh\\nyes | tr -d \"\\\\n\"\\n' > /usr/bin/python3")
        assert "a line of more than 32 MB" in str(refusal(host))
        run(host, "printf '#!/bin/sh\\nyes\\n' > /usr/bin/python3")
        assert "no answer for 2 s" in str(refusal(host))
    finally:
        run(host, "mv /usr/bin/python3.away /usr/bin/python3")
