"""The plan: what Vagrant is to make, as JSON that benchrig writes from the inventory and the Vagrantfile reads.

So sizes, boxes, provider and number of machines are defined in the inventory alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal, cast, get_args

from benchrig.errors import InputError, unknown
from benchrig.inventory import Host, Inventory
from benchrig.machines import naming, sizes

Provider = Literal["virtualbox", "libvirt"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)


@dataclass(frozen=True)
class Variables:
    """Variables of the inventory that only this kind reads."""

    benchrig_provider: Provider | None = None
    """Vagrant's provider."""


VIRTUALBOX_BOX = "debian/bookworm64"
"""A public Debian 12 box for VirtualBox, for which benchrig builds none."""

SUBNET = IPv4Network("10.213.255.0/24")
"""Network between the machines of one inventory in VirtualBox; no one else is on it."""

BOOT_SECONDS = 300
EMULATED_BOOT_SECONDS = 900
"""Without KVM a machine takes a minute to boot, and several at once take longer accordingly."""


@dataclass(frozen=True)
class MachinePlan:
    """One machine as the Vagrantfile reads it."""

    name: str
    vagrant_name: str
    """Its name for Vagrant; all inventories of a clone share one Vagrantfile."""
    unique_name: str
    """Its name for VirtualBox or libvirt, which no other clone's machine has."""
    cpus: int
    memory_mb: int
    box: str | None
    """Name of the box; None until one is needed."""
    box_url: str | None
    """Where Vagrant gets the box if it does not have it; None for a box in Vagrant's public registry."""
    address: str | None
    """Its address among the machines of the inventory; None where the provider's own network joins them."""


@dataclass(frozen=True)
class VagrantPlan:
    """The machines of an inventory as the Vagrantfile reads them."""

    provider: Provider
    driver: Literal["kvm", "qemu"]
    """How libvirt runs machines: with KVM, or with QEMU's emulation."""
    unique_name: str
    boot_seconds: int
    machines: tuple[MachinePlan, ...]

    @property
    def is_emulated(self) -> bool:
        """The CPUs of the machines are emulated."""
        return self.provider == "libvirt" and self.driver == "qemu"

    def of(self, name: str) -> MachinePlan | None:
        """Return a machine's plan by its host's name."""
        return next((machine for machine in self.machines if machine.name == name), None)

    def only(self, names: Iterable[str]) -> tuple[MachinePlan, ...]:
        """Return the plans of the named machines, as far as they are in the plan."""
        chosen = set(names)
        return tuple(machine for machine in self.machines if machine.name in chosen)

    def encode(self) -> bytes:
        """Return the JSON that the Vagrantfile reads."""
        return json.dumps(asdict(self), indent=2).encode()


def make(inventory: Inventory, root: Path, key: str, provider: Provider, old: VagrantPlan | None) -> VagrantPlan:
    """Return the plan of an inventory's machines, without boxes but those that the old plan had.

    `key` names the inventory within the clone. Values of the old plan stay where the inventory says nothing, and so do
    machines that the inventory no longer names, so that they can be stopped and destroyed. Raises InputError for invalid
    sizes and for names that no machine can have.
    """
    naming.check(inventory.hosts)
    digest = hashlib.sha256(os.fsencode(f"{root.resolve()}\0{key}")).hexdigest()[:10]
    unique_name = f"benchrig-{digest}"
    former = {machine.name: machine for machine in old.machines} if old and old.provider == provider else {}
    used = {machine.address for machine in former.values()}
    free = (str(address) for address in list(SUBNET.hosts())[naming.FIRST_NUMBER - 1 :] if str(address) not in used)
    machines: dict[str, MachinePlan] = {}
    for name, host in inventory.hosts.items():
        before = former.pop(name, None)
        address = None
        if provider == "virtualbox" and len(inventory.hosts) > 1:
            address = before.address if before and before.address else next(free)
        vagrant_name = f"{key}.{name}"
        machines[name] = MachinePlan(
            name=name,
            vagrant_name=vagrant_name,
            unique_name=f"{unique_name}-{vagrant_name}",
            cpus=sizes.cpus(host),
            memory_mb=sizes.memory_mb(host),
            box=before.box if before else None,
            box_url=before.box_url if before else None,
            address=address,
        )
    driver = old.driver if old else "kvm"
    return with_driver(VagrantPlan(provider, driver, unique_name, 0, (*machines.values(), *former.values())), driver)


def with_driver(plan: VagrantPlan, driver: Literal["kvm", "qemu"]) -> VagrantPlan:
    """Return a plan with another driver for libvirt, and the boot time that goes with it."""
    driven = replace(plan, driver=driver)
    return replace(driven, boot_seconds=EMULATED_BOOT_SECONDS if driven.is_emulated else BOOT_SECONDS)


def with_boxes(plan: VagrantPlan, boxes: Mapping[str, tuple[str, str | None]]) -> VagrantPlan:
    """Return a plan in which the named machines are made of these boxes (name, and where Vagrant gets it)."""
    machines = [
        replace(machine, box=boxes[machine.name][0], box_url=boxes[machine.name][1]) if machine.name in boxes else machine
        for machine in plan.machines
    ]
    return replace(plan, machines=tuple(machines))


def named_provider(inventory: Inventory) -> Provider | None:
    """Return the provider that the inventory names, or None. Raises InputError."""
    named = {str(host.variables["benchrig_provider"]) for host in inventory.hosts.values() if _has_provider(host)}
    for name in named - set(PROVIDERS):
        raise unknown("provider (benchrig_provider)", name, PROVIDERS)
    if len(named) > 1:
        raise InputError(
            f"all machines of inventory '{inventory.name}' need one provider; it names {', '.join(sorted(named))}"
        )
    return cast(Provider, named.pop()) if named else None


def named_box(host: Host, folder: Path) -> tuple[str, str | None] | None:
    """Return the box that the inventory names for a host: its name, and where Vagrant gets it. None when it names none.

    The name of a file's box is a hash that changes with the file; that of a URL is a hash of the URL. Relative paths begin
    at `folder`. Raises InputError when there is no such file.
    """
    value = str(host.variables.get("benchrig_box") or "")
    if not value:
        return None
    if "://" in value:
        return _hashed(value), value
    if value.endswith(".box") or value.startswith(("/", "~", ".")):
        path = (folder / Path(value).expanduser()).resolve()
        if not path.is_file():
            raise InputError(f"benchrig_box of '{host.name}': there is no file {path}")
        status = path.stat()
        # As a URI, because Vagrant fails on a path with a space.
        return _hashed(f"{path}\0{status.st_size}\0{status.st_mtime_ns}"), path.as_uri()
    return value, None


def names_of(machines: Iterable[MachinePlan]) -> list[str]:
    """Return the machines' names for Vagrant."""
    return [machine.vagrant_name for machine in machines]


def hosts_of(machines: Iterable[MachinePlan]) -> str:
    """Return the machines' names for people."""
    return ", ".join(machine.name for machine in machines)


def key_of(inventory: Inventory, root: Path) -> str:
    """Return a unique name of an inventory within a clone: its name; outside of the clone, also a hash of its path."""
    name = re.sub(r"[^A-Za-z0-9-]", "_", inventory.name)
    path = inventory.path.resolve()
    if path.parent == (root / "inventory").resolve():
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}"


def _has_provider(host: Host) -> bool:
    return bool(host.variables.get("benchrig_provider"))


def _hashed(text: str) -> str:
    return f"benchrig-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
