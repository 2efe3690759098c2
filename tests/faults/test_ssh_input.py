"""Damaged known_hosts files, what `ssh -G` may print, and arguments for ssh: a line at most, never a traceback."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import paramiko
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import openssh, ssh
from benchrig.remote.keys import pinned
from tests.support.faults import fault
from tests.support.guest import Guest

KEY = paramiko.RSAKey.generate(2048)
LINE = f"[127.0.0.1]:2200 ssh-rsa {KEY.get_base64()}"
CAUGHT = settings(max_examples=300, deadline=None)

PARTS = ("|1|", "|1|AAAA|AAAA", "@revoked", "[127.0.0.1]:2200", "ssh-rsa", "ssh-ed25519", "AAAA", LINE[:99], "*", ",")
LINES = some.lists(some.sampled_from(PARTS) | some.text(max_size=9), max_size=6).map(" ".join)
ODD_NAMES = ("x" * 64 + ".invalid", "x" * 5000, "a..b", "\0", "\udc80", "-oProxyCommand=x", "")
ODD_WORDS = ("-J", "-o", "-p", "-F", "none", "Port=x", "-Jx:y", "--", "-Z")


def host(arguments: str, name: str = "127.0.0.1") -> Host:
    return Host("web", (), {"ansible_host": name, "ansible_ssh_common_args": arguments})


def complaint(host: Host) -> str:
    """Return the line that says why a host has no route; empty when it has one."""
    try:
        openssh.resolve(host)
    except HostError as error:
        return str(error)
    return ""


@fault(
    "Input",
    done="known_hosts in 300 random ways: cut keys, wrong kinds, broken hashes, binary lines and NUL around a good line",
    promised="the good line counts; the others are passed over, as by OpenSSH",
    seen="the good line counted in 300 of 300 files",
)
@given(some.lists(some.binary(max_size=200) | LINES.map(lambda line: line.encode(errors="replace")), max_size=6))
@CAUGHT
def test_a_good_line_counts_among_any_damaged_ones(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "known_hosts"
    path.write_bytes(b"\n".join([*lines, LINE.encode(), *lines]))
    assert pinned(path, "[127.0.0.1]:2200")["ssh-rsa"] == KEY
    path.write_bytes(b"\n".join(lines))
    assert "ssh-rsa" not in pinned(path, "[127.0.0.1]:2200")


@fault(
    "Input",
    done="known_hosts of 10 MB (24,000 hashed lines), a FIFO, a directory, a path of 5,000 letters, a file of 17 MB",
    promised="a file of 10 MB is read within 3 s; what is no file has no keys; a file that is too large is named",
    seen="10.6 MB read in 0.24 s",
)
def test_known_hosts_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"|1|{'A' * 27}=|{'A' * 27}= ssh-rsa {KEY.get_base64()}\n" * 24_000 + f"{LINE}\n")
    started = time.monotonic()
    assert pinned(path, "[127.0.0.1]:2200")
    assert time.monotonic() - started < 3
    os.mkfifo(tmp_path / "fifo")
    for none in (tmp_path / "fifo", tmp_path, Path("/" + "x" * 5000), tmp_path / "not there"):
        assert pinned(none, "[127.0.0.1]:2200") == {}
    os.truncate(path, 17 << 20)
    with pytest.raises(HostError, match=r"web: the host keys in .*known_hosts cannot be read: it is larger than 16 MiB"):
        ssh.connect(Host("web", (), {"ansible_host": "127.0.0.1", "benchrig_known_hosts": str(path)}))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file whose content is what `ssh -G` prints."""
    (tmp_path / "ssh").write_text(f"#!/bin/sh\ncat {tmp_path}/said\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "said"


SAID = b"hostname 127.0.0.1\nuser me\nport 22\n"


@fault(
    "Input",
    done="`ssh -G` prints nothing, nonsense, binary, an invalid port, paths of homes that do not exist, 4 MB",
    promised="a route, or a line that says what is missing",
    seen="`ssh -G … does not say host name, user and port`",
)
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense",
        b"\xff\xfe\0\n",
        b"hostname x\nuser y\nport http\n",
        SAID + b"identityfile ~nobody-here/key\nuserknownhostsfile ~nobody-here/a " + b"x" * 5000 + b"\n",
        SAID + b"identityagent ~nobody-here/agent\nidentityfile \xff\xfe%\n",
        SAID + b"proxyjump @@@:x\n",
        SAID + b"proxycommand %\n",
        SAID + b"x y\n" * 1_000_000,
    ],
)
def test_whatever_ssh_prints_is_a_route_or_a_line(program: Path, said: bytes) -> None:
    program.write_bytes(said)
    line = complaint(host("-F none"))
    assert not line or (line.startswith("web: ") and "\n" not in line)


@fault(
    "Input",
    done="150 random values of ansible_ssh_common_args and ansible_host: options cut short, NUL, surrogates, 5,000 letters",
    promised="a route, or a line with the host's name",
    seen="no traceback for 150 of 150 values",
)
@given(
    some.lists(some.sampled_from(ODD_WORDS) | some.text(max_size=9), max_size=4),
    some.text(max_size=70) | some.sampled_from(ODD_NAMES),
)
@settings(max_examples=150, deadline=None)
def test_arguments_of_every_kind_are_a_route_or_a_line(words: list[str], name: str) -> None:
    # -E would write a log.
    arguments = " ".join(f"'{word}'" for word in ["-F", "none", *words] if "'" not in word and "E" not in word)
    line = complaint(host(arguments, name))
    assert not line or line.startswith("web: ")


@pytest.mark.parametrize("name", ["x" * 64 + ".invalid", "a..b", "x" * 300, "\u0130.invalid"])
def test_a_name_that_is_none_is_told(name: str, tmp_path: Path) -> None:
    variables = {"benchrig_known_hosts": str(tmp_path / "known"), "ansible_host": name}
    (tmp_path / "known").touch()
    with pytest.raises(HostError, match="cannot be reached"):
        ssh.connect(Host("web", (), variables))


@fault(
    "Input",
    done="a private key file that is empty, binary, cut short, a directory, or another's",
    promised="it is passed over as by OpenSSH; the host refuses the login in a line",
    seen="`the host refused our key`",
)
@pytest.mark.parametrize("content", [b"", b"\0\xff" * 500, b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", b"cut"])
def test_a_damaged_key_is_passed_over(content: bytes, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    whole = (tmp_path / "key").read_bytes()
    (tmp_path / "key").write_bytes(whole[:200] if content == b"cut" else content)
    (tmp_path / "key.pub").unlink()
    with Guest() as guest:
        (tmp_path / "pinned").write_text(f"[127.0.0.1]:{guest.port} ssh-rsa {guest.host_key.get_base64()}\n")
        files = {"ansible_ssh_private_key_file": str(tmp_path / "key"), "benchrig_known_hosts": str(tmp_path / "pinned")}
        named = {"ansible_host": "127.0.0.1", "ansible_port": guest.port, "ansible_user": "vagrant"}
        with pytest.raises(HostError, match="the host refused our key"):
            ssh.connect(Host("web", (), {**named, **files}))
