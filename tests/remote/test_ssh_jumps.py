"""OpenSSH's own client over jump hosts, as `./inv ssh` starts it: real SSH servers in threads, each with its own key."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import openssh
from tests.support.guest import Guest


@pytest.fixture
def guests() -> Iterator[list[Guest]]:
    """Yield two jump hosts and the host behind them."""
    with Guest() as first, Guest() as second, Guest() as last:
        yield [first, second, last]


@pytest.fixture
def configuration(guests: list[Guest], tmp_path: Path) -> Path:
    """Return an ssh_config that takes any host key, in a folder whose name would break what is not quoted."""
    folder = tmp_path / "100% 'mine'"
    folder.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    path = folder / "config"
    path.write_text(
        f"Host last\n  ProxyJump first,second\n  Port {guests[2].port}\n"
        f"Host first\n  Port {guests[0].port}\n"
        f"Host second\n  Port {guests[1].port}\n"
        f"Host *\n  HostName 127.0.0.1\n  User vagrant\n  IdentityFile {tmp_path}/key\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {tmp_path}/pinned\n  StrictHostKeyChecking no\n"
    )
    pin(tmp_path, guests)
    return path


def pin(folder: Path, guests: list[Guest]) -> None:
    lines = [f"[127.0.0.1]:{one.port} {one.host_key.get_name()} {one.host_key.get_base64()}\n" for one in guests]
    (folder / "pinned").write_text("".join(lines))


def ssh(configuration: Path, arguments: str, address: str = "127.0.0.1", **variables: object) -> tuple[int, str]:
    """Run the client as `./inv ssh` does; return its exit code and what it complained of."""
    common = f"-F {shlex.quote(str(configuration))} {arguments}"
    host = Host("web", (), {"ansible_host": address, "ansible_ssh_common_args": common, **variables})
    done = subprocess.run(
        ["ssh", *openssh.arguments(host), "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("jump", ["-J first,second", "-Jfirst,second", "-4AJ first,second", "-o ProxyJump=first,second"])
def test_jump_hosts_with_pinned_keys_are_gone_through(guests: list[Guest], configuration: Path, jump: str) -> None:
    assert ssh(configuration, jump, ansible_port=guests[2].port)[0] == 0
    assert [len(one.keys) > 0 for one in guests] == [True, True, True]
    assert guests[2].commands == ["true"]


def test_jump_hosts_of_the_configuration_are_gone_through(guests: list[Guest], configuration: Path) -> None:
    assert ssh(configuration, "", "last")[0] == 0
    assert [len(one.keys) > 0 for one in guests] == [True, True, True]


@pytest.mark.parametrize("unknown", [0, 1, 2])
@pytest.mark.parametrize("jump", ["-J first,second", "-o ProxyJump=first,second"])
def test_a_jump_host_whose_key_is_not_pinned_is_not_logged_in_to_whatever_the_configuration_says(
    guests: list[Guest], configuration: Path, tmp_path: Path, jump: str, unknown: int
) -> None:
    pin(tmp_path, [one for one in guests if one is not guests[unknown]])
    code, complaint = ssh(configuration, jump, ansible_port=guests[2].port)
    assert code == openssh.LOST
    assert "Host key verification failed" in complaint
    assert [len(one.keys) > 0 for one in guests] == [number < unknown for number in range(3)]


def test_a_jump_host_is_known_by_what_the_configuration_pins_and_the_host_by_what_the_inventory_does(
    guests: list[Guest], configuration: Path, tmp_path: Path
) -> None:
    pin(tmp_path, guests[2:])
    (tmp_path / "pinned").rename(tmp_path / "ours")
    pin(tmp_path, guests[:2])
    variables = {"ansible_port": guests[2].port, "benchrig_known_hosts": str(tmp_path / "ours")}
    assert ssh(configuration, "-J first,second", **variables)[0] == 0


@pytest.mark.parametrize("arguments", ["", "-F none -o IdentityAgent=none"])
def test_a_machine_whose_files_are_in_a_folder_with_a_percent_sign_is_reached(
    guests: list[Guest], configuration: Path, tmp_path: Path, arguments: str
) -> None:
    for name in ("key", "pinned"):
        (tmp_path / name).rename(configuration.parent / name)
    files = {
        "ansible_ssh_private_key_file": str(configuration.parent / "key"),
        "benchrig_known_hosts": str(configuration.parent / "pinned"),
    }
    address = {"ansible_host": "127.0.0.1", "ansible_port": guests[0].port, "ansible_user": "vagrant"}
    host = Host("web", (), {**address, **files, "ansible_ssh_common_args": arguments})
    assert openssh.login(host, "true") == 0
    (tmp_path / "config").write_text(openssh.config([host]))
    assert subprocess.run(["ssh", "-F", tmp_path / "config", "web", "true"], stdin=subprocess.DEVNULL).returncode == 0
    assert guests[0].commands == ["true", "true"]


def test_every_option_that_the_client_names_is_taken_with_its_value_if_it_has_one() -> None:
    usage = subprocess.run(["ssh"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stderr
    flags = "".join(re.findall(r"\[-(\w+)\]", usage))
    valued = re.findall(r"\[-(\w) ", usage)
    assert flags
    assert valued
    words = [f"-{flag}" for flag in flags] + [word for name in valued for word in (f"-{name}", "1")]
    host = Host("web", (), {"ansible_ssh_common_args": shlex.join(words)})
    assert [word for option in openssh._parsed(host) for word in option] == words


def test_arguments_that_are_no_options_of_ssh_are_told(configuration: Path) -> None:
    for wrong in ("-Z", "first", "-J"):
        with pytest.raises(HostError, match="web: ssh refuses its options") as error:
            ssh(configuration, wrong)
        assert "ansible_ssh_common_args" in str(error.value.hint)
