"""The clock of a virtual machine that stood still, as one does while it is kept or suspended."""

from __future__ import annotations

import time

from benchrig import ssh
from benchrig.errors import MachineError
from benchrig.inventory import Host


def set_to_ours(host: Host) -> None:
    """Give a machine the outer machine's time. Raises HostError, MachineError."""
    with ssh.connect(host) as remote:
        done = remote.run(["sudo", "-n", "date", "--utc", f"--set=@{time.time():.3f}"])
    if done.code:
        raise MachineError(f"{host.name}: its clock cannot be set: {done.stderr.decode(errors='replace').strip()}")
