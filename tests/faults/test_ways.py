"""Ways to a host that lead nowhere: a ProxyCommand that fails or is silent, a port without sshd; jump hosts under nohup."""

from __future__ import annotations

import gc
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import openssh, ssh
from benchrig.remote.proxy import ProxyCommand
from tests.support import ROOT
from tests.support.faults import fault
from tests.support.guest import Guest
from tests.support.sshd import server


@pytest.fixture
def guest() -> Iterator[Guest]:
    with Guest() as one:
        yield one


@pytest.fixture
def key(tmp_path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    return tmp_path / "key"


def pin(folder: Path, *guests: Guest) -> Path:
    lines = [f"[127.0.0.1]:{one.port} ssh-rsa {one.host_key.get_base64()}\n" for one in guests]
    (folder / "pinned").write_text("".join(lines))
    return folder / "pinned"


def host(port: int, *options: str, **variables: object) -> Host:
    arguments = shlex.join(["-F", "none", *(word for option in options for word in ("-o", option))])
    named = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "vagrant"}
    return Host("web", (), {**named, "ansible_ssh_common_args": arguments, **variables})


def refusal(host: Host) -> HostError:
    with pytest.raises(HostError) as caught:
        ssh.connect(host)
    assert "\n" not in str(caught.value)
    return caught.value


RELAY = "import socket, sys, threading, os; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); \
threading.Thread(target=lambda: [os.write(1, d) for d in iter(lambda: s.recv(9999), b'')], daemon=True).start(); \
[s.sendall(d) for d in iter(lambda: os.read(0, 9999), b'')]"
"""A program that carries its input and output to a port, as `nc` does."""


@fault(
    "Connections",
    done="a ProxyCommand with every token of ssh_config(5), `$HOME`, quotes and a shell's operators",
    promised="the user's shell runs it, with its tokens expanded from the route, as by ssh",
    seen="the host is reached; the same text as ssh's own",
)
def test_a_proxy_command_is_run_as_ssh_runs_it(guest: Guest, key: Path, tmp_path: Path) -> None:
    said = "echo '%% %h %n %p %r %k' \"$HOME\" $((1 + 1)) >> SAID; "
    relay = f"{sys.executable} -c {shlex.quote(RELAY)} {guest.port}"
    options = ["HostName=127.0.0.1", "HostKeyAlias=known", f"IdentityFile={key}", f"UserKnownHostsFile={tmp_path}/pinned"]
    (tmp_path / "pinned").write_text(f"known ssh-rsa {guest.host_key.get_base64()}\n")
    for name, ask in (("ours", ssh.connect), ("theirs", lambda one: openssh.login(one, "true"))):
        text = said.replace("SAID", f"{tmp_path}/{name}")
        command = f"ProxyCommand=sh -c {shlex.quote(f'{text}{relay}')}"
        other = host(2205, command, *options, ansible_host="alias")
        result = ask(other)
        if isinstance(result, ssh.Remote):
            result.close()
    assert (tmp_path / "ours").read_text() == (tmp_path / "theirs").read_text()
    assert (tmp_path / "ours").read_text() == f"% 127.0.0.1 alias 2205 vagrant known {Path.home()} 2\n"


@fault(
    "Connections",
    done="a ProxyCommand that fails, ends without a word, is silent, is not there, has an unknown token; no shell",
    promised="its last line on standard error is quoted; a silent one has 10 s; an unknown token is refused",
    seen="`ProxyCommand: cannot reach it`, `it ended without a word`, `its ProxyCommand is silent`, `not found`; `%Z`",
)
def test_a_proxy_command_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ProxyCommand: cannot reach it" in str(refusal(host(22, "ProxyCommand=sh -c 'echo cannot reach it >&2; exit 3'")))
    assert "ProxyCommand: it ended without a word: true" in str(refusal(host(22, "ProxyCommand=true")))
    assert "not found" in str(refusal(host(22, "ProxyCommand=no-such-program %h")))
    assert "ProxyCommand has '%Z'" in str(refusal(host(22, "ProxyCommand=echo %Z")))
    started = time.monotonic()
    silent = refusal(host(22, "ProxyCommand=sleep 78.78"))
    assert "its ProxyCommand is silent: a greeting did not come in 10 s" in str(silent)
    assert "ssh 127.0.0.1" in str(silent.hint)
    assert 9 < time.monotonic() - started < 13
    monkeypatch.setenv("SHELL", "/no/such/shell")
    assert "ProxyCommand: the shell cannot be started: no program /no/such" in str(refusal(host(22, "ProxyCommand=true")))


@fault(
    "Connections",
    done="closing the connection of a ProxyCommand that starts others, ignores SIGTERM, and runs under nohup",
    promised="it and all that it started end with the connection",
    seen="ended in 0.5 s",
)
def test_a_proxy_command_ends_with_its_connection() -> None:
    command = ProxyCommand("sh -c 'trap \"\" TERM; sleep 79.79 & sleep 79.79; true'")
    time.sleep(0.3)
    assert processes("79.79")
    started = time.monotonic()
    command.close()
    assert time.monotonic() - started < 1
    time.sleep(0.1)
    assert not processes("79.79")


@fault(
    "Connections",
    done="SIGTERM to `./inv provision` while a ProxyCommand that ignores SIGTERM and the end of its input leads to the host",
    promised="it and all that it started end with the command",
    seen="ended within 1 s",
)
def test_a_proxy_command_ends_with_a_command_that_a_signal_ended(tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.write_text('#!/bin/sh\ntrap "" TERM\nsleep 80.80 & sleep 80.80\nwait\n')
    way.chmod(0o755)
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        "servers:\n  hosts:\n    web1:\n      ansible_host: 127.0.0.1\n"
        f"      ansible_ssh_common_args: -F none -o 'ProxyCommand={way}'\n"
    )
    command = subprocess.Popen(
        [sys.executable, "-P", "-m", "benchrig.cli", "provision", "-i", inventory],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 20
    while not processes("80.80") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes("80.80"), command.communicate()
    command.terminate()
    command.communicate(timeout=10)
    assert command.returncode == 143
    time.sleep(0.1)
    assert not processes("80.80")


def test_a_shell_that_cannot_be_started_closes_nobody_elses_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "shell"
    broken.write_text("none")
    broken.chmod(0o755)
    monkeypatch.setenv("SHELL", str(broken))
    with pytest.raises(OSError, match="format") as error:
        ProxyCommand("true")
    others = [os.open("/dev/null", os.O_RDONLY) for _ in range(8)]
    del error
    gc.collect()
    for number in others:
        os.close(number)


def processes(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in words and "pytest" not in words and path.parent.name != str(os.getpid()):
                found.append(words)
    return found


@fault(
    "Connections",
    done="ports where no sshd answers: a web server, endless bytes, a name that is not UTF-8, a server that hangs up; a"
    " silent server after its greeting",
    promised="each is told in a line; one that hangs up is tried six times in 8 s, because a busy sshd does so",
    seen="`it is no SSH server: it says 'HTTP/1.1 400 Bad Request'`, `it sends what is not SSH`, `sshd hangs up: Exceeded"
    " MaxStartups`, `its sshd is silent: the key exchange did not come in 10 s`",
)
@pytest.mark.parametrize(
    ("answers", "hold", "cause"),
    [
        (
            [b"HTTP/1.1 400 Bad\r\nServer: x\r\n\r\n"],
            False,
            "it is no SSH server: it says 'HTTP/1.1 400 Bad'",
        ),
        ([b"x" * (1 << 20)], True, "it is no SSH server: it says 'xxx"),
        ([b"\xff\xfe\n"], True, r"it says '\ufffd\ufffd'"),
        ([], False, "sshd hangs up before it named itself"),
        ([b"Exceeded MaxStartups\r\n"], False, "sshd hangs up: Exceeded MaxStartups"),
        ([b"SSH-2.0-silent\r\n"], True, "its sshd is silent: the key exchange did not come in 10 s"),
        ([b"SSH-2.0-x\r\n\x7f\xff\xff\xfcxxxx"], True, "it sends what is not SSH"),
        ([b"SSH-1.5-old\r\n"], True, "Incompatible version"),
    ],
)
def test_a_port_where_no_sshd_answers_is_told(answers: list[bytes], hold: bool, cause: str) -> None:
    with server(*answers, hold=hold) as port:
        error = str(refusal(host(port)))
    assert cause in error


NESTED = """
import os, sys
from benchrig.inventory import Host
from benchrig.remote import openssh
sys.exit(openssh.login(Host("web", (), {"ansible_host": "last", "ansible_ssh_common_args": sys.argv[1]}), "true"))
"""


@fault(
    "Connections",
    done="`./inv ssh` over two jump hosts under nohup (SIGHUP ignored), as a pipeline that waits for all output",
    promised="the nested `ssh -W` end with the command",
    seen="ended in 2 s, none left",
)
def test_nested_clients_end_with_the_command_under_nohup(key: Path, tmp_path: Path) -> None:
    with Guest() as first, Guest() as second, Guest() as last:
        pin(tmp_path, first, second, last)
        (tmp_path / "config").write_text(
            f"Host last\n  ProxyJump first,second\n  Port {last.port}\nHost first\n  Port {first.port}\n"
            f"Host second\n  Port {second.port}\nHost *\n  HostName 127.0.0.1\n  User vagrant\n  IdentityFile {key}\n"
            f"  UserKnownHostsFile {tmp_path}/pinned\n"
        )
        argv = ["nohup", sys.executable, "-c", NESTED, f"-F {tmp_path}/config"]
        started = time.monotonic()
        done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert time.monotonic() - started < 10
        assert not processes(f"{tmp_path}/config")
        assert last.commands == ["true"]


class FloodingGuest(Guest):
    """A server that keeps to no window: a fake, because OpenSSH keeps to it."""

    def run(self, channel: paramiko.Channel, command: str) -> None:
        """Send 100 MB, whatever was permitted."""
        with suppress(OSError, EOFError):
            while command:
                channel.out_window_size = 1 << 40  # type: ignore[attr-defined]
                channel.sendall(bytes(1 << 20)) if "out" in command else channel.sendall_stderr(bytes(1 << 20))


@fault(
    "Connections",
    done="a server that sends more than its window permits, without end, and nobody reads (a fake: OpenSSH keeps "
    "to the window)",
    promised="the connection ends, with the reason; no more than twice the window (2 MB) is kept",
    seen="`the connection was lost: it sends more than it may`",
)
@pytest.mark.parametrize("stream", ["out", "error"])
def test_a_server_that_keeps_to_no_window_is_cut_off(key: Path, tmp_path: Path, stream: str) -> None:
    with FloodingGuest() as guest:
        pinned = pin(tmp_path, guest)
        with ssh.connect(host(guest.port, f"IdentityFile={key}", f"UserKnownHostsFile={pinned}")) as remote:
            channel = remote.open([stream])
            time.sleep(1)
            assert len(channel._channel.in_buffer) + len(channel._channel.in_stderr_buffer) < 5 << 20
            with pytest.raises(HostError, match="the connection was lost: it sends more than it may"):
                channel.complete(b"")


def test_a_server_that_hangs_up_at_first_is_logged_in_to_later(guest: Guest, key: Path, tmp_path: Path) -> None:
    """As an sshd does at MaxStartups; a fake of ours, because a real one does so by chance."""
    refused = iter([True] * 2)
    carried = guest._welcome

    def welcome(connection: object) -> None:
        if next(refused, False):
            connection.close()  # type: ignore[attr-defined]
        else:
            carried(connection)  # type: ignore[arg-type]

    guest._welcome = welcome  # type: ignore[method-assign, assignment]
    pinned = pin(tmp_path, guest)
    with ssh.connect(host(guest.port, f"IdentityFile={key}", f"UserKnownHostsFile={pinned}")) as remote:
        assert remote.run(["true"]).code == 0


def test_threads_of_the_layer_are_few(guest: Guest, key: Path, tmp_path: Path) -> None:
    pinned = pin(tmp_path, guest)
    before = threading.active_count()
    for _ in range(5):
        with ssh.connect(host(guest.port, f"IdentityFile={key}", f"UserKnownHostsFile={pinned}")) as remote:
            remote.run(["true"])
    time.sleep(1)
    assert threading.active_count() <= before + 4
