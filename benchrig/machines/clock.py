"""Set the clock of a virtual machine, which stands still while a snapshot is taken or the machine is suspended."""

from __future__ import annotations

import time

from benchrig import console
from benchrig.inventory import Host
from benchrig.remote import ssh


def set_to_ours(host: Host) -> None:
    """Set a machine's clock to the controller's time, and warn when the machine refuses. Raises HostError."""
    with ssh.connect(host) as remote:
        done = remote.run(["sudo", "-n", "date", "--utc", f"--set=@{time.time():.3f}"])
    if done.code:
        reason = done.stderr.decode(errors="replace").strip()
        console.warn(f"{host.name}: the clock cannot be set: {reason or f'exit code {done.code}'}")
