"""What we keep about an inventory's Vagrant machines, in `.benchrig/vagrant/` of the clone: plan, host keys, logins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from benchrig.files import write
from benchrig.machines.folder import Folder
from benchrig.machines.vagrant.plan import Plan, decode


@dataclass(frozen=True)
class Known:
    """What is known of one machine."""

    making: bool = False
    """Noted before it is made, and gone once it has come up: what Vagrant has of such a machine is half made."""
    id: str = ""
    """The provider's own id: another one is another machine."""
    host_key: str = ""
    """Kind and key, as known_hosts has them; empty before the first contact."""
    address: str = ""
    port: int = 22
    user: str = ""
    key_file: str = ""
    kept: float = 0.0
    """When our snapshot of it was taken, in seconds since 1970; 0 when it has none."""
    stale: bool = False
    """Whether its clock stood still, or is about to, and has not been set since."""

    def known_hosts_line(self) -> str:
        """Return the line of known_hosts that pins the host key."""
        place = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return f"{place} {self.host_key}\n"


@dataclass(frozen=True)
class VagrantFolder(Folder):
    """The files of one inventory's machines."""

    def plan(self) -> Plan | None:
        """Return the plan that Vagrant follows; None when there is none."""
        try:
            return decode((self.path / "plan.json").read_text(encoding="utf-8"))
        except OSError:
            return None

    def write_plan(self, plan: Plan) -> None:
        """Put the plan in place."""
        write(self.path / "plan.json", plan.encode())

    def known(self) -> dict[str, Known]:
        """Return what is known of each machine, by its host's name."""
        try:
            values = json.loads((self.path / "known.json").read_text(encoding="utf-8"))
            return {name: Known(**value) for name, value in values.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def note(self, known: Mapping[str, Known]) -> None:
        """Note what is known, and pin the host keys."""
        values = {name: asdict(one) for name, one in known.items()}
        write(self.path / "known.json", json.dumps(values, indent=2).encode())
        write(self.known_hosts, "".join(one.known_hosts_line() for one in known.values() if one.host_key).encode())
