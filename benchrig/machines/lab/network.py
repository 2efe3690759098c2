"""The lab's network: a bridge in a network namespace, with one veth interface on the controller.

On the bridge are the machines, the controller, and slirp4netns, an ordinary process of the controller that forwards what
the machines send to other networks. So nothing of the controller changes: no forwarding, no packet filter, no route but the
veth's. Its firewall, a resolver on 127.0.0.53 or a VPN are no obstacle. A namespace lives as long as the file that it is
mounted on.
"""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from benchrig.errors import MachineError
from benchrig.machines.command import complaint, run
from benchrig.machines.lab import process
from benchrig.machines.lab.folder import LabFolder, LabMachine, Network

POOLS = tuple(map(IPv4Network, ("10.213.0.0/16", "172.29.0.0/16", "192.168.0.0/16")))
READY_SECONDS = 10.0
STARTED_SECONDS = 1.0
CONTROLLER_LINK = "outer"
"""Name of the interface in the lab's namespace that leads to the controller."""

AGEING = 10_000_000
"""Hundredths of a second after which the bridge forgets where a silent neighbour is: 28 hours."""

PURPOSE = "the lab's network cannot be set up"


def open_lab(lab: LabFolder, former: str, loopback: bool) -> Network:
    """Bring up a lab's bridge, its link to the controller and its gateway. What is up already stays.

    `former` is the subnet that it had before; it is used again if it is free. With `loopback`, the gateway's address leads
    to the controller's loopback. Raises MachineError.
    """
    network = network_of(lab)
    if network is None:
        close_lab(lab)
        _mount_namespace(lab.namespace)
        _ip(lab.namespace, f"link set lo up\nlink add bridge type bridge ageing_time {AGEING}\nlink set bridge up")
        network = _claim(lab, former)
    if not _gateways(lab):
        _start_gateway(lab, network, loopback)
    return network


def close_lab(lab: LabFolder) -> None:
    """Take down what `open_lab` brought up, however much of it exists. Raises MachineError."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        process.stop(lambda: _gateways(lab), sign, 5.0)
    process.remove_groups(_gateway_name(lab))
    if is_mounted(lab.namespace):
        # Deleting this end deletes the other end too, and it cannot belong to another lab.
        with suppress(MachineError):
            _ip(lab.namespace, f"link delete {CONTROLLER_LINK}")
    _unmount_namespace(lab.namespace)


def open_machine(lab: LabFolder, machine: LabMachine, network: Network, number: int) -> None:
    """Make a machine's network namespace, with `host0` in it joined to the lab's bridge. Raises MachineError."""
    _mount_namespace(machine.namespace)
    port = f"port{number}"
    _link(lab.namespace, port, "host0", machine.namespace)
    _ip(lab.namespace, f"link set {port} master bridge up")
    address = network.machine(number)
    batch = (
        "link set lo up",
        # Always the same address: otherwise neighbours would use the old one for seconds after a restart.
        f"link set host0 address 02:00:{address.packed.hex(':')}",
        f"address add {address}/{network.subnet.prefixlen} dev host0",
        "link set host0 up",
        f"route add default via {network.gateway}",
    )
    _ip(machine.namespace, "\n".join(batch))


def close_machine(machine: LabMachine) -> None:
    """Remove a machine's network namespace, and its interfaces with it. Raises MachineError."""
    if is_mounted(machine.namespace):
        with suppress(MachineError):
            _ip(machine.namespace, "link delete host0")
    _unmount_namespace(machine.namespace)


def is_mounted(place: Path) -> bool:
    """Return whether something is mounted on a file or folder."""
    try:
        return place.stat().st_dev != place.parent.stat().st_dev
    except FileNotFoundError:
        return False


def _mount_namespace(place: Path) -> None:
    place.touch(mode=0o600)
    run(["unshare", f"--net={place}", "true"], "a network namespace cannot be made")


def _unmount_namespace(place: Path) -> None:
    while is_mounted(place):
        run(["umount", "--lazy", place], f"{place} cannot be unmounted")
    place.unlink(missing_ok=True)


def _ip(namespace: Path, batch: str) -> None:
    run(["nsenter", f"--net={namespace}", "ip", "-batch", "-"], PURPOSE, stdin=batch)


def _link(namespace: Path, name: str, peer: str, peer_namespace: Path) -> None:
    """Make a veth pair with an end in each of two namespaces."""
    add = ["ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", str(peer_namespace)]
    run(["nsenter", f"--net={namespace}", *add], PURPOSE)


def has_gateway(lab: LabFolder) -> bool:
    """Return whether the lab's gateway runs."""
    return bool(_gateways(lab))


def network_of(lab: LabFolder) -> Network | None:
    """Return the network of a lab, read from its link; None when the bridge or the link is missing or incomplete."""
    if not is_mounted(lab.namespace):
        return None
    for link in json.loads(run(["ip", "-json", "-details", "-4", "address"], PURPOSE)):
        if link.get("ifalias") == lab.path.name:
            for address in link["addr_info"]:
                return Network(IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False))
    return None


def _claim(lab: LabFolder, former: str) -> Network:
    """Take a free subnet. The interface's name follows from it, so the kernel allows only one lab with it."""
    for network in _free(lab, former):
        try:
            _link(lab.namespace, CONTROLLER_LINK, network.interface, Path(f"/proc/{os.getpid()}/ns/net"))
        except MachineError as error:
            if "File exists" in str(error):
                continue
            raise
        _ip(lab.namespace, f"link set {CONTROLLER_LINK} master bridge up")
        name = network.interface
        address = f"{network.controller}/{network.subnet.prefixlen}"
        # The alias comes last: it marks the link as complete, and as that of this lab.
        batch = f"link set {name} addrgenmode none\naddress add {address} dev {name}\nlink set {name} up\n"
        run(["ip", "-batch", "-"], PURPOSE, stdin=f"{batch}link set {name} alias {lab.path.name}")
        return network
    raise MachineError("the lab needs a free network, but all of " + ", ".join(map(str, POOLS)) + " is routed")


def _free(lab: LabFolder, former: str) -> Iterator[Network]:
    """Yield the subnets that the controller has no route into: the former one first, others from a lab's own start."""
    routes = [
        ipaddress.ip_network(route["dst"])
        for route in json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"], PURPOSE))
        if route["dst"] != "default"
    ]
    subnets = [IPv4Network(former)] if former else []
    for pool in POOLS:
        below = list(pool.subnets(new_prefix=24))
        first = zlib.crc32(lab.path.name.encode()) % len(below)
        subnets += below[first:] + below[:first]
    return (Network(subnet) for subnet in subnets if not any(map(subnet.overlaps, routes)))


def _gateway_name(lab: LabFolder) -> str:
    return f"benchrig-{lab.path.name.rpartition('-')[2]}-gateway"


def _gateways(lab: LabFolder) -> list[int]:
    return process.find("slirp4netns", str(lab.namespace))


def _start_gateway(lab: LabFolder, network: Network, loopback: bool) -> None:
    options = [f"--cidr={network.subnet}", "--netns-type=path", *([] if loopback else ["--disable-host-loopback"])]
    argv = ("slirp4netns", *options, str(lab.namespace), "gateway")
    process.start(process.Program(_gateway_name(lab), argv, lab.gateway_log, {}))
    deadline = time.monotonic() + READY_SECONDS
    # For a moment after its start a program has no command line yet.
    visible_from = time.monotonic() + STARTED_SECONDS
    while True:
        try:
            # Frames for a machine that is down are not for the gateway: it would connect to that address on the controller,
            # which sends them here again.
            batch = "link set gateway master bridge up\nlink set gateway type bridge_slave flood off"
            return _ip(lab.namespace, batch)
        except MachineError:
            now = time.monotonic()
            if now > deadline or (now > visible_from and not _gateways(lab)):
                reason = complaint(lab.gateway_log.read_text(errors="replace"))
                raise MachineError(f"the lab's gateway (slirp4netns) did not start: {reason}") from None
        time.sleep(0.02)
