"""The clock of a virtual machine that stood still, as one does while it is kept or suspended."""

from __future__ import annotations

import time

from benchrig import console
from benchrig.inventory import Host
from benchrig.remote import ssh


def set_to_ours(host: Host) -> None:
    """Give a machine the controller's time; where it refuses, that is a warning. Raises HostError."""
    with ssh.connect(host) as remote:
        done = remote.run(["sudo", "-n", "date", "--utc", f"--set=@{time.time():.3f}"])
    if done.code:
        reason = done.stderr.decode(errors="replace").strip()
        console.warn(f"{host.name}: its clock cannot be set: {reason or f'exit code {done.code}'}")
