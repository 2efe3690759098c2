"""SSH keys of machines: benchrig makes them, so every host key is pinned before the first connection."""

from __future__ import annotations

from pathlib import Path

from benchrig.machines.command import run
from benchrig.machines.folder import MachineFolder


def known_host(machine: MachineFolder, address: str) -> str:
    """Return the line of known_hosts that pins a machine's host key."""
    kind, key, *_ = machine.host_key.with_suffix(".pub").read_text(encoding="utf-8").split()
    return f"{address} {kind} {key}\n"


def make_key(path: Path, comment: str) -> None:
    """Make an SSH key pair, unless it exists."""
    if not path.exists():
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(new)]
        run(argv, "an SSH key cannot be made")
        new.with_name(f"{new.name}.pub").replace(path.with_suffix(".pub"))
        new.replace(path)
