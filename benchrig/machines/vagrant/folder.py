"""Files about an inventory's Vagrant machines, in `.benchrig/vagrant/` of the clone: plan, host keys, logins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from benchrig import reading
from benchrig.agent import spec
from benchrig.files import write
from benchrig.machines.folder import Folder
from benchrig.machines.vagrant.plan import VagrantPlan


@dataclass(frozen=True)
class Known:
    """An entry of `known.json`: what benchrig knows about one machine."""

    making: bool = False
    """Set before the machine is made, and cleared when it is up: until then it may be half made."""
    id: str = ""
    """The provider's id; a machine with another id is another machine."""
    host_key: str = ""
    """Kind and key in the format of known_hosts; empty before the first contact."""
    address: str = ""
    port: int = 22
    user: str = ""
    key_file: str = ""
    kept: float = 0.0
    """When its snapshot was taken, in seconds since 1970; 0 when it has none."""
    stale: bool = False
    """Whether its clock stood still, or is about to, and was not set since."""

    def known_hosts_line(self) -> str:
        """Return the line of known_hosts that pins the host key."""
        place = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return f"{place} {self.host_key}\n"


@dataclass(frozen=True)
class VagrantFolder(Folder):
    """The folder of one inventory's machines."""

    def plan(self) -> VagrantPlan | None:
        """Read `plan.json`, which the Vagrantfile reads; None when it is missing, damaged or of another version."""
        try:
            return reading.record(VagrantPlan, self.path / "plan.json")
        except reading.ReadError:
            return None

    def write_plan(self, plan: VagrantPlan) -> None:
        """Write `plan.json`."""
        write(self.path / "plan.json", plan.encode())

    def known(self) -> dict[str, Known]:
        """Read `known.json`: what is known about each machine, by its name. Empty when it is missing or damaged."""
        try:
            values = reading.json_value(reading.content(self.path / "known.json"))
            known = {name: spec.build(Known, value) for name, value in values.items()}
        except (reading.ReadError, spec.SpecError, AttributeError):
            return {}
        return known if all(0 < one.port < 65536 for one in known.values()) else {}

    def write_known(self, known: Mapping[str, Known]) -> None:
        """Write `known.json`, and pin the host keys in `known_hosts`."""
        values = {name: asdict(one) for name, one in known.items()}
        write(self.path / "known.json", json.dumps(values, indent=2).encode())
        write(self.known_hosts, "".join(one.known_hosts_line() for one in known.values() if one.host_key).encode())
