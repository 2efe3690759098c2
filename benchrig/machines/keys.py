"""SSH keys of machines: benchrig makes them, so every host key is pinned before the first connection."""

from __future__ import annotations

from pathlib import Path

from benchrig import reading
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run
from benchrig.machines.folder import MachineFolder


def known_host(machine: MachineFolder, address: str) -> str:
    """Return the line of known_hosts that pins a machine's host key."""
    path = machine.host_key.with_suffix(".pub")
    try:
        kind, key, *_ = reading.text(path).split()
    except ValueError:
        hint = Hint("Make the machine anew: ", Inv("destroy", "up"))
        raise MachineError(f"{machine.name}: {path} is damaged, or is not there", hint) from None
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
