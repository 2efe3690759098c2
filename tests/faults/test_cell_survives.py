"""A connection that is lost under load: the agent goes on, the controller comes back, and the cell is collected."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.inventory import Host
from tests.support.benching import Bench, bench_under_load, in_network, link_down, power_off, run, session_of_relay
from tests.support.clone import Clone
from tests.support.faults import fault

pytestmark = pytest.mark.lab

SECTION = "Agents, cells and Ctrl-C"
RECONNECTED = "lab1: connection lost; reconnecting\nlab1: connected again\n"


def measured(bench: Bench, seconds: float = 120.0) -> str:
    """Wait for a bench's end, see that its one cell was measured once, and return what it wrote."""
    ended = bench.wait(seconds)
    assert ended.code == 0, ended.stderr
    assert [cell.status for cell in bench.cells()] == ["measured"]
    return ended.stderr


@fault(
    SECTION,
    done="every packet to and from the host dropped for 5, 30 and 120 s under a load of 8 s",
    promised="the cell is measured once and collected",
    seen="5 s: not noticed; 30 s: collected 1.4 s after the link was back; 120 s: 5.1 s after it",
)
@pytest.mark.parametrize("seconds", [5, 30, pytest.param(120, marks=pytest.mark.long)])
def test_link_is_down(deployed: Clone, deployed_host: Host, seconds: int) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        with link_down(deployed):
            time.sleep(seconds)
        text = measured(bench, 60)
    assert (RECONNECTED in text) == (seconds > 20)


@fault(
    SECTION,
    done="the sshd process of the session killed with -9, or stopped (kill -STOP), under load",
    promised="the controller reconnects, at once or when it has heard nothing for 20 s, and collects the cell",
    seen="killed: collected when the load had ended; stopped: 19.5 s after it; nothing measured twice",
)
@pytest.mark.parametrize("sign", ["KILL", "STOP"])
def test_session_of_sshd(deployed: Clone, deployed_host: Host, sign: str) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        session = session_of_relay(deployed_host)
        assert run(deployed_host, f"kill -{sign} {session}")[0] == 0
        assert RECONNECTED in measured(bench)
    run(deployed_host, f"kill -KILL {session} 2>/dev/null; true")


@fault(
    SECTION,
    done="sshd restarted under load",
    promised="the cell is measured",
    seen="the session went on; nothing was lost",
)
def test_sshd_is_restarted(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        assert run(deployed_host, "systemctl restart ssh")[0] == 0
        measured(bench)


@fault(
    SECTION,
    done="the machine stopped and started under load",
    promised="the bench ends as soon as the machine answers, and says that it was rebooted",
    seen="exit code 3, a second after the machine was up: `lab1 was rebooted during the bench`",
)
def test_machine_is_restarted(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        power_off(deployed, deployed_host)
        assert deployed.inv("up").code == 0
        ended = bench.wait(60)
    assert ended.code == 3
    assert "error: lab1 was rebooted during the bench" in ended.stderr
    assert "./inv bench --resume" in ended.stderr


@pytest.fixture
def by_name(deployed: Clone, deployed_host: Host, tmp_path: Path) -> Iterator[Path]:
    """Yield the SSH configuration by which the clone's inventory `named` reaches the lab machine."""
    configuration = tmp_path / "config"
    inventory = deployed.root / "inventory/named.yml"
    groups = "".join(f"    {group}: {{hosts: {{lab1: }}}}\n" for group in ("servers", "databases", "loadgens"))
    inventory.write_text(
        "all:\n  vars:\n    ansible_user: root\n    ansible_host: by-name\n"
        f"    ansible_ssh_private_key_file: {deployed_host.key_file}\n    golang_source: backports\n"
        f"    ansible_ssh_common_args: -F {configuration}\n  children:\n{groups}"
    )
    reach(configuration, deployed_host, deployed_host.address)
    yield configuration
    inventory.unlink()


def reach(configuration: Path, host: Host, address: str) -> None:
    """Write an SSH configuration that reaches the machine at an address."""
    configuration.write_text(
        f"Host by-name\n  HostName {address}\n  HostKeyAlias {host.address}\n  UserKnownHostsFile {host.known_hosts}\n"
    )


@fault(
    SECTION,
    done="a new address of the host under load, which `~/.ssh/config` has",
    promised="the controller asks again how the host is reached, and collects the cell",
    seen="`connection lost; reconnecting`, `connected again`; the cell was measured",
)
def test_address_changes(deployed: Clone, deployed_host: Host, by_name: Path) -> None:
    old = deployed_host.address
    new = f"{old.rpartition('.')[0]}.200"
    in_network(deployed, "sysctl", "-qw", "net.ipv4.conf.host0.promote_secondaries=1")
    in_network(deployed, "ip", "address", "add", f"{new}/24", "dev", "host0")
    try:
        with bench_under_load(deployed, deployed_host, "-i", "named", seconds=15) as bench:
            session = session_of_relay(deployed_host)
            run(deployed_host, f"kill -KILL {session}")
            in_network(deployed, "ip", "address", "delete", f"{old}/24", "dev", "host0")
            reach(by_name, deployed_host, new)
            assert RECONNECTED in measured(bench)
    finally:
        in_network(deployed, "ip", "address", "add", f"{old}/24", "dev", "host0")
