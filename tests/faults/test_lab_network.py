"""The lab's network when a machine is away."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines.lab.folder import lab_of
from tests.support.clone import Clone
from tests.support.faults import fault


def slirp_sockets() -> int:
    """Return how many descriptors the programs that forward the packets of labs have open."""
    found = [path.parent for path in Path("/proc").glob("[0-9]*/comm") if path.read_text().strip() == "slirp4netns"]
    return sum(len(list((process / "fd").iterdir())) for process in found)


@fault(
    "Machines and images",
    done="a connection to a lab machine whose port of the bridge is down",
    promised="the packets go nowhere; they do not come back to the controller by the lab's gateway",
    seen="no answer within 2 s, and no connection of the gateway's own",
)
@pytest.mark.lab
def test_packets_for_a_machine_that_is_away(deployed: Clone, deployed_host: Host) -> None:
    lab = lab_of(inventory.read("lab", deployed.root), deployed.root)
    link = ["nsenter", f"--net={lab.namespace}", "ip", "link", "set", f"port{lab.state().numbers['lab1']}"]
    before = slirp_sockets()
    subprocess.run([*link, "down"], check=True)
    try:
        with pytest.raises(TimeoutError):
            socket.create_connection((deployed_host.address, 22), timeout=2)
        assert slirp_sockets() < before + 20
    finally:
        subprocess.run([*link, "up"], check=True)
