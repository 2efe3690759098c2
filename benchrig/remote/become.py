"""Runs programs as root on a host: directly, through sudo, or through sudo with a password that the user has typed.

The password goes to sudo's standard input when sudo asks for it, and nowhere else: never into a command line, a file, a
variable of the inventory or a log.
"""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Sequence

from benchrig.errors import HostError, InputError
from benchrig.inventory import Inventory
from benchrig.remote.channel import LONGEST_LINE, Channel, Completed
from benchrig.remote.ssh import Remote

SUDO_SECONDS = 30.0
"""How long sudo may take to ask, and to check a password."""

# Says that sudo has let us in, then becomes the program.
_GRANTED = 'printf "%s\\n" "$0"; exec "$@"'


def ask_password(inventory: Inventory) -> str:
    """Ask the user for the password of sudo, on the terminal or, where there is none, from standard input.

    Raises InputError when no host of the inventory needs sudo, and when nothing is given.
    """
    if not any(host.become for host in inventory.hosts.values()):
        raise InputError(
            f"--ask-become-pass: no host of inventory '{inventory.name}' uses sudo",
            "Set ansible_become: true for the hosts that use it.",
        )
    prompt = "BECOME password: "
    password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        raise InputError("--ask-become-pass: no password was given")
    return password


def start(remote: Remote, argv: Sequence[str], *, timeout: float | None = None, longest_line: int = LONGEST_LINE) -> Channel:
    """Start a program as root and return the stream to it; `timeout` and `longest_line` are those of Remote.open.

    Raises HostError when sudo rejects the password, or asks for one that the user was not asked for.
    """
    host = remote.host
    if not host.become:
        return remote.open(argv, timeout=timeout, longest_line=longest_line)
    if host.become_password is None:
        return remote.open(["sudo", "-n", "--", *argv], timeout=timeout, longest_line=longest_line)
    # Made anew each time, so that nothing else can say the same.
    prompt, granted = (f"{word} {secrets.token_hex(8)}" for word in ("password?", "granted"))
    asking = ["sudo", "-S", "-p", prompt, "--", "sh", "-c", _GRANTED, granted, *argv]
    channel = remote.open(asking, timeout=timeout, longest_line=longest_line)
    asked = 0
    while channel.expect(granted.encode() + b"\n", prompt.encode(), SUDO_SECONDS):
        asked += 1
        if asked > 1:
            channel.close()
            raise HostError(
                f"{host.name}: sudo rejected the password",
                f"It must be the password of the user on that host: {host.user or ''}",
            )
        channel.send(host.become_password.encode() + b"\n")
    return channel


def run(remote: Remote, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Completed:
    """Run a program as root to its end. Raises HostError as `start` and Remote.run do."""
    with start(remote, argv, timeout=timeout) as channel:
        return channel.complete(stdin)
