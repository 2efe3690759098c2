"""Peers that hang, ways that lead nowhere, and many hosts behind one: what a connection does then, with a real sshd."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import ssh
from benchrig.remote.channel import Channel
from tests.support.faults import fault
from tests.support.lab import run
from tests.support.sshd import configure, machine, seconds_until_interrupted, server

MANY = 32


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a lab machine."""
    with machine(tmp_path_factory.mktemp("clone")) as one:
        yield one


def named(name: str, arguments: str, **variables: object) -> Host:
    return Host("web", (), {"ansible_host": name, "ansible_ssh_common_args": arguments, **variables})


def refusal(host: Host) -> HostError:
    with pytest.raises(HostError) as caught:
        ssh.connect(host)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.lab
@fault(
    "Connections",
    done="the sshd process of a session stopped (`kill -STOP`) while benchrig waits for output, and while it sends",
    promised="the connection counts as lost after 20 s without a sign of life; closing it takes less than a second",
    seen="`no sign of life for 20 s` after 20.9 s reading, 20.9 s sending; closed in 0.1 ms",
)
@pytest.mark.parametrize("sending", [False, True])
def test_a_hung_peer_is_lost(host: Host, sending: bool) -> None:
    with ssh.connect(host) as remote, ssh.connect(host) as other:
        with remote.open(["sh", "-c", "echo $PPID; exec cat > /dev/null"]) as channel:
            pid = (channel.read_line() or b"").decode()
            other.run(["kill", "-STOP", pid])
            started = time.monotonic()
            with pytest.raises(HostError, match="the connection was lost: no sign of life for 20 s"):
                _ = [channel.send(bytes(1 << 20)) if sending else channel.read() for _ in range(100)]
            assert 19 < time.monotonic() - started < 24
            started = time.monotonic()
        remote.close()
        assert time.monotonic() - started < 1
        other.run(["kill", "-KILL", pid])


HUNG = """
with ssh.connect(host) as other, ssh.connect(host) as remote, remote.open(["sh", "-c", "echo $PPID; exec cat"]) as channel:
    pid = channel.read_line().decode()
    other.run(["kill", "-STOP", pid])
    other.run(["sh", "-c", f"(sleep 8; kill -KILL {pid}) > /dev/null 2>&1 &"])
    print("waiting", flush=True)
    while True:
        ACT
"""


@pytest.mark.lab
@fault(
    "Connections",
    done="Ctrl-C while the peer hangs: reading, sending, opening a channel, waiting for a program's end",
    promised="it ends within a second",
    seen="0.2 s each",
)
@pytest.mark.parametrize(
    "act", ["channel.read()", "channel.send(bytes(1 << 20))", 'remote.run(["true"])', "channel.finish()"]
)
def test_ctrl_c_gets_through_while_the_peer_hangs(host: Host, act: str) -> None:
    assert seconds_until_interrupted(HUNG.replace("ACT", act), host.variables) < 2.5


@fault(
    "Connections",
    done="Ctrl-C while connecting: a port that accepts and is silent, a silent ProxyCommand, a silent name server",
    promised="it ends within a second",
    seen="0.1 to 0.3 s each; the ProxyCommand is ended with it",
)
@pytest.mark.parametrize("way", ["greeting", "exchange", "proxy", "name"])
def test_ctrl_c_gets_through_while_connecting(tmp_path: Path, way: str) -> None:
    program = 'print("waiting", flush=True)\nssh.connect(host)'
    before: tuple[str, ...] = ()
    with server(*([b"SSH-2.0-silent\r\n"] if way == "exchange" else [])) as port:
        variables = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_ssh_common_args": "-F none"}
        if way == "proxy":
            variables["ansible_ssh_common_args"] = "-F none -o 'ProxyCommand=sleep 4177.25'"
        if way == "name":
            # Nothing answers there: the datagrams are not refused, for a socket takes them.
            (tmp_path / "resolv").write_text("nameserver 127.0.0.9\n")
            bound = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.9', 53))\n"
            program = bound + program
            variables["ansible_host"] = "no-such-host.invalid"
            before = ("unshare", "-m", "sh", "-c", f'mount --bind {tmp_path}/resolv /etc/resolv.conf && exec "$@"', "sh")
        assert seconds_until_interrupted(program, variables, before=before) < 2.5
    commands = [read(path)[:500] for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [command for command in commands if b"4177.25" in command]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.lab
@fault(
    "Connections",
    done="`ProxyCommand ssh -W %h:%p bastion` to a host at port 2205, on a machine with another sshd at port 22",
    promised="the port of the inventory or of ~/.ssh/config is reached; tokens are expanded as ssh expands them",
    seen="`$SSH_CONNECTION` ends with port 2205, as by `./inv ssh`",
)
def test_a_proxy_command_leads_to_the_right_port(host: Host, tmp_path: Path) -> None:
    run(host, "/usr/sbin/sshd -p 2205 -o PidFile=/run/other-sshd.pid")
    try:
        arguments = configure(tmp_path, host, f"Host bastion\n  HostName {host.address}\n")
        command = f"ProxyCommand=ssh -F {tmp_path}/config -W %h:%p bastion"
        there = named(host.address, f"{arguments} -o {shlex.quote(command)}", ansible_port=2205)
        assert run(there, "echo $SSH_CONNECTION").split()[3] == "2205"
    finally:
        run(host, "kill $(cat /run/other-sshd.pid)")


@pytest.mark.lab
@fault(
    "Connections",
    done=f"{MANY} hosts at once behind one bastion, by ProxyJump and by ProxyCommand; {MANY} at once at one sshd; with the"
    " default MaxStartups (10:30:100)",
    promised="all are reached",
    seen=f"{MANY} of {MANY} each time, in 1.3 s, 0.6 s and 0.7 s",
)
@pytest.mark.parametrize("way", ["jump", "command", "direct"])
def test_many_hosts_are_reached_over_one(host: Host, tmp_path: Path, way: str) -> None:
    inner = "Host inner*\n  HostName 127.0.0.1\n  HostKeyAlias lab1\n"
    direct = f"Host inner*\n  HostName {host.address}\n"
    lead = {"jump": "  ProxyJump bastion\n", "command": f"  ProxyCommand ssh -F {tmp_path}/config -W %h:%p bastion\n"}
    text = direct if way == "direct" else inner + lead[way]
    arguments = configure(tmp_path, host, f"{text}Host bastion\n  HostName {host.address}\n")
    wrong: list[object] = []

    def reach(number: int) -> None:
        try:
            assert run(named(f"inner{number}", arguments), "hostname") == "lab1"
        except BaseException as error:
            wrong.append(error)

    logins = "journalctl -o cat -u ssh | grep -c 'Accepted publickey'"
    before = int(run(host, logins))
    threads = [threading.Thread(target=reach, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    expected = {"jump": MANY + 1, "command": 2 * MANY, "direct": MANY}[way]
    # One more is that of the question itself.
    assert int(run(host, logins)) - before == expected + 1


@pytest.mark.lab
@fault(
    "Connections",
    done="the connection to a shared bastion killed; then a connection to another host",
    promised="hosts behind it are lost; the next one has a new connection to the bastion",
    seen="`the connection was lost` at once; the next host was reached",
)
def test_a_dead_shared_connection_is_replaced(host: Host, tmp_path: Path) -> None:
    inner = "Host inner*\n  HostName 127.0.0.1\n  HostKeyAlias lab1\n  ProxyJump bastion\n"
    arguments = configure(tmp_path, host, f"{inner}Host bastion\n  HostName {host.address}")
    with ssh.connect(named("inner1", arguments)) as first:
        with first.open(["sleep", "60"]) as channel:
            shared = first._link.before
            assert shared
            assert shared.link
            shared.link.transport.cut()
            with pytest.raises(HostError, match="the connection was lost"):
                channel.read()
        assert run(named("inner2", arguments), "hostname") == "lab1"


def fill(channel: Channel) -> None:
    """Send until the connection is closed."""
    with suppress(HostError):
        while True:
            channel.send(bytes(1 << 20))


@pytest.mark.lab
@fault(
    "Connections",
    done="closing the connections to 16 hosts that are sent to, behind a bastion that hangs (its sshd stopped)",
    promised="closing all of them takes less than two seconds",
    seen="16 connections closed in 0.5 s",
)
def test_closing_many_hosts_over_a_bastion_that_hangs_is_quick(host: Host, tmp_path: Path) -> None:
    inner = "Host inner*\n  HostName 127.0.0.1\n  HostKeyAlias lab1\n  ProxyJump bastion\n"
    arguments = configure(tmp_path, host, f"{inner}Host bastion\n  HostName {host.address}")
    remotes = [ssh.connect(named(f"inner{number}", arguments)) for number in range(16)]
    shared = remotes[0]._link.before
    assert shared
    assert shared.link
    port = shared.link.transport.sock.getsockname()[1]
    with ssh.connect(host) as other:
        pid = other.run(["sh", "-c", f"ss -Htnp sport = :22 and dport = :{port} | grep -o 'pid=[0-9]*' | head -1"])
        number = pid.stdout.decode().strip().removeprefix("pid=")
        channels = [remote.open(["sh", "-c", "cat > /dev/null"]) for remote in remotes]
        other.run(["kill", "-STOP", number])
        for channel in channels:
            threading.Thread(target=fill, args=(channel,), daemon=True).start()
        time.sleep(3)
        started = time.monotonic()
        for remote in remotes:
            remote.close()
        taken = time.monotonic() - started
        other.run(["kill", "-KILL", number])
    assert number
    assert taken < 2


@pytest.mark.lab
@fault(
    "Connections",
    done="the listening sshd stopped (`kill -STOP`), and then ended",
    promised="the cause is named: sshd accepts and is silent, or nothing listens",
    seen="`it accepts connections, but its sshd is silent` after 10 s; `connection refused`, with what to do",
)
def test_an_sshd_that_is_stopped_is_told(host: Host) -> None:
    with ssh.connect(host) as remote:
        pid = remote.run(["cat", "/run/sshd.pid"]).stdout.decode().strip()
        remote.run(["kill", "-STOP", pid])
        try:
            assert "but its sshd is silent: a greeting did not come in 10 s" in str(refusal(host))
        finally:
            remote.run(["kill", "-CONT", pid])
        remote.run(["systemctl", "stop", "ssh.socket", "ssh.service"])
        try:
            error = refusal(host)
            assert "cannot be reached: connection refused" in str(error)
            assert "nothing listens at port 22" in str(error.hint)
        finally:
            remote.run(["systemctl", "start", "ssh.service"])


@pytest.mark.lab
@fault(
    "Connections",
    done="a program that writes a line without end, output without end, or 200 MB to standard error",
    promised="the error names the bound; standard error is read and its end kept, so that the program goes on",
    seen="`a line of more than 1 MB`, `more than 64 MB`; the program that complained ended, with 64 kB kept",
)
def test_output_without_end_is_bounded(host: Host) -> None:
    with ssh.connect(host) as remote:
        with remote.open(["sh", "-c", "yes | tr -d '\\n'"]) as channel, pytest.raises(HostError, match="more than 1 MB"):
            channel.read_line()
        with pytest.raises(HostError, match="the program wrote more than 64 MB"):
            remote.run(["yes"])
        done = remote.run(["sh", "-c", "head -c 200000000 /dev/zero >&2; echo end; echo reason >&2"])
        assert (done.code, done.stdout, len(done.stderr)) == (0, b"end\n", 64 << 10)
        assert done.stderr.endswith(b"reason\n")


@pytest.mark.lab
@fault(
    "Connections",
    done="a program that ends, or answers 20 MB, before it has read the 20 MB that it is sent",
    promised="its exit code and reason are returned, not `the connection was lost`; nothing blocks",
    seen="exit code 3 with its reason; 20 MB back",
)
def test_a_program_that_does_not_read_its_input(host: Host) -> None:
    data = bytes(20 << 20)
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", "echo no >&2; exit 3"], stdin=data)
        assert (done.code, done.stderr) == (3, b"no\n")
        assert len(remote.run(["cat"], stdin=data).stdout) == len(data)
