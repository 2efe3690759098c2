"""Connections to a real sshd: what goes wrong is one line that names the host and the cause, distinct for each cause."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import ExitCode, HostError
from benchrig.inventory import Host
from benchrig.remote import openssh, ssh

pytestmark = pytest.mark.lab


def changed(host: Host, **variables: object) -> Host:
    return replace(host, variables={**host.variables, **variables})


def refusal(host: Host) -> str:
    with pytest.raises(HostError) as caught:
        ssh.connect(host)
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_program_gets_its_arguments_as_they_are_and_its_input_whole(lab1: Host) -> None:
    words = ["a b", "$HOME", "it's", '"', "*", ""]
    with ssh.connect(lab1) as remote:
        assert remote.run(["printf", "%s\\n", *words]).stdout.decode() == "\n".join(words) + "\n"
        data = bytes(range(256)) * 4096
        assert remote.run(["cat"], stdin=data).stdout == data
        done = remote.run(["sh", "-c", "echo wrong >&2; exit 7"])
    assert (done.code, done.stderr, remote.execs) == (7, b"wrong\n", 3)


def test_connection_does_not_wait_for_acknowledgements(lab1: Host) -> None:
    with ssh.connect(lab1) as remote:
        sock = remote._link.transport.sock
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_refused_key_is_told(lab1: Host, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    assert "refused our key" in refusal(changed(lab1, ansible_ssh_private_key_file=str(key)))


def test_changed_host_key_is_refused(lab1: Host, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    pinned = tmp_path / "known_hosts"
    kind, data, *_ = key.with_suffix(".pub").read_text().split()
    pinned.write_text(f"{lab1.address} {kind} {data}\n")
    assert "host key has changed" in refusal(changed(lab1, benchrig_known_hosts=str(pinned)))


def test_unknown_host_key_is_refused(lab1: Host, tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    assert "host key is not known" in refusal(changed(lab1, benchrig_known_hosts=str(tmp_path / "none")))


def test_closed_port_and_unknown_name_are_told(lab1: Host) -> None:
    assert "cannot be reached: connection refused" in refusal(changed(lab1, ansible_port=9))
    assert "cannot be reached" in refusal(changed(lab1, ansible_host="no-such-host.invalid"))


def test_connection_lost_while_a_program_runs_is_told(lab1: Host) -> None:
    with ssh.connect(lab1) as remote, remote.open(["sh", "-c", "echo started; read go; kill -9 $PPID; sleep 5"]) as channel:
        assert channel.read_line() == b"started"
        channel.send(b"go\n")
        with pytest.raises(HostError, match="connection was lost"):
            channel.read_line()


def test_silent_program_is_given_up_after_its_time(lab1: Host) -> None:
    with ssh.connect(lab1) as remote, pytest.raises(HostError, match="no answer for 1 s"):
        remote.run(["sleep", "5"], timeout=1)


def test_openssh_logs_in_with_the_same_options(lab1: Host) -> None:
    done = subprocess.run(["ssh", *openssh.arguments(lab1), "hostname"], capture_output=True, text=True, check=True)
    assert done.stdout == "lab1\n"
