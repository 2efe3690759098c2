"""Pinned host keys in every kind of known_hosts, and a shell that talks before sudo does: a real SSH server in a thread."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import become, ssh
from tests.support.guest import Guest

OTHER = "ssh-rsa " + paramiko.RSAKey.generate(2048).get_base64()

NO_KEYS = (
    f"@cert-authority *.example.org {OTHER}",
    f"@revoked other.example.org {OTHER}",
    "other.example.org ssh-ed25519 AAAA*",
    f"{OTHER[:50]}",
    f"caf\xe9.example.org {OTHER}",
    f"|1|broken {OTHER}",
    "# a comment",
    "",
)
"""Lines that OpenSSH passes over where another host is asked for."""


class TalkativeGuest(Guest):
    """Its shell greets, and its sudo wants a password."""

    def run(self, channel: paramiko.Channel, command: str) -> None:
        """Greet, ask for the password as sudo was told to, and write what the program would."""
        words = shlex.split(command)
        channel.sendall(b"Welcome!\nthis host is ours\n")
        channel.sendall_stderr(words[words.index("-p") + 1].encode())
        assert channel.recv(100) == b"right\n"
        channel.sendall(words[words.index("-c") + 2].encode() + b"\nroot\n")
        channel.send_exit_status(0)
        channel.close()


@pytest.fixture
def guest() -> Iterator[Guest]:
    with TalkativeGuest() as one:
        yield one


@pytest.fixture
def host(guest: Guest, tmp_path: Path) -> Host:
    """Return the guest as a host whose key is pinned in a file `pinned`."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    pin(tmp_path, line(guest))
    named = {"ansible_host": "127.0.0.1", "ansible_port": guest.port, "ansible_user": "vagrant", "ansible_become": True}
    files = {"ansible_ssh_private_key_file": str(tmp_path / "key"), "benchrig_known_hosts": str(tmp_path / "pinned")}
    return Host("vm1", (), {**named, **files})


def line(guest: Guest, key: str = "") -> str:
    return f"[127.0.0.1]:{guest.port} {key or f'ssh-rsa {guest.host_key.get_base64()}'}"


def pin(folder: Path, *lines: str) -> None:
    (folder / "pinned").write_bytes("\n".join(lines).encode("latin-1") + b"\n")


def refusal(host: Host) -> HostError:
    with pytest.raises(HostError) as caught:
        ssh.connect(host)
    return caught.value


@pytest.mark.parametrize("hashed", [False, True])
def test_a_pin_counts_among_lines_that_are_no_keys(guest: Guest, host: Host, tmp_path: Path, hashed: bool) -> None:
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", tmp_path / "pinned"], check=True, capture_output=True)
    own = (tmp_path / "pinned").read_text().strip()
    assert ("127.0.0.1" in own) is not hashed
    pin(tmp_path, *NO_KEYS, own, *NO_KEYS)
    ssh.connect(host).close()
    pin(tmp_path, *NO_KEYS)
    assert "the host key is not known" in str(refusal(host))
    pin(tmp_path, *NO_KEYS, line(guest, OTHER))
    changed = refusal(host)
    assert "the host key has changed" in str(changed)
    assert str(tmp_path / "pinned") in str(changed.hint)


def test_a_shell_that_greets_does_not_hide_sudos_answer(host: Host) -> None:
    with ssh.connect(replace(host, become_password="right")) as remote:
        assert become.run(remote, ["id", "-un"]).stdout == b"root\n"
