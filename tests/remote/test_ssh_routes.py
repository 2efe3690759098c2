"""Hosts reached as OpenSSH reaches them: jump hosts, configuration, agents; two lab machines, one reached over the other."""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.machines.existing import ExistingMachines
from benchrig.machines.lab.kind import LabMachines
from benchrig.remote import openssh, ssh
from tests.support.lab import run, write_inventory

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Host]]:
    """Yield two machines of a lab, `jump` and `inner`."""
    root = tmp_path_factory.mktemp("clone")
    write_inventory(root, ["jump", "inner"])
    machines = LabMachines(inventory.read("lab", root), root)
    yield dict(machines.up().hosts)
    machines.destroy()


@pytest.fixture
def configuration(lab: dict[str, Host], tmp_path: Path) -> Path:
    """Return an ssh_config that knows both machines."""
    path = tmp_path / "config"
    path.write_text(openssh.config(lab.values()) + "\n")
    return path


def named(name: str, arguments: str, **variables: object) -> Host:
    return Host("web", (), {"ansible_host": name, "ansible_ssh_common_args": arguments, **variables})


def seen_from(host: Host) -> str:
    """Return the address that a host sees us come from."""
    return run(host, "echo $SSH_CONNECTION").split()[0]


def refusal(host: Host) -> HostError:
    with pytest.raises(HostError) as caught:
        ssh.connect(host)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("jump", ["-J jump", "-Jjump", "-o ProxyJump=jump", "-oProxyJump=jump", "-J jump,jump"])
def test_a_jump_host_named_in_the_inventory_is_gone_through(lab: dict[str, Host], configuration: Path, jump: str) -> None:
    host = named("inner", f"-F {shlex.quote(str(configuration))} {jump}")
    assert seen_from(host) == lab["jump"].address
    done = subprocess.run(["ssh", *openssh.arguments(host), "hostname"], capture_output=True, text=True, check=True)
    assert done.stdout == "inner\n"


def test_a_jump_host_may_have_user_and_port_of_its_own(lab: dict[str, Host], configuration: Path) -> None:
    run(lab["jump"], "useradd -m hopper; install -o hopper -D -t ~hopper/.ssh .ssh/authorized_keys")
    run(lab["jump"], "echo 'Port 22\nPort 2222' > /etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh")
    with configuration.open("a") as file:
        known = lab["jump"].known_hosts
        assert known
        line = next(line for line in known.read_text().splitlines() if line.startswith(lab["jump"].address))
        pinned = configuration.with_name("pinned")
        pinned.write_text(line.replace(lab["jump"].address, f"[{lab['jump'].address}]:2222") + "\n")
        file.write(f"Host {lab['jump'].address}\n  UserKnownHostsFile {pinned}\n  IdentityFile {lab['jump'].key_file}\n")
    host = named("inner", f"-F {configuration} -J hopper@{lab['jump'].address}:2222")
    assert seen_from(host) == lab["jump"].address
    route = openssh.resolve(host).via
    assert route
    assert (route.user, route.port) == ("hopper", 2222)


def test_configuration_alone_names_host_user_key_and_jump_host(lab: dict[str, Host], configuration: Path) -> None:
    text = configuration.read_text().replace("Host inner\n", "Host inner behind-*\n  ProxyJump jump\n")
    (configuration.parent / "more").write_text(text)
    configuration.write_text(f"Include {configuration.parent}/more\n")
    host = named("behind-the-wall", f"-F {configuration}")
    assert seen_from(host) == lab["jump"].address
    machines = ExistingMachines(inventory.Inventory("x", configuration, "existing", {"web": host}, {"all": ("web",)}))
    assert machines.reach().hosts["web"].variables["benchrig_address"] == lab["inner"].address


def test_what_the_inventory_says_wins_over_the_configuration(configuration: Path) -> None:
    configuration.write_text(configuration.read_text().replace("User root", "User nobody").replace("Port 22", "Port 9"))
    assert seen_from(named("jump", f"-F {configuration}", ansible_user="root", ansible_port=22))


def test_a_proxy_command_is_a_way_as_well(lab: dict[str, Host], configuration: Path) -> None:
    host = named("inner", f"-F {configuration} -o ProxyCommand='ssh -F {configuration} -W %h:%p jump'")
    assert seen_from(host) == lab["jump"].address


def test_the_configuration_that_is_printed_leads_over_the_same_jump_host(lab: dict[str, Host], configuration: Path) -> None:
    printed = configuration.with_name("printed")
    printed.write_text(openssh.config([named("inner", f"-F {configuration} -J jump")]))
    done = subprocess.run(["ssh", "-F", printed, "web", "echo $SSH_CONNECTION"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == lab["jump"].address


def test_closing_a_connection_closes_those_that_it_goes_through(configuration: Path) -> None:
    before = set(threading.enumerate())
    ssh.connect(named("inner", f"-F {configuration} -J jump,jump")).close()
    # Threads of earlier tests may end meanwhile; those that are new must.
    left = [thread for thread in threading.enumerate() if thread not in before and type(thread).__name__ == "Transport"]
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]


def test_an_unknown_jump_host_and_an_unknown_host_behind_one_are_refused_until_pinned(
    lab: dict[str, Host], configuration: Path
) -> None:
    pinned = configuration.with_name("my pins")
    pinned.touch()
    known = lab["jump"].known_hosts
    configuration.write_text(configuration.read_text().replace(str(known), f'"{pinned}"'))
    host = named("inner", f"-F {configuration} -J jump", benchrig_known_hosts=str(pinned))
    first = refusal(named("jump", f"-F {configuration}", benchrig_known_hosts=str(pinned)))
    assert "the host key is not known" in str(first)
    assert refusal(host).args[0].startswith(f"web, its jump host (root@{lab['jump'].address}:22): the host key is not known")
    pin(str(first.hint))
    behind = refusal(host)
    assert str(behind).startswith(f"web (root@{lab['inner'].address}:22): the host key is not known")
    printed = subprocess.run(["ssh-keygen", "-lf", f"{lab['inner'].known_hosts}"], capture_output=True, text=True).stdout
    assert str(behind.hint).split("fingerprint, ")[1].split(",")[0].split()[1] in printed
    pin(str(behind.hint).replace("ssh jump", f"ssh -F {configuration} jump"))
    assert seen_from(host) == lab["jump"].address


def pin(hint: str) -> None:
    """Do what a hint says about a host key."""
    subprocess.run(hint.partition("then pin it: ")[2], shell=True, check=True, capture_output=True)


def test_a_changed_key_of_a_jump_host_is_refused(lab: dict[str, Host], configuration: Path, tmp_path: Path) -> None:
    pinned = tmp_path / "pinned"
    assert lab["inner"].known_hosts
    kinds = [line.split() for line in lab["inner"].known_hosts.read_text().splitlines()]
    pinned.write_text(f"{kinds[0][0]} ssh-ed25519 {kinds[1][2]}\n{kinds[1][0]} ssh-ed25519 {kinds[0][2]}\n")
    configuration.write_text(configuration.read_text().replace(str(lab["inner"].known_hosts), str(pinned)))
    error = refusal(named("inner", f"-F {configuration} -J jump"))
    assert "its jump host" in str(error)
    assert "the host key has changed" in str(error)
    assert str(pinned) in str(error.hint)


def test_keys_of_every_kind_that_ssh_keyscan_prints_are_a_pin(lab: dict[str, Host], tmp_path: Path) -> None:
    host = lab["jump"]
    run(host, "ssh-keygen -A; sed -i /^HostKey/d /etc/ssh/sshd_config.d/lab.conf; systemctl restart ssh")
    pinned = tmp_path / "pinned"
    scan = subprocess.run(["ssh-keyscan", "-H", host.address], capture_output=True, text=True, check=True).stdout
    assert len(scan.splitlines()) == 3
    for lines in (scan.splitlines(), scan.splitlines()[::-1], scan.splitlines()[1:]):
        pinned.write_text("\n".join(lines) + "\n")
        variables = {**host.variables, "benchrig_known_hosts": str(pinned)}
        assert seen_from(Host("web", (), variables))


def test_a_host_that_a_jump_host_does_not_reach_is_told_with_the_jump_host(configuration: Path) -> None:
    error = refusal(named("inner", f"-F {configuration} -J jump", ansible_port=9))
    assert str(error).endswith(":9): cannot be reached from jump: connect failed")


def test_jump_hosts_in_a_circle_and_options_that_ssh_does_not_know_are_told(configuration: Path) -> None:
    with configuration.open("a") as file:
        file.write("Host one\n  ProxyJump two\nHost two\n  ProxyJump one\n")
    assert "the jump hosts form a circle" in str(refusal(named("one", f"-F {configuration}")))
    error = refusal(named("one", "-o Nonsense=yes"))
    assert "ssh refuses its options" in str(error)
    assert "nonsense" in str(error)
    assert "ansible_ssh_common_args" in str(error.hint)


@pytest.fixture
def agent(lab: dict[str, Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a key that a passphrase protects; an SSH agent of our own holds it, after seven others."""
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    process = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    for number in range(7):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / f"other{number}"], check=True)
        subprocess.run(["ssh-add", "-q", tmp_path / f"other{number}"], check=True)
    key = tmp_path / "locked"
    assert lab["jump"].key_file
    key.write_bytes(lab["jump"].key_file.read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-add", "-q", key], check=True)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a passphrase", "-f", key], check=True, stdout=subprocess.DEVNULL)
    yield key
    process.terminate()
    process.wait()


def with_key(host: Host, key: Path) -> Host:
    return Host("web", (), {**host.variables, "ansible_ssh_private_key_file": str(key)})


def test_a_protected_key_opens_a_host_when_the_agent_holds_it(lab: dict[str, Host], agent: Path) -> None:
    public = subprocess.run(["ssh-keygen", "-y", "-P", "a passphrase", "-f", agent], capture_output=True, check=True).stdout
    agent.with_name("locked.pub").write_bytes(public)
    # Seven others first would be more than sshd lets anybody try.
    assert seen_from(with_key(lab["jump"], agent))
    assert seen_from(with_key(lab["jump"], agent.with_name("locked.pub")))


def test_a_protected_key_that_no_agent_holds_is_told_with_what_unlocks_it(
    lab: dict[str, Host], agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK")
    error = refusal(with_key(lab["jump"], agent))
    assert "our key is encrypted" in str(error)
    assert str(error.hint) == f"Unlock it in an SSH agent: ssh-add {agent}"


@pytest.mark.usefixtures("agent")
def test_keys_of_the_agent_alone_open_a_host(lab: dict[str, Host]) -> None:
    host = lab["jump"]
    arguments = f"-F none -o UserKnownHostsFile={host.known_hosts}"
    assert "refused our key" in str(refusal(named(host.address, arguments, ansible_user="root")))
    subprocess.run(["ssh-add", "-q", "-D"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["ssh-add", "-q", str(host.key_file)], check=True)
    assert seen_from(named(host.address, arguments, ansible_user="root"))
    without = refusal(named(host.address, f"{arguments} -o IdentityAgent=none", ansible_user="root"))
    assert "refused our key" in str(without)
